"""Placing the steps of runs along tokens, FLOPs or time, from what they logged alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viz3d.analysis.alignment import AXES, align
from viz3d.analysis.roles import recognise
from viz3d.run import Origin, Run


def run(config: dict | None = None, **columns: list[float]) -> Run:
    n = len(next(iter(columns.values())))
    frame = pd.DataFrame(
        columns, index=pd.Index(range(10, 10 + 5 * n, 5), name="step"), dtype=float
    )
    return Run("r", "s", frame, config=config or {}, roles=recognise(list(columns), frame))


@pytest.mark.parametrize(
    ("axis", "metric"),
    [
        ("tokens", "total_tokens"), ("tokens", "num_tokens"), ("tokens", "tokens"),
        ("tokens", "train/total_tokens"), ("flops", "total_training_flops"),
        ("flops", "total_flos"), ("time", "_runtime"), ("time", "total_training_time"),
    ],
)  # fmt: skip
def test_what_was_logged_is_the_place(axis: str, metric: str) -> None:
    """As it stands, at the steps at which it was logged and at no others."""
    found = align(run(loss=[3, 2, 1], **{metric: [5.0, np.nan, 9.0]}), axis)
    assert (found.metric, found.said, found.reason) == (metric, "", "")
    assert found.x.tolist() == [5.0, 9.0]
    assert found.step.tolist() == [10, 20]


@pytest.mark.parametrize(
    ("metric", "values", "seconds"),
    [
        ("train_time_ms", [500.0, 2500.0], [0.5, 2.5]),
        ("total_time_min", [0.5, 2.0], [30.0, 120.0]),
        ("_timestamp", [1.7e9, 1.7e9 + 60], [0.0, 60.0]),
        ("time", [1.7e12, 1.7e12 + 2000], [0.0, 2.0]),
        ("time", [1.7e15, 1.7e15 + 2e6], [0.0, 2.0]),
        ("wall_time", [1.7e18, 1.7e18 + 2e9], [0.0, 2.0]),
        ("train_time_ms", [2e8, 2e8 + 500], [2e5, 2e5 + 0.5]),  # resumed after two days
        ("time/time_elapsed", [3.0, 4.0], [3.0, 4.0]),
    ],
)
def test_times_are_seconds_from_the_start(
    metric: str, values: list[float], seconds: list[float]
) -> None:
    """Whatever unit the name says; a clock counts from its first row, which is said."""
    found = align(run(**{metric: values}), "time")
    assert found.x == pytest.approx(seconds)
    assert ("first row" in found.said) == (seconds[0] == 0.0)


def test_tokens_of_a_step_count_only_where_the_config_states_them() -> None:
    """Then it is said; a batch size in samples is not taken for tokens, nor two that differ."""
    found = align(run({"train": {"tokens_per_step": 1000}}, loss=[2, 1]), "tokens")
    assert found.x.tolist() == [10_000.0, 15_000.0]
    assert "1,000" in found.said
    assert "train.tokens_per_step" in found.said
    for config in (
        {"batch_size": 8},
        {"tokens_per_step": 1, "tokens_per_batch": 2},
        {"tokens_per_step": True},
    ):
        assert "did not log tokens" in align(run(config, loss=[2, 1]), "tokens").reason


@pytest.mark.parametrize(
    ("column", "count"),
    [("", "row number"), ("epoch", "epoch"), ("_step", "_step"), ("timesteps", "total_timesteps"),
     ("global_step", ""), ("iter", "")],
)  # fmt: skip
def test_what_is_no_step_takes_no_tokens(column: str, count: str) -> None:
    """Neither an epoch nor a row takes as many as a step, even where other rows have steps."""
    stated = run({"tokens_per_step": 1000}, loss=[2, 1])
    origins = (Origin(rows=1, counted_by="step"), Origin(rows=1, counted_by=column))
    found = align(replace(stated, origins=origins), "tokens")
    assert bool(len(found.x)) == (not count)
    assert found.reason.endswith(f"its rows are counted by {count}." if count else "")
    assert not found.reason or "'tokens_per_step' is of a step" in found.reason


@pytest.mark.parametrize(
    ("config", "placed"),
    [
        ({"tokens_per_batch": 1000}, True),
        ({"tokens_per_batch": 1000, "gradient_accumulation_steps": 1}, True),
        ({"tokens_per_batch": 1000, "gradient_accumulation_steps": 8}, False),
        ({"data": {"batch_tokens": 1000}, "optim": {"grad_accum": 8}}, False),
        ({"tokens_per_batch": 1000, "accumulate_grad_batches": "8"}, False),
        ({"tokens_per_batch": 1000, "grad_acc_steps": 8}, False),
        ({"tokens_per_batch": 1000, "train": {"gradient_acc_steps": 8}}, False),
        ({"tokens_per_batch": 1000, "num_accumulation_steps": 8}, False),
        ({"tokens_per_batch": 1000, "accum_iter": 8}, False),
        ({"tokens_per_step": 1000, "tokens_per_batch": 125, "grad_accum_steps": 8}, True),
    ],
)
def test_a_batch_is_no_step_where_some_are_accumulated(
    config: dict[str, object], placed: bool
) -> None:
    """Whether a batch is what one forward pass takes or all of a step is not guessed."""
    found = align(run(config, loss=[2, 1]), "tokens")
    assert found.x.tolist() == ([10_000.0, 15_000.0] if placed else [])
    assert ("did not log tokens" in found.reason) != placed


def test_what_does_not_grow_is_no_place() -> None:
    """Tokens of each batch are not those since the start, and a clock that went back is none."""
    for axis, metric, values in (
        ("tokens", "tokens", [512.0, 512.0, 512.0]),
        ("tokens", "tokens", [512.0, 480.0, 530.0]),
        ("time", "_runtime", [5.0, 9.0, 1.0]),
    ):
        found = align(replace(run(loss=[3, 2, 1], **{metric: values}), roles={axis: metric}), axis)
        assert not len(found.x)
        assert repr(metric) in found.reason


def test_the_step_is_always_there_and_nothing_else_is_guessed() -> None:
    """A run with a loss alone has steps, and no tokens, FLOPs or time."""
    only = run(loss=[2, 1])
    assert align(only, "step").x.tolist() == [10.0, 15.0]
    assert [bool(align(only, axis).reason) for axis in ("tokens", "flops", "time")] == [True] * 3
    with pytest.raises(ValueError, match="must be one of"):
        align(only, "epochs")


def test_a_counter_that_begins_anew_is_the_reason() -> None:
    """Its name says total and its values do not: it was logged, and that is what is said."""
    for config, reason in (
        ({}, "'total_tokens' goes back at step 20, so it does not count tokens since the start"),
        ({"tokens_per_step": 7}, ""),
    ):
        found = align(run(config, loss=[4, 3, 2, 1], total_tokens=[10, 20, 10, 20]), "tokens")
        assert reason in found.reason
        assert bool(len(found.x)) == (not reason)
    flops = align(run(loss=[3, 2, 1], total_flops=[1e18, 2e18, 5e17]), "flops")
    assert "goes back at step 20" in flops.reason
    assert "did not log tokens" in align(run(total_tokens=[np.nan, np.nan]), "tokens").reason


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 1.7e9],  # since the start in one place, by the clock in the other
        [1.7e9, 1.7e9 + 1, 1.7e12],
        [1e9, 2e12],  # of a unit that nobody named
    ],
)
def test_a_time_that_may_be_of_two_kinds_is_no_place(values: list[float]) -> None:
    """It rises from row to row all the same, and would put some of them centuries ahead."""
    found = align(run(time=values), "time")
    assert not len(found.x)
    assert "is no time whose unit can be told" in found.reason


def test_places_of_single_steps_and_of_superseded_rows() -> None:
    """As far as they were logged, counted from where the history begins; else none."""
    found = align(run(_timestamp=[1.7e9, np.nan, 1.7e9 + 60]), "time")
    assert found.at([10, 15, 20, 21]).tolist() == pytest.approx(
        [0, np.nan, 60, np.nan], nan_ok=True
    )
    rows = pd.DataFrame({"_timestamp": [1.7e9 + 5, np.nan, 1.7e9 + 9]}, index=[15, 16, 20])
    assert found.of(rows).tolist() == pytest.approx([5, np.nan, 9], nan_ok=True)
    assert np.isnan(found.of(rows.iloc[::-1])).all()
    assert np.isnan(found.of(rows[[]])).all()
    steps = align(run(loss=[2, 1]), "step")
    assert steps.at([3, 10]).tolist() == [3.0, 10.0]
    assert steps.of(rows).tolist() == [15.0, 16.0, 20.0]


VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(0, 10**6).map(float),
    st.floats(1.6e9, 1.8e9),
    st.floats(1.6e12, 1.8e12),
)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(VALUES, min_size=1, max_size=8),
    grows=st.booleans(),
    axis=st.sampled_from(["tokens", "flops", "time"]),
    metric=st.sampled_from(["total_tokens", "total_flops", "time", "train_time_ms", "_timestamp"]),
)
def test_a_place_is_what_was_logged_or_there_is_none(
    values: list[float], grows: bool, axis: str, metric: str
) -> None:
    """Never falling, one per finite value, and a straight line away from it; else a reason."""
    made = run(**{metric: sorted(values) if grows else values})
    logged = made.history[metric].to_numpy()
    for which in (made, replace(made, roles={axis: metric})):
        found = align(which, axis)
        assert bool(found.reason) == (not len(found.x))
        if found.reason:
            continue
        finite = np.isfinite(logged)
        assert found.step.tolist() == made.history.index[finite].tolist()
        assert (np.diff(found.x) >= 0).all()
        assert found.x.tolist() == [(v - found.zero) * found.unit for v in logged[finite]]
        assert axis == "time" or (found.zero, found.unit) == (0.0, 1.0)
        assert not found.zero or found.x[-1] < 1e10  # no clock shows a century


@settings(max_examples=100, deadline=None)
@given(
    sessions=st.lists(st.lists(st.integers(1, 1000), min_size=1, max_size=5), max_size=4),
    anew=st.booleans(),
)
def test_sessions_of_a_counter(sessions: list[list[int]], anew: bool) -> None:
    """One that goes on is the sum of all; one that begins below where it was has no places."""
    parts = [np.cumsum(each) for each in sessions]
    if not anew:
        parts = [np.cumsum([n for each in sessions for n in each])]
    counted = np.concatenate([np.empty(0), *parts])
    if not len(counted):
        return
    found = align(run(total_tokens=counted.tolist()), "tokens")
    if (np.diff(counted) < 0).any():
        assert "goes back" in found.reason
    elif not found.reason:
        assert found.x.tolist() == counted.tolist()


@settings(max_examples=100, deadline=None)
@given(
    value=st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.none()),
    key=st.sampled_from(["tokens_per_step", "batch_tokens", "batch_size"]),
)
@example(value=10**400, key="tokens_per_step")
def test_what_a_config_states_counts_only_as_a_sensible_number(value: object, key: str) -> None:
    """Whatever stands there, nothing is raised and nothing but that number is multiplied."""
    found = align(run({"a": {key: value}}, loss=[2, 1]), "tokens")
    if found.reason:
        assert not len(found.x)
    else:
        assert key != "batch_size"
        assert found.x.tolist() == [10 * float(value), 15 * float(value)]


def test_each_axis_reads_no_more_than_its_column() -> None:
    """A history that is read column by column is not read whole to place its steps."""
    made = run(loss=[2, 1], total_tokens=[1, 2], total_flops=[1, 2], time=[1, 2])
    asked: list[str] = []

    class Watched(Run):
        def columns(self, metrics):  # type: ignore[no-untyped-def]
            asked.extend(metrics)
            return super().columns(metrics)

    for axis in AXES:
        align(Watched("r", "s", made.history, roles=made.roles), axis)
    assert "loss" not in asked
