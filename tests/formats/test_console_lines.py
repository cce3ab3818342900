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
        "Epoch 3: 20it [00:01, 19.00it/s]", "[default0]:", "[0] ", "[rank: 0] ", "[Rank 0] ",
        "(main_task pid=1, ip=10.0.0.1) ", "2025-01-01 12:00:00,123 - trainer - INFO - ",
        "[2025-01-01 12:00:00,123][__main__][INFO] - ", "12:00 ",
        "[2025-01-01 12:00:00,123] [INFO] [logging.py:96:log] [Rank 0] ", "[INFO|a.py:7] >> ",
        "01/02/2025 12:00:00 - INFO - a - ", "12:00:00 - nano-gpt - INFO - ", "INFO:a-b.c:",
        "INFO:device:", "INFO | retrieval.a:<module>:12 - ",
        "0: [rank0]: INFO:  20%|##        | 20/100 [00:00<00:10] 7it [00:01, ?it/s]",
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
@pytest.mark.parametrize(
    "before",
    [
        "best so far: ", "[eval] ", "[best]: ", "best model -> ", "Checkpoint saved at 12:03:04 ",
        "saved to a/b.pt [0] ", "saved 2 [12:03:04] ", "best | ", "[rank0]: [best] ",
        "INFO - best model -> ", "INFO: best: ", "INFO:eval:", "INFO - Checkpoint - ",
        "12:00:00 | INFO | best - ", "2025-01-01 12:00:00,123 - trainer.eval - INFO - ",
        "12:00:00 INFO: resumed: ", "INFO:dev:",
        "2025-01-01 12:00:00.123 | INFO | a:evaluate:12 - ",
        "[2025-01-01 12:00:00,123][best_model][INFO] - ",
    ],
)  # fmt: skip
def test_a_step_that_passed_is_told_and_no_restart(
    read: Reader, form: Format, line: str, before: str
) -> None:
    """Words before it speak of a step that has been."""
    lines = [line.format(step=step, loss=4.0) for step in (10, 20, 30)]
    lines.append(before + line.format(step=10, loss=3.0))
    (parsed,) = read(form, {"a.log": "\n".join([*lines, ""])})
    found = joined(parsed)
    assert found.history.index.tolist() == [10, 20, 30]
    assert found.restarts == 0
    assert f"1 line that tells {BEHIND} was left out: '{before}" in said(parsed)
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


@pytest.mark.parametrize(
    ("form", "line", "wanted"),
    [
        (
            nanogpt_console, "iter 7: loss 2.5, time 84.20 ms, tok/s 12000, grad-norm 1.0",
            {"loss": 2.5, "dt_ms": 84.2, "tok/s": 12000, "grad-norm": 1.0},
        ),
        (
            nanochat_console, "step 7 | loss: 2.5 | dt: 84.20 ms | epoch: 1 m: 3 | elapsed: 3 h",
            {"loss": 2.5, "dt_ms": 84.2, "epoch": 1, "m": 3, "elapsed_h": 3},
        ),
        (
            modded_nanogpt, "step:7/9 loss:2.5 time:84.20 ms m:3 s:4",
            {"loss": 2.5, "time_ms": 84.2, "m": 3, "s": 4},
        ),
    ],
)  # fmt: skip
def test_a_unit_may_stand_behind_a_space(
    read: Reader, form: Format, line: str, wanted: dict[str, float]
) -> None:
    """And names may hold more than letters; what follows with a colon is no unit but a name."""
    (parsed,) = read(form, {"a.log": line + "\n"})
    assert joined(parsed).history.loc[7].to_dict() == wanted
    assert "not read" not in said(parsed)


@pytest.mark.parametrize(
    ("form", "line", "values", "unread"),
    [
        (nanogpt_console, "iter 7: loss 2.5 (mean 4.1)", {"loss": 2.5}, "(mean 4.1)"),
        (nanogpt_console, "iter 7: loss 2.5, elapsed 1h 23m", {"loss": 2.5}, "elapsed 1h23m"),
        (nanogpt_console, "iter 7: loss 2.5, elapsed 3 of 5", {"loss": 2.5}, "elapsed 3 of 5"),
        (nanochat_console, "step 7 | loss: 2.5 | t: 1h 23m", {"loss": 2.5}, "t: 1h23m"),
        (nanochat_console, "step 7 | loss: 2.5 | t: 1 h 23 min", {"loss": 2.5}, "t: 1h23min"),
        (nanochat_console, "step 7 | loss: 2.5 | t: 2d 1.5h", {"loss": 2.5}, "t: 2d1.5h"),
        (nanochat_console, "step 7 | loss: 2.5 | tokens: 1.2B", {"loss": 2.5}, "tokens: 1.2B"),
        (nanochat_console, "step 7 | loss: 2.5 | lr(a: None)", {"loss": 2.5}, "a: None"),
        (verl_console, "step:7 - b:1.0 - a:None", {"b": 1.0}, "a:None"),
        (verl_console, "step:7 - b:1.0 - a:tensor(0.3)", {"b": 1.0}, "a:tensor(0.3)"),
        (modded_nanogpt, "step:7/9 loss:2.5 t:1h 23m", {"loss": 2.5}, "t:1h23m"),
        (modded_nanogpt, "step:7/9 loss:2.5 a:None", {"loss": 2.5}, "a:None"),
        (modded_nanogpt, "step:7/9 loss:2.5 50%/lr:3", {"loss": 2.5}, "50%/lr:3"),
        (nanochat_console, f"step 7 | loss: 2.5 | {'x' * 60}: 3", {"loss": 2.5}, f"{'x' * 60}: 3"),
        (
            llmc_console, "step 7/9 | loss 2.5 | norm n/a | lr off | 9.0 ms | 3 GPUs",
            {"train_loss": 2.5, "dt_ms": 9.0}, "3 GPUs",
        ),
    ],
)  # fmt: skip
def test_what_a_line_says_and_nobody_reads_is_told(
    read: Reader, form: Format, line: str, values: dict[str, float], unread: str
) -> None:
    """And makes no wrong number."""
    (parsed,) = read(form, {"a.log": line + "\n"})
    assert joined(parsed).history.loc[7].to_dict() == values
    assert f"1 part of lines that tell of a step was not read: '{unread}'." in said(parsed)


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        (nanogpt_console, ("iter 7: loss 2.5", "iter 8: loss None, time 3ms")),
        (nanochat_console, ("step 7 | loss: 2.5", "step 8 | loss: None")),
        (verl_console, ("step:7 - loss:2.5", "step:8 - loss:None")),
        (modded_nanogpt, ("step:7/9 loss:2.5", "step:8/9 loss:None")),
    ],
)
def test_a_line_that_gives_no_row_is_told(
    read: Reader, form: Format, lines: tuple[str, str]
) -> None:
    (parsed,) = read(form, {"a.log": "\n".join([*lines, ""])})
    assert joined(parsed).history.index.tolist() == [7]
    assert "a.log:2: 1 part of lines that tell of a step was not read" in said(parsed)


def test_words_between_the_numbers_say_no_value(read: Reader) -> None:
    """They are passed over as other lines are."""
    (parsed,) = read(nanogpt_console, {"a.log": "iter 7: loss 2.5, saved to a.pt\n"})
    assert parsed.problems == ()


def test_a_logger_of_evaluations_tells_of_them(read: Reader) -> None:
    """Its name says the same as those of its metrics, which take no place of another."""
    log = "".join(
        f"INFO:train:iter {step}: loss {step}.5\n"
        f"INFO:eval:step {step}: train loss 2.0, val loss 3.0\n"
        f"INFO:eval:iter {step}: loss 9.0\n"
        for step in (0, 10)
    )
    (parsed,) = read(nanogpt_console, {"a.log": log})
    found = joined(parsed).history
    assert found["loss"].to_dict() == {0: 0.5, 10: 10.5}
    assert found["val_loss"].to_dict() == {0: 3.0, 10: 3.0}
    assert BEHIND in said(parsed)
