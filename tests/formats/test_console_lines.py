"""Where lines of consoles begin, behind what others print before them."""

from __future__ import annotations

import pytest

from viz3d.errors import NotMine
from viz3d.formats import (
    llmc_console,
    modded_nanogpt,
    nanochat_console,
    nanogpt_console,
    verl_console,
)
from viz3d.formats.base import Format

from .conftest import Reader, joined, said

BEHIND = "of a step behind other words"
CONSOLES = (
    (nanogpt_console, "iter {step}: loss {loss}, time 84.20ms"),
    (nanochat_console, "step {step} | loss: {loss} | lrm: 1.0"),
    (verl_console, "step:{step} - loss:{loss} - time:1.0"),
    (modded_nanogpt, "step:{step}/5,100 loss:{loss} lr:1.0"),
    (llmc_console, "step {step}/9 | loss {loss} | norm 2.0 | 90.10 ms"),
)
consoles = pytest.mark.parametrize(("form", "line"), CONSOLES)


@consoles
@pytest.mark.parametrize(
    "before",
    [
        "\r 20%|##        | 20/100 [00:00<00:10,  9.50it/s]",
        "\r 20%|##        | 20/100 [00:00<00:10,  9.50it/s] ",
        "step 1:  20%|##        | 20/100 [00:00<00:10, 9.50it/s, loss=3.2]",
        "(TaskRunner pid=87031) ", "[rank0]: ", "[1,0]<stdout>:", "3: ", "[2025-01-01 12:00:00] ",
        "2025-01-01 12:00:00,123 INFO ", "2025-01-01 12:00:00,123 - INFO - __main__ - ",
        "INFO:root:", "2025-01-01 12:00:00.123 | INFO     | train:step:12 - ",
        "2025-01-01T12:00:00.123456Z ", "I0101 12:00:00.123456 7 train.py:10] ", "\x1b[32m  ",
    ],
)  # fmt: skip
def test_a_line_is_read_behind_what_others_print(
    read: Reader, form: Format, line: str, before: str
) -> None:
    """Bars of progress, ranks, times and loggers."""
    log = "".join(
        (before if step == 20 else "") + line.format(step=step, loss=4.0) + "\n"
        for step in (10, 20, 30)
    )
    (parsed,) = read(form, {"a.log": log})
    assert joined(parsed).history.index.tolist() == [10, 20, 30]
    assert BEHIND not in said(parsed)


@pytest.mark.parametrize(
    ("form", "line"), [case for case in CONSOLES if case[0] is not nanochat_console]
)
def test_a_step_that_passed_is_told_and_no_restart(read: Reader, form: Format, line: str) -> None:
    """Words before it speak of a step that has been."""
    lines = [line.format(step=step, loss=4.0) for step in (10, 20, 30)]
    lines.append("best so far: " + line.format(step=10, loss=3.0))
    (parsed,) = read(form, {"a.log": "\n".join([*lines, ""])})
    found = joined(parsed)
    assert found.history.index.tolist() == [10, 20, 30]
    assert found.restarts == 0
    assert f"1 line that tells {BEHIND} was left out: 'best so far: " in said(parsed)
    with pytest.raises(NotMine):
        read(form, {"a.log": lines[-1] + "\n"})


@consoles
def test_thousands_of_steps_may_have_commas(read: Reader, form: Format, line: str) -> None:
    log = "".join(line.format(step=f"{step:,}", loss=4.0) + "\n" for step in range(0, 2001, 200))
    (parsed,) = read(form, {"a.log": log})
    assert joined(parsed).history.index.tolist() == [*range(0, 2001, 200)]


@consoles
def test_a_step_whose_comma_may_part_no_thousands_is_told(
    read: Reader, form: Format, line: str
) -> None:
    """Where another comma of the file parts none, or that of the step does not."""
    lines = [line.format(step=step, loss=loss) for step, loss in (("1,000", "4.0"), (7, "4,21"))]
    lines += [line.format(step=9, loss=4.0), line.format(step="1,00", loss=4.0), ""]
    (parsed,) = read(form, {"a.log": "\n".join(lines)})
    assert joined(parsed).history.index.tolist() == [7, 9]
    assert "2 numbers with a comma that parts no thousands were left out (step)" in said(parsed)
