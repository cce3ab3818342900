"""Steps of consoles that begin anew with each epoch."""

from __future__ import annotations

import pytest

from viz3d.formats import modded_nanogpt, nanochat_console, nanogpt_console
from viz3d.formats.base import Format

from .conftest import Reader, joined, said


def epochs(line: str, n: int = 3) -> str:
    rows = ((epoch, step) for epoch in range(n) for step in (0, 10, 20))
    return "".join(line.format(step=step, epoch=e, loss=3 - e - step / 100) for e, step in rows)


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (nanogpt_console, "iter {step}, epoch {epoch}, loss: {loss}\n"),
        (nanochat_console, "step {step} | loss: {loss} | epoch: {epoch}\n"),
        (modded_nanogpt, "step:{step}/30 epoch:{epoch} loss:{loss}\n"),
    ],
)
def test_steps_that_begin_anew_with_each_epoch_are_no_runs(
    read: Reader, form: Format, line: str
) -> None:
    """Nor restarts; how many steps an epoch has is not known, so the rows are numbered."""
    (parsed,) = read(form, {"a.log": epochs(line)})
    found = joined(parsed)
    assert found.history.index.tolist() == [*range(9)]
    assert found.history["loss"].round(2).tolist() == [3, 2.9, 2.8, 2, 1.9, 1.8, 1, 0.9, 0.8]
    assert found.history["step_of_epoch"].tolist() == [0, 10, 20] * 3
    assert found.restarts == 0
    assert "The steps begin anew 2 times where an epoch begins" in said(parsed)
    assert "the rows were numbered from 0" in said(parsed)
    first, second = read(form, {"a.log": epochs(line) * 2})
    assert len(joined(first).history) == len(joined(second).history) == 9


def test_a_restart_may_begin_another_epoch(read: Reader) -> None:
    steps = [(50 * n, 0) for n in range(9)] + [(50 * n, 1) for n in range(6, 12)]
    log = "".join(f"iter {step}, epoch {epoch}, loss: 3\n" for step, epoch in steps)
    (parsed,) = read(nanogpt_console, {"a.log": log})
    assert joined(parsed).history.index.tolist() == [*range(0, 600, 50)]
    assert joined(parsed).restarts == 1


def test_an_epoch_in_two_lines_of_the_first_step_is_no_new_run(read: Reader) -> None:
    log = "step:0/9 epoch:0 val_loss:11\nstep:0/9 epoch:{} loss:11\nstep:1/9 epoch:1 loss:10\n"
    for epoch in (0, 1):
        (parsed,) = read(modded_nanogpt, {"a.log": log.format(epoch)})
        assert joined(parsed).history.index.tolist() == [0, 1]


def test_one_line_of_each_epoch_is_no_run(read: Reader) -> None:
    log = "".join(f"iter 0, epoch {epoch}, loss: {3 - epoch}\n" for epoch in range(3))
    (parsed,) = read(nanogpt_console, {"a.log": log})
    assert joined(parsed).history["loss"].tolist() == [3, 2, 1]


def test_a_step_that_goes_on_beside_that_of_the_epoch_counts(read: Reader) -> None:
    line = "iter {step}, epoch {epoch}, global_step {all}, loss: {loss}\n"
    log = "".join(
        line.format(step=at % 3, epoch=at // 3, all=at * 5, loss=3 - at / 9) for at in range(9)
    )
    (parsed,) = read(nanogpt_console, {"a.log": log})
    assert joined(parsed).history.index.tolist() == [*range(0, 45, 5)]


def test_steps_that_go_on_through_the_epochs_count(read: Reader) -> None:
    """What is measured behind an epoch stands at its last step; a restart sends both back."""
    lines = [f"iter {at}, epoch {at // 3}, loss: 3\n" for at in (*range(7), *range(4, 9))]
    lines[3:3] = ["iter 2, epoch 1, val loss: 4\n"]
    (parsed,) = read(nanogpt_console, {"a.log": "".join(lines)})
    assert joined(parsed).history.index.tolist() == [*range(9)]
    assert joined(parsed).restarts == 1
