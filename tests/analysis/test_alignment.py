"""Placing the steps of runs along tokens, FLOPs or time, from what they logged alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from viz3d.analysis.alignment import align
from viz3d.analysis.roles import recognise
from viz3d.run import Run


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
