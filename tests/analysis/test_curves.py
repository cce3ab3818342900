"""Loss and learning rate are joined on the logged step, and the right rate is the axis."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.analysis.curves import rate_axis, read_attempts, read_curve
from viz3d.run import Run

ROLES = {"loss": "loss", "learning_rate": "lr"}


def run_of(peak=None, schedule=None, n=4, **more):
    """A run with a loss, and a peak rate in its config or a schedule in its history."""
    history = pd.DataFrame(
        {"loss": np.arange(n, 0, -1.0)}, index=pd.Index(10 * np.arange(n), name="step")
    )
    if schedule is not None:
        history["lr"] = schedule
    roles = ROLES if schedule is not None else {"loss": "loss"}
    config = {} if peak is None else {"learning_rate": peak}
    return Run("r", "s", history, config=config, roles=roles, **more)


def test_a_sweep_takes_the_peak_rate():
    """Three different peaks make a sweep; seeds of one rate do not."""
    schedule = [0.1, 0.2, 0.1, 0.0]
    sweep = [run_of(peak, schedule) for peak in (1.0, 2.0, 3.0)]
    seeds = [run_of(1.0, schedule) for _ in range(3)]
    assert rate_axis(sweep, "auto") == "peak"
    assert rate_axis(seeds, "auto") == "current"
    assert rate_axis(sweep, "current") == "current"
    assert rate_axis([run_of(1.0)], "auto") == "peak"
    with pytest.raises(ValueError, match="auto, current, peak"):
        rate_axis(sweep, "lowest")


def test_rows_are_joined_on_the_step_and_the_rest_is_counted():
    """A learning rate logged every other step is not carried forward."""
    curve = read_curve(run_of(schedule=[0.1, np.nan, 0.3, np.nan]), "current")
    assert curve.step.tolist() == [0, 20]
    assert curve.rate.tolist() == [0.1, 0.3]
    assert curve.loss.tolist() == [4.0, 2.0]
    assert curve.unjoined == 2


def test_a_nan_loss_stays_in_the_curve():
    """Where the loss was logged as NaN the curve has a NaN, so that it can be pinned."""
    run = run_of(1.0)
    history = run.history.copy()
    history.loc[20, "loss"] = np.nan
    nonfinite = pd.DataFrame({"step": [20], "metric": ["loss"], "value": [np.nan]})
    run = Run("r", "s", history, config=run.config, roles=run.roles, nonfinite=nonfinite)
    assert np.isnan(read_curve(run, "peak").loss).tolist() == [False, False, True, False]


def test_a_run_without_the_rate_has_no_curve():
    """Nothing is made up."""
    assert read_curve(run_of(), "peak") is None
    assert read_curve(run_of(1.0), "current") is None


def test_superseded_attempts_are_curves_of_their_own():
    """Each attempt keeps its number and its rows, sorted by step."""
    attempts = pd.DataFrame(
        {"attempt": [1, 1, 2], "step": [10, 20, 30], "loss": [9.0, 8.0, 7.0], "lr": [0.1, 0.2, 0.3]}
    )
    run = run_of(1.0, [0.1, 0.2, 0.3, 0.4], attempts=attempts)
    first, second = read_attempts(run, "current")
    assert (first.attempt, first.step.tolist(), first.rate.tolist()) == (1, [10, 20], [0.1, 0.2])
    assert (second.attempt, second.loss.tolist()) == (2, [7.0])
    assert [c.rate.tolist() for c in read_attempts(run, "peak")] == [[1.0, 1.0], [1.0]]
    assert read_attempts(run_of(1.0), "peak") == ()
