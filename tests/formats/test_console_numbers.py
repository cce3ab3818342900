"""Numbers that consoles print: commas part thousands, or nothing that can be told."""

from __future__ import annotations

import math

import pytest

from viz3d.formats import (
    llmc_console,
    modded_nanogpt,
    nanochat_console,
    nanogpt_console,
    verl_console,
)
from viz3d.formats.base import Format
from viz3d.formats.printed_numbers import number

from .conftest import Reader, joined, said
from .test_console_lines import consoles

LEFT_OUT = "with a comma that parts no thousands"


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("1,234", 1234), ("-12,345,678.5", -12345678.5), ("999", 999), ("4.", 4), (".5e3", 500),
        ("1e-3", 0.001), ("3,", 3), ("1,234,", 1234), ("-inf", -math.inf),
        ("4,21", None), ("0,210", None), ("1,2345", None), ("1234,567", None), ("1,,234", None),
        ("1,234,5", None), ("3,5e-4", None),
    ],
)  # fmt: skip
def test_a_comma_that_parts_no_thousands_makes_no_number(
    printed: str, wanted: float | None
) -> None:
    assert number(printed) == wanted


@pytest.mark.parametrize(
    ("form", "log"),
    [
        (nanogpt_console, "iter 3: loss 1.0, loss 2.0\n"),
        (nanochat_console, "step 00003/00010 (0.00%) | loss: 1.0 | loss: 2.0 | lrm: 1.0\n"),
        (verl_console, "step:3 - loss:1.0 - loss:2.0\n"),
        (modded_nanogpt, "step:3/5100 loss:1.0 loss:2.0\n"),
    ],
)
def test_what_stands_twice_in_a_line_is_told(read: Reader, form: Format, log: str) -> None:
    parsed = read(form, {"a.log": log})[0]
    assert joined(parsed).history["loss"].to_dict() == {3: 2.0}
    assert "1 metric stood twice in a line, the last one was kept (loss)" in said(parsed)


@pytest.mark.parametrize(
    ("form", "log", "wanted", "names"),
    [
        (nanogpt_console, "iter 0: loss 4,21, time 84.20ms\n", {"dt_ms": 84.2}, "loss"),
        (
            nanochat_console,
            "step 00000/00010 (0.00%) | loss: 4,211 | dt: 3,21ms | tok/sec: 1,234 | lrm: 1.0\n",
            {"lrm": 1.0}, "loss, dt_ms, tok/sec",
        ),
        (
            nanochat_console,
            "Step 1/9 | Example step 0 | Pass 0 | loss: 0,5 | average reward: 0.25\n" * 2,
            {"average_reward": 0.25}, "loss",
        ),
        (verl_console, "step:1 - actor/lr:0.5 - time:1,5\n", {"actor/lr": 0.5}, "time"),
        (
            modded_nanogpt, "step:1/5100 train_loss:0.5 train_time:12,5ms\n",
            {"train_loss": 0.5}, "train_time_ms",
        ),
        (
            llmc_console,
            "step 1/9 | loss 3.5 (+nanz)| norm 2,15 (+nanz)| lr 1.0e-04 | 90.10 ms | 1,234 tok/s\n",
            {"train_loss": 3.5, "lr": 1e-4, "dt_ms": 90.1}, "norm, tok/s",
        ),
    ],
)  # fmt: skip
def test_each_console_tells_of_it(
    read: Reader, form: Format, log: str, wanted: dict[str, float], names: str
) -> None:
    """A decimal comma would be a hundred times too much; numbers without a comma are kept."""
    parsed = read(form, {"a.log": log})[0]
    history = joined(parsed).history
    found = {metric: history[metric].iloc[0] for metric in history if metric in wanted}
    assert found == wanted
    assert not {*names.split(", ")} & {*history}
    assert LEFT_OUT in said(parsed)
    assert f"({names})" in said(parsed)


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (nanogpt_console, "iter {step}: loss {loss}, time 84.20ms"),
        (nanochat_console, "step {step:05}/00010 (0.00%) | loss: {loss} | lrm: 1.0"),
        (verl_console, "step:{step} - loss:{loss} - time:1.0"),
        (modded_nanogpt, "step:{step}/5100 loss:{loss} lr:1.0"),
        (llmc_console, "step {step}/9 | loss {loss} | norm 2.0 | 90.10 ms"),
    ],
)
def test_commas_of_a_file_all_mean_the_same(read: Reader, form: Format, line: str) -> None:
    """Beside 4,2134 a loss of 4,213 is not 4213, wherever it stands."""

    def log(*losses: str) -> dict[str, str]:
        lines = [line.format(step=step, loss=loss) for step, loss in enumerate(losses, 1)]
        return {"a.log": "\n".join([*lines, ""])}

    mixed = read(form, log("4,213", "4,2134", "3,999", "1.5"))[0]
    (loss,) = (name for name in joined(mixed).history if "loss" in name)
    assert joined(mixed).history[loss].dropna().to_list() == [1.5]
    assert len(joined(mixed).history) == 4
    assert f"3 numbers {LEFT_OUT} were left out ({loss})" in said(mixed)
    parted = read(form, log("4,213", "3,999"))[0]
    assert joined(parted).history[loss].to_list() == [4213, 3999]
    assert LEFT_OUT not in said(parted)


@consoles
def test_the_place_in_the_code_that_rich_prints_is_no_part_of_a_line(
    read: Reader, form: Format, line: str
) -> None:
    lines = [f"[12:00:00] INFO     {line.format(step=step, loss=step + 0.5)}" for step in (1, 2, 3)]
    (parsed,) = read(form, {"a.log": "".join(f"{one:<90}  src/train.py:42\n" for one in lines)})
    (bare,) = read(form, {"a.log": "\n".join([*lines, ""])})
    assert joined(parsed).history.equals(joined(bare).history)
    loss = next(name for name in joined(parsed).history if str(name).endswith("loss"))
    assert joined(parsed).history[loss].to_dict() == {1: 1.5, 2: 2.5, 3: 3.5}
    assert parsed.problems == bare.problems


def test_an_evaluation_may_have_it_behind(read: Reader) -> None:
    lines = ("val loss 3.25   train.py:7", "step 1/9 | loss 3.5 | 90.10 ms       train.py:9", "")
    (parsed,) = read(llmc_console, {"a.log": "\n".join(lines)})
    assert joined(parsed).history["val_loss"].dropna().to_dict() == {0: 3.25}
    assert parsed.problems == ()
