"""Rows of a log, joined on the logged step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.formats.joining import Joined, join_rows
from viz3d.formats.merge import merge
from viz3d.formats.rows import Cells, Rows
from viz3d.formats.tally import Tally

Record = tuple[int, dict[str, float]]


def rows(records: list[Record]) -> Rows:
    """Return records as rows of a log."""
    metrics = list(dict.fromkeys(metric for _, values in records for metric in values))
    columns = {}
    for metric in metrics:
        at = [row for row, (_, values) in enumerate(records) if metric in values]
        columns[metric] = Cells(np.array(at), np.array([records[row][1][metric] for row in at]))
    return Rows(np.array([step for step, _ in records], dtype=np.int64), columns)


def log(steps: list[int], metric: str = "loss") -> list[Record]:
    """Return one value per step, each of them another one."""
    return [(step, {metric: float(row)}) for row, step in enumerate(steps)]


def told(joined: Joined) -> str:
    tally = Tally("f")
    joined.tell(tally)
    return " ".join(problem.what for problem in tally.problems())


def test_rows_of_one_step_are_joined() -> None:
    """Training and evaluation logged in two calls stand in one row, and a gap stays a gap."""
    joined = join_rows(rows([(0, {"loss": 3.0}), (0, {"val": 2.9}), (1, {"loss": 2.5})]))
    assert joined.history.index.tolist() == [0, 1]
    assert joined.history["loss"].tolist() == [3.0, 2.5]
    assert joined.history["val"].iloc[0] == 2.9
    assert math.isnan(joined.history["val"].iloc[1])
    assert joined.replaced == 0


def test_the_later_value_of_a_step_is_kept_and_counted() -> None:
    """The same metric twice at one step keeps the later value; an equal one is no loss."""
    joined = join_rows(
        rows([(0, {"a": 1.0, "b": 7.0}), (0, {"a": 2.0, "b": 7.0}), (1, {"a": 3.0})])
    )
    assert joined.history["a"].tolist() == [2.0, 3.0]
    assert joined.replaced == 1
    assert "1 value was logged again" in told(joined)


def test_the_clock_may_go_on_within_a_step() -> None:
    """Two rows of one step were written at two times; nothing is lost by that."""
    joined = join_rows(rows([(0, {"a": 1.0, "time": 10.0}), (0, {"b": 2.0, "time": 10.5})]))
    assert joined.history["time"].tolist() == [10.5]
    assert joined.replaced == 0


def test_a_restart_supersedes_what_it_repeats() -> None:
    """After a restart at step 3 the newest rows count, and the old ones are kept aside."""
    joined = join_rows(rows(log([0, 1, 2, 3, 4, 5, 3, 4, 5, 6])))
    assert joined.history["loss"].to_dict() == {0: 0, 1: 1, 2: 2, 3: 6, 4: 7, 5: 8, 6: 9}
    assert joined.attempts["attempt"].tolist() == [1, 1, 1]
    assert joined.attempts["step"].tolist() == [3, 4, 5]
    assert joined.attempts["loss"].tolist() == [3.0, 4.0, 5.0]
    assert joined.replaced == 0
    assert "go back once" in told(joined)
    assert "3 rows of earlier attempts were superseded" in told(joined)


def test_a_restart_between_logged_steps_supersedes_too() -> None:
    """A restart drops rows beyond its first step even where it logs none of those steps again."""
    joined = join_rows(rows(log([0, 10, 20, 30, 40, 50, 25, 35])))
    assert joined.history.index.tolist() == [0, 10, 20, 25, 35]
    assert joined.attempts["step"].tolist() == [30, 40, 50]


def test_three_attempts_supersede_one_another() -> None:
    """A later restart that goes further back supersedes rows of all attempts before it."""
    joined = join_rows(rows(log([0, 1, 2, 3, 4, 5, 4, 5, 6, 7, 2, 3, 4])))
    assert joined.history["loss"].to_dict() == {0: 0, 1: 1, 2: 10, 3: 11, 4: 12}
    assert joined.restarts == 2
    assert joined.attempts["attempt"].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]


def test_steps_far_apart_are_no_restart() -> None:
    """Their difference does not fit into 64 bits."""
    joined = join_rows(rows(log([-(2**63) + 1, 5])))
    assert joined.history["loss"].tolist() == [0.0, 1.0]
    assert told(joined) == ""


def test_a_late_evaluation_is_no_restart() -> None:
    """A row of another metric, logged for a step that training has passed, is joined to it."""
    records = [(step, {"loss": 1.0}) for step in range(12)]
    records.insert(11, (8, {"val": 0.5}))
    records.insert(8, (4, {"val": 0.7}))
    joined = join_rows(rows(records))
    assert joined.restarts == 0
    assert len(joined.attempts) == 0
    assert joined.history["val"].dropna().to_dict() == {4: 0.7, 8: 0.5}


def test_a_late_row_that_carries_a_clock_is_no_restart() -> None:
    """A logger stamps every row: that the clock was logged beyond is no sign of a restart."""
    records = [(step, {"loss": 1.0, "time": 10.0 + step}) for step in range(10)]
    joined = join_rows(rows([*records, (4, {"val": 0.5, "time": 30.0})]))
    assert joined.restarts == joined.replaced == 0
    assert joined.history["val"].dropna().to_dict() == {4: 0.5}
    assert joined.history["loss"].tolist() == [1.0] * 10


@pytest.mark.parametrize("shared", ["epoch", "timestamp", "wall_time", "global_step"])
def test_what_stands_in_every_row_is_no_evidence_of_a_restart(shared: str) -> None:
    """A late evaluation costs no loss because it tells its epoch; a restart is still seen."""
    train = [(step, {shared: step // 4, "loss": float(step)}) for step in range(12)]
    joined = join_rows(rows([*train, (5, {shared: 13, "val": 9.0}), *log([12, 13])]))
    assert joined.history["loss"].tolist() == [float(step) for step in range(12)] + [0.0, 1.0]
    assert joined.history["val"].dropna().to_dict() == {5: 9.0}
    assert joined.restarts == 0
    assert join_rows(rows([*train, (5, {shared: 1, "loss": 9.0}), *log([6])])).restarts == 1


def test_a_late_evaluation_after_a_restart_is_no_second_restart() -> None:
    """What the first attempt logged beyond the restart does not make a late row a restart."""
    first = [(step, {"loss": 1.0}) for step in range(10)] + [(9, {"val": 0.1})]
    again = [(step, {"loss": 2.0}) for step in range(5, 9)]
    joined = join_rows(rows([*first, *again, (6, {"val": 0.2}), (9, {"loss": 2.0})]))
    assert joined.restarts == 1
    assert joined.history["loss"].tolist() == [1.0] * 5 + [2.0] * 5
    assert joined.history["val"].dropna().to_dict() == {6: 0.2}


@pytest.mark.parametrize("steps", [[5, 4, 3, 2, 1], [2, 1], [3, 9, 1, 7, 0, 8, 2, 6, 4, 5]])
def test_a_log_without_order_is_sorted(steps: list[int]) -> None:
    """A descending or shuffled file loses nothing to attempts that never were."""
    joined = join_rows(rows(log(steps)))
    assert joined.history["loss"].to_dict() == {step: row for row, step in enumerate(steps)}
    assert joined.history.index.is_monotonic_increasing
    assert len(joined.attempts) == 0
    assert "in no order" in told(joined)


def test_values_that_are_not_finite_are_kept_as_facts() -> None:
    """NaN and infinity that were logged are told apart from gaps."""
    joined = join_rows(
        rows([(0, {"a": math.nan}), (1, {"b": 1.0}), (2, {"a": math.inf}), (3, {"a": 2.0})])
    )
    assert joined.nonfinite["step"].tolist() == [0, 2]
    assert joined.nonfinite["metric"].tolist() == ["a", "a"]
    assert math.isnan(joined.nonfinite["value"].iloc[0])
    assert joined.history["a"].iloc[2] == math.inf


def test_a_finite_value_logged_later_replaces_a_nan() -> None:
    """What a later row or attempt put right is no NaN of the run any more, and the reverse."""
    joined = join_rows(rows([(0, {"a": math.nan, "b": 1.0}), (0, {"a": 1.0, "b": math.nan})]))
    assert joined.nonfinite["metric"].tolist() == ["b"]
    assert joined.history["a"].tolist() == [1.0]
    assert math.isnan(joined.history["b"].iloc[0])


def test_nan_of_a_superseded_attempt_is_no_fact_of_the_history() -> None:
    """A run that diverged, was restarted and then went well has not diverged."""
    records = [(step, {"loss": 1.0}) for step in range(6)] + [(6, {"loss": math.nan})]
    joined = join_rows(rows(records + [(step, {"loss": 1.0}) for step in range(3, 9)]))
    assert len(joined.nonfinite) == 0
    assert len(joined.attempts) == 4


def test_pieces_are_joined_on_the_step() -> None:
    """Two tables of one run become one history: the later piece wins, NaN stays a fact."""
    one = join_rows(rows([(0, {"a": 1.0, "n": math.nan}), (2, {"a": 2.0})]))
    two = join_rows(rows([(1, {"b": 5.0}), (2, {"a": 3.0})]))
    both = merge([one, two])
    assert both.history.index.tolist() == [0, 1, 2]
    assert both.history["a"].dropna().to_dict() == {0: 1.0, 2: 3.0}
    assert both.history["b"].dropna().to_dict() == {1: 5.0}
    assert both.nonfinite["metric"].tolist() == ["n"]
    assert both.replaced == 1


def slow_join(attempts: list[list[Record]]) -> dict[int, dict[str, float]]:
    """Join attempts as one would by hand: a restart wipes out its first step and all beyond."""
    history: dict[int, dict[str, float]] = {}
    for number, attempt in enumerate(attempts):
        if number:
            history = {step: row for step, row in history.items() if step < attempt[0][0]}
        for step, values in attempt:
            history.setdefault(step, {}).update(values)
    return dict(sorted(history.items()))


@st.composite
def restarted_logs(draw: st.DrawFn) -> list[list[Record]]:
    """Draw up to four attempts of a run, with evaluations in rows of their own."""
    attempts: list[list[Record]] = []
    top, value = 0, 0
    for number in range(draw(st.integers(1, 4))):
        step = draw(st.integers(0, top - 1)) if number else 0
        attempt: list[Record] = []
        for _ in range(draw(st.integers(12, 20))):
            value += 1
            attempt.append((step, {"loss": float(value)}))
            if draw(st.integers(0, 4)) == 0:
                attempt.append((step, {"val": float(-value)}))
            step += draw(st.integers(1, 3))
        attempts.append(attempt)
        top = attempt[-1][0]
    return attempts


@given(restarted_logs())
@settings(max_examples=100, deadline=None)
def test_joining_agrees_with_a_slow_twin(attempts: list[list[Record]]) -> None:
    """Attempts, joins and order come out as in a plain reading of the rule."""
    joined = join_rows(rows([record for attempt in attempts for record in attempt]))
    found = {
        int(step): {str(metric): value for metric, value in row.dropna().items()}
        for step, row in joined.history.iterrows()
    }
    assert found == slow_join(attempts)
    assert joined.restarts == len(attempts) - 1


anything = st.lists(
    st.tuples(
        st.integers(-5, 30),
        st.dictionaries(st.sampled_from("abc"), st.floats(width=32), min_size=1, max_size=3),
    ),
    max_size=40,
)


@given(anything)
@settings(max_examples=200, deadline=None)
def test_no_row_is_lost(records: list[Record]) -> None:
    """Whatever the order, each (step, metric) stands in the history or among the superseded."""
    joined = join_rows(rows(records))
    assert joined.history.index.is_monotonic_increasing
    assert joined.history.index.is_unique
    kept = {(step, str(m)) for m in joined.history for step in joined.history[m].dropna().index}
    kept |= set(zip(joined.nonfinite["step"], joined.nonfinite["metric"], strict=True))
    aside = joined.attempts.set_index("step")
    superseded = {
        (step, str(m)) for m in aside.columns for step in aside[m].dropna().index if m != "attempt"
    }
    finite = {
        (step, m) for step, row in records for m, value in row.items() if not math.isnan(value)
    }
    assert finite <= kept | superseded
