"""Processes that print to one console."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from viz3d.formats import llmc_console, nanogpt_console
from viz3d.formats.base import Format

from .conftest import Reader, joined, said
from .test_console_lines import consoles

OF_OTHERS = "of other processes that print the same"
labels = pytest.mark.parametrize(
    "label", ["[rank{}] ", "[rank{}]: ", "[default{}]:", "[{}] ", "[1,{}]<stdout>:", "{}: ",
              "{}: 2025-01-01 12:00:00 - INFO - ", "{}: 12:00:00 ", "(Trainer pid={}) ",
              "(Trainer pid={}, ip=10.0.0.1) ", "[12:00:00] [rank{}]: ",
              "2025-01-01 12:00:00,123 - 400{} - INFO - ",
              "I0101 12:00:00.123456   400{} train.py:42] "],
)  # fmt: skip


@consoles
@labels
def test_one_of_those_that_print_beside_each_other_is_read(
    read: Reader, form: Format, line: str, label: str
) -> None:
    """The first; in whatever order they come to a step, and though one is behind."""
    one, two = (
        [label.format(rank) + line.format(step=step, loss=rank + 2.5) + "\n" for step in range(9)]
        for rank in (0, 1)
    )
    in_turn = "".join(map("".join, zip(one, two, strict=True)))
    behind = one[0] + "".join(map("".join, zip(one[1:], two, strict=False))) + two[-1]
    for log in (in_turn, behind, "".join(map("".join, zip(two, one, strict=True)))):
        (parsed,) = read(form, {"a.log": log})
        found = joined(parsed)
        assert found.restarts == 0
        loss = next(name for name in found.history if name.endswith("loss"))
        assert found.history[loss].tolist() == [2.5] * 9
        assert f"9 lines {OF_OTHERS} were left out" in said(parsed)


@labels
def test_those_that_follow_each_other_are_one_run(read: Reader, label: str) -> None:
    """As a job that goes on elsewhere, and goes on there where it was at first."""
    back, on = ((0, 3, 9), (1, 7, 12)), ((0, 7, 12),)
    for more in (back, on):
        log = "".join(
            f"{label.format(rank)}iter {step}: loss 2.5\n"
            for rank, first, end in ((0, 0, 6), (1, 4, 9), *more)
            for step in range(first, end)
        )
        (parsed,) = read(nanogpt_console, {"a.log": log})
        assert joined(parsed).history.index.tolist() == [*range(12)]
        assert joined(parsed).restarts == 1 + len(more)
        assert OF_OTHERS not in said(parsed)


def blocks(*parts: tuple[int, Sequence[int]]) -> str:
    """Lines of processes, of each some together; a loss tells whose it is."""
    return "".join(
        f"[rank{rank}]: iter {step}: loss {rank + step / 100}\n"
        for rank, steps in parts
        for step in steps
    )


@pytest.mark.parametrize("last", [[], [(0, range(60, 80)), (1, range(70, 90))]])
def test_attempts_in_turn_are_one_run(read: Reader, last: list[tuple[int, range]]) -> None:
    """Each lacks what the other one did meanwhile, though one may go on where it was broken off."""
    parts = [(0, range(30)), (1, range(20, 45)), (0, range(40, 60)), (1, range(50, 70)), *last]
    (parsed,) = read(nanogpt_console, {"a.log": blocks(*parts)})
    found = joined(parsed)
    wanted = {step: rank + step / 100 for rank, steps in parts for step in steps}
    assert found.history["loss"].to_dict() == wanted
    assert found.restarts == len(parts) - 1
    assert OF_OTHERS not in said(parsed)


@pytest.mark.parametrize(
    "parts",
    [
        [(rank, range(at, at + 10)) for at in range(0, 40, 10) for rank in (0, 1)],
        [(rank, range(at, at + 1)) for at in range(40) for rank in (0, 1)[: 2 - (at % 5 > 0)]],
        [(rank, [at]) for n in range(20) for at in (n * 10, n * 10 + 9) for rank in (0, 1)],
    ],
    ids=["printed in blocks", "seldom", "in uneven steps"],
)
def test_however_they_take_turns_the_first_is_read(
    read: Reader, parts: list[tuple[int, Sequence[int]]]
) -> None:
    (parsed,) = read(nanogpt_console, {"a.log": blocks(*parts)})
    found = joined(parsed)
    wanted = {step: step / 100 for rank, steps in parts for step in steps if rank == 0}
    assert found.history["loss"].to_dict() == wanted
    assert found.restarts == 0
    assert f"{sum(len(steps) for rank, steps in parts if rank)} lines {OF_OTHERS}" in said(parsed)


def test_other_metrics_of_another_process_are_read(read: Reader) -> None:
    log = "".join(
        f"[rank0]: iter {i}: loss 2.5\n[rank1]: iter {i}: val loss 2.6\n" for i in range(5)
    )
    (parsed,) = read(nanogpt_console, {"a.log": log})
    assert joined(parsed).history.shape == (5, 2)
    assert OF_OTHERS not in said(parsed)


def test_their_evaluations_are_left_out_too(read: Reader) -> None:
    log = "".join(
        f"[rank{rank}]: step {i}/9 | loss 2.5 | 9.0 ms\n[rank{rank}]: val loss 3.{rank}\n"
        for i in range(1, 5)
        for rank in (0, 1)
    )
    (parsed,) = read(llmc_console, {"a.log": log})
    assert joined(parsed).history["val_loss"].tolist() == [3.0] * 4
    assert f"8 lines {OF_OTHERS} were left out ([rank1])" in said(parsed)
