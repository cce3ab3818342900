"""Which column is the step, and what is told of rows and metrics that have none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from viz3d.formats import jsonl
from viz3d.formats.tally import Tally
from viz3d.formats.wandb_rows import WandbRows, to_log

from .conftest import Reader, joined, said


def lines(rows: list[dict[str, Any]]) -> str:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_metric_that_goes_with_the_rows_without_a_step_is_named() -> None:
    """W&B's count of calls stands in every row, and the step of the program in most."""
    tally = Tally("f")
    rows = WandbRows(tally)
    for n in range(12):
        own = {"val/acc": n, "loss": 1.0} if n % 4 == 3 else {"global_step": 10 * n, "loss": 1.0}
        rows.add({"_step": n, **own})
    log = to_log(rows.table(), tally)
    assert set(log.columns) == {"loss"}
    told = [problem.what for problem in tally.problems()]
    assert told == [
        "3 rows without a whole number as 'global_step' were left out.",
        "1 metric is missing, since no row with a step has it (val/acc).",
    ]


@pytest.mark.parametrize("other", ["_step", "epoch"])
def test_a_step_that_most_rows_lack_is_told(read: Reader, other: str) -> None:
    """It would cost them all, so another column is the step."""
    rows = [{other: n, **({"step": 10 * n, "loss": 1} if n % 3 == 0 else {})} for n in range(9)]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    assert joined(parsed).history.index.tolist() == list(range(9))
    told = f"1 column that is called like a step has no whole number in most rows (step): {other!r}"
    assert f"{told} was taken." in said(parsed)


def test_numbered_rows_tell_of_a_step_that_most_lack_too(read: Reader) -> None:
    """Nothing is taken in its place."""
    (parsed,) = read(
        jsonl, {"a.jsonl": lines([{"step": 1}, {"loss": 1}, {"loss": 2, "iter": 0.5}])}
    )
    text = said(parsed)
    assert (
        "2 columns that are called like a step have no whole number in most rows (step, iter)."
        in text
    )
    assert "the rows were numbered from 0" in text


def test_a_step_that_may_be_the_next_one_is_none(read: Reader) -> None:
    """Beside a number with a point, 2**53 and the whole number behind it become one."""
    for steps, kept in (("4.0", [4]), ("4", [4, 2**53 + 1])):
        row = f'{{"step": {2**53 + 1}, "loss": 2}}\n{{"step": {steps}, "loss": 3}}\n'
        (parsed,) = read(jsonl, {"a.jsonl": row})
        assert joined(parsed).history.index.tolist() == kept
        assert ("1 row without a whole number" in said(parsed)) == (len(kept) == 1)


def test_a_step_of_the_epoch_gives_way_to_that_of_the_training(read: Reader) -> None:
    """The rows of an epoch supersede none of those before."""
    rows = [{"epoch": n // 5, "step": n % 5, "global_step": 10 * n, "loss": n} for n in range(15)]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    found = joined(parsed)
    assert found.history["loss"].to_dict() == {10 * n: n for n in range(15)}
    assert found.restarts == 0
    assert parsed.rows is not None
    assert parsed.rows.counted_by == "global_step"
    assert (
        "1 column of steps begins anew (step) where another one goes on: 'global_step' was"
        in said(parsed)
    )


@pytest.mark.parametrize(
    "other", [{"_step": 1}, {"global_step": 0}, {"iter": 0.25}, {"iteration": -1}, {"epoch": 0}]
)
def test_a_restart_is_none_of_epochs(read: Reader, other: dict[str, float]) -> None:
    """A clock goes on after one; what stands still, goes back or is no whole number is no step."""
    ((name, slope),) = other.items()
    rows = [
        {"step": step, name: slope * n, "loss": n}
        for n, step in enumerate([*range(8), *range(5, 9)])
    ]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    found = joined(parsed)
    assert found.restarts == 1
    assert found.history["loss"].tolist() == [*range(5), *range(8, 12)]
    assert "anew" not in said(parsed)


def test_a_count_of_less_than_the_steps_takes_no_place(read: Reader) -> None:
    """Rows of one iteration would supersede each other."""
    some = [{"step": n % 3, "iteration": n // 3, "loss": n} for n in range(9)]
    apart = [{"step": n % 3} if n < 5 else {"iter": n} for n in range(10)]
    for rows in (some, apart):
        (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
        assert parsed.rows is not None
        assert parsed.rows.counted_by == "step"


@pytest.mark.parametrize("late", [False, True], ids=["restart", "late row"])
def test_a_restart_may_begin_another_epoch(read: Reader, late: bool) -> None:
    """Where the step does not go back to where the log began, it is that of the training."""
    before = [{"epoch": 0, "step": 50 * n, "loss": n} for n in range(25)]
    back = [{"epoch": 1, "step": 950, "val": 1}] if late else []
    after = [{"epoch": 1, "step": 50 * n, "loss": n} for n in range(25 if late else 20, 30)]
    (parsed,) = read(jsonl, {"a.jsonl": lines(before + back + after)})
    found = joined(parsed)
    assert found.history.index.tolist() == [*range(0, 1500, 50)]
    assert found.history["loss"].tolist() == [*range(30)]
    assert found.restarts == (0 if late else 1)


def test_a_step_of_the_epoch_alone_is_no_step(read: Reader) -> None:
    """Nothing says how many an epoch has, so the rows are numbered; a restart is seen as one."""
    rows = [{"epoch": n // 5, "iter": n % 5, "loss": n} for n in range(15)]
    infinite = {"epoch": float("inf"), "iter": 1}
    (parsed,) = read(jsonl, {"a.jsonl": lines([*rows, {"epoch": 2, "val": 1}, infinite, infinite])})
    assert joined(parsed).history["loss"].dropna().tolist() == [*range(15)]
    assert parsed.rows is not None
    assert parsed.rows.counted_by == ""
    assert "1 column of steps begins anew with each epoch (iter), so the rows" in said(parsed)
    (parsed,) = read(jsonl, {"a.jsonl": lines([*rows, {"epoch": 2, "iter": 2, "loss": 7}])})
    assert joined(parsed).restarts > 0


def test_a_restart_shows_among_steps_of_the_epoch(read: Reader) -> None:
    """Epoch and step go back to where an earlier attempt was, and take its place."""
    tries = [*range(18), *range(15, 27), *range(20, 24), *range(22, 35)]
    rows = [{"epoch": at // 5, "iter": at % 5, "loss": n} for n, at in enumerate(tries)]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    found = joined(parsed)
    assert found.restarts == 3
    assert found.history["loss"].tolist() == [*range(15), *range(18, 23), 30, 31, *range(34, 47)]
    assert len(found.attempts) == len(tries) - 35
    assert "1 column of steps begins anew with each epoch (iter)" in said(parsed)


def test_an_evaluation_may_count_steps_of_its_own(read: Reader) -> None:
    """MMDetection's rows have the iterations of the evaluation, and its learning rate."""
    rows = []
    for epoch in (1, 2, 3):
        train = range(50, 501, 50)
        rows += [{"epoch": epoch, "iter": at, "lr": 0.1, "loss": epoch + at} for at in train]
        rows += [{"epoch": epoch, "iter": 250, "lr": 0.1, "mAP": epoch}] if epoch < 3 else []
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    found = joined(parsed)
    assert found.restarts == 0
    assert found.history["mAP"].dropna().to_dict() == {10: 1, 21: 2}
    assert found.history["loss"].dropna().tolist() == [row["loss"] for row in rows if "loss" in row]


def test_rows_that_take_turns_within_the_epoch_are_in_no_order_of_it(read: Reader) -> None:
    """Of a training and an evaluation that log the same none is an earlier attempt of the epoch."""
    rows = [
        {"epoch": epoch, "iter": at, "loss": at}
        for epoch in (1, 2, 3)
        for at in (*range(50, 501, 50), *range(50, 151, 50))
    ]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    assert parsed.rows is not None
    assert parsed.rows.counted_by == "iter"


@pytest.mark.parametrize("first", [0, 1])
def test_a_fraction_of_the_epoch_has_steps_of_its_own(read: Reader, first: int) -> None:
    """The epoch goes on with each step; it is whole where one begins, or where one ends."""
    rows = [{"epoch": (n + first) / 4, "iter": n % 4 + first, "loss": n} for n in range(12)]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    assert joined(parsed).history["loss"].tolist() == [*range(12)]
    assert "begins anew with each epoch (iter), so the rows were numbered" in said(parsed)


@pytest.mark.parametrize(
    ("rows", "counted_by"),
    [
        ([{"timesteps_total": 4000 * n, "training_iteration": n} for n in range(9)],
         "timesteps_total"),
        ([{"timesteps_total": 0, "training_iteration": n} for n in range(9)],
         "training_iteration"),
        ([{"training_iteration": 5}], "training_iteration"),
        ([{"training_iteration": n, "epoch": n // 2} for n in range(9)], "epoch"),
        ([{"training_iteration": n} for n in (*range(6), *range(3, 9))], "training_iteration"),
        ([{"training_iteration": 1} for _ in range(9)], ""),
        ([{"training_iteration": n // 2} for n in range(9)], ""),
        ([{"timesteps_total": n // 5} for n in range(20)], ""),
    ],
)  # fmt: skip
def test_a_count_of_ray_is_the_step_where_it_rises(
    read: Reader, rows: list[dict[str, int]], counted_by: str
) -> None:
    """What stands still in most rows is a metric like others, and costs none of them."""
    rows = [{**row, "loss": n} for n, row in enumerate(rows)]
    (parsed,) = read(jsonl, {"a.jsonl": lines(rows)})
    found = joined(parsed)
    assert parsed.rows is not None
    assert parsed.rows.counted_by == counted_by
    if not counted_by:
        assert found.history["loss"].tolist() == [*range(len(rows))]
        (name,) = {*rows[0]} - {"loss"}
        assert found.history[name].tolist() == [row[name] for row in rows]
    else:
        last = {row[counted_by]: row["loss"] for row in rows}
        assert found.history["loss"].to_dict() == last
    assert "no whole number" not in said(parsed)
