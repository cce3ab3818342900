"""Curves of runs with steps of different sizes, along what they logged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.analysis.roles import recognise
from viz3d.errors import BadArgument, ChartError
from viz3d.figures.curves import chart
from viz3d.run import Run


def run(name: str, n: int, each: float | None, **more: list[float]) -> Run:
    """A loss that falls with the tokens, which are logged where `each` says how many a step has."""
    steps = np.arange(n)
    tokens = steps * (each or 10.0)
    columns = {"loss": 4.0 - tokens / 1000, **more}
    columns |= {"total_tokens": tokens} if each else {}
    frame = pd.DataFrame(columns, index=pd.Index(steps, name="step"), dtype=float)
    return Run(name, "s", frame, roles=recognise(list(columns), frame), digest=name)


def test_runs_with_other_steps_meet_along_their_tokens() -> None:
    """By step the large batches look better, by tokens both runs lie on one line."""
    small, large = run("small", 101, 10.0), run("large", 51, 20.0)
    by_step = chart([small, large]).table
    assert by_step["loss at step 50"].tolist() == [3.5, 3.0]
    by_tokens = chart([small, large], along="tokens")
    assert by_tokens.table["loss at 1,000 tokens"].tolist() == [3.0, 3.0]
    one, other = by_tokens.flat.data
    assert float(one.x[-1]) == float(other.x[-1]) == 1000.0
    assert by_tokens.numbers["common"] == 1000.0
    assert by_tokens.flat.layout.xaxis.title.text == "tokens"


def test_a_run_that_did_not_log_the_axis_is_named_and_left_out() -> None:
    """Its tokens are not made up, and the others are drawn all the same."""
    made = chart([run("with", 20, 10.0), run("without", 20, None)], along="tokens")
    assert [trace.name for trace in made.flat.data] == ["with"]
    assert "without was left out. It did not log tokens." in made.notes
    assert made.numbers["left_out"] == ["without"]
    with pytest.raises(ChartError, match="without: It did not log tokens"):
        chart([run("without", 20, None)], along="tokens")
    with pytest.raises(BadArgument, match="choose one of: step, tokens, flops, time"):
        chart([run("with", 20, 10.0)], along="epochs")


def test_values_without_a_place_are_counted_and_not_moved() -> None:
    """Where no tokens were logged there is no point: no neighbour's tokens are taken."""
    one = run("a", 10, 10.0)
    one.history.loc[[3, 7], "total_tokens"] = np.nan
    made = chart([one], along="tokens")
    assert made.table["points"].tolist() == [8]
    assert any(
        "2 values at steps whose place along the axis was not logged" in n for n in made.notes
    )
    assert made.data()["step"].tolist() == [0, 1, 2, 4, 5, 6, 8, 9]
    assert made.data()["tokens"].tolist() == [0.0, 10, 20, 40, 50, 60, 80, 90]


def test_a_metric_without_a_place_anywhere_is_not_called_missing() -> None:
    """It was logged and so were tokens, at other steps."""
    apart = run("apart", 10, 10.0)
    apart.history.loc[::2, "total_tokens"] = np.nan
    apart.history.loc[1::2, "loss"] = np.nan
    made = chart([run("whole", 10, 10.0), apart], along="tokens")
    assert "Left out, for want of a finite value with a place on the axis: apart." in made.summary
    assert "apart was left out. It has no finite loss at a step whose" in " ".join(made.notes)


def test_a_long_history_stays_small_and_says_so() -> None:
    """The picture holds a budget of points with every extreme; the table holds all."""
    one = run("a", 200_000, 10.0)
    one.history.loc[77_777, "loss"] = 99.0
    made = chart([one], along="tokens")
    (trace,) = made.flat.data
    assert len(trace.x) <= 2_000
    assert 99.0 in np.asarray(trace.y)
    assert "of 200,000 points, every extreme kept" in made.notes[-1]
    assert len(made.data()) == 200_000
