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
