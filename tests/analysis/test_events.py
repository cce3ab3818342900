"""Bad steps are found where they are, and only there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.analysis.events import bad_steps, logged
from viz3d.run import Run


def run_of(values, nan_at=(), other=None):
    """A run whose loss has these values at steps 0, 10, 20 ...; NaN means "not logged"."""
    step = pd.Index(10 * np.arange(len(values)), name="step", dtype="int64")
    history = pd.DataFrame({"loss": np.asarray(values, dtype=float)}, index=step)
    nonfinite = pd.DataFrame(
        {"step": [10 * i for i in nan_at], "metric": "loss", "value": np.nan},
        columns=["step", "metric", "value"],
    )
    if other is not None:
        history["other"] = other
    return Run("r", "s", history, nonfinite=nonfinite)


def test_nan_that_was_logged_is_told_from_a_step_without_the_metric():
    """A metric logged every other step has no bad steps; one logged as NaN has."""
    sparse = run_of([3.0, np.nan, 2.5, np.nan, 2.0])
    assert bad_steps(sparse, "loss") == ()
    (bad,) = bad_steps(run_of([3.0, np.nan, 2.5, np.nan, 2.0], nan_at=[3]), "loss")
    assert (bad.step, bad.kind, bad.rows) == (30, "NaN", 1)
    assert (bad.last_step, bad.last_value) == (20, 2.5)


def test_a_stretch_of_bad_rows_is_one_event_at_its_first_step():
    """A run that ends in a thousand NaN rows went bad once."""
    values = np.r_[np.linspace(3, 2, 50), np.full(1000, np.nan)]
    (bad,) = bad_steps(run_of(values, nan_at=range(50, 1050)), "loss")
    assert (bad.step, bad.rows, bad.last_step) == (500, 1000, 490)


def test_infinities_and_a_bad_first_row():
    """Where no finite value came before, none is made up."""
    first, second = bad_steps(run_of([np.inf, 3.0, -np.inf, 2.0]), "loss")
    assert (first.step, first.kind, first.last_step, first.last_value) == (
        0,
        "infinity",
        None,
        None,
    )
    assert (second.step, second.last_value) == (20, 3.0)


def test_nan_of_another_metric_is_not_of_this_one():
    """Non-finite rows are kept per metric."""
    run = run_of([3.0, 2.0], other=[1.0, 1.0])
    nonfinite = pd.DataFrame({"step": [10], "metric": ["other"], "value": [np.nan]})
    run = Run("r", "s", run.history, nonfinite=nonfinite)
    assert bad_steps(run, "loss") == ()
    assert len(bad_steps(run, "other")) == 1


def test_divergence_is_found_where_the_level_leaves_for_good():
    """Falling to 2 and rising to 8 from step 6,000 on."""
    rng = np.random.default_rng(0)
    values = np.r_[np.linspace(6, 2, 600), np.linspace(2, 8, 200), np.full(200, 8.0)]
    (bad,) = bad_steps(run_of(values + rng.normal(0, 0.05, 1000)), "loss")
    assert bad.kind == "divergence"
    assert 6000 <= bad.step <= 7000
    assert bad.last_value == pytest.approx(2.5, abs=0.8)


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(6, 2, 1000),
        np.r_[np.linspace(6, 2, 500), np.full(100, 9.0), np.linspace(2.2, 2, 400)],
        np.r_[np.linspace(6, 2, 999), 50.0],
        np.sin(np.arange(1000) / 50),
    ],
    ids=["falls", "recovers", "one spike at the end", "crosses zero"],
)
def test_what_is_no_divergence(values):
    """Neither a recovery, nor a single spike, nor a loss without a meaningful ratio."""
    assert bad_steps(run_of(values), "loss") == ()


def test_logged_returns_rows_in_the_order_of_steps():
    """NaN rows come back at their own steps."""
    step, value = logged(run_of([3.0, np.nan, 2.0], nan_at=[1]), "loss")
    assert step.tolist() == [0, 10, 20]
    assert np.isnan(value).tolist() == [False, True, False]
