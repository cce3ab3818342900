"""Events are found where they are, and only there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from viz3d.analysis.events import find_events, logged
from viz3d.run import Run


def run_of(values, nan_at=(), other=None, role="loss", attempts=None):
    """A run whose loss has these values at steps 0, 10, 20 ...; NaN means "not logged"."""
    step = pd.Index(10 * np.arange(len(values)), name="step", dtype="int64")
    history = pd.DataFrame({"loss": np.asarray(values, dtype=float)}, index=step)
    nonfinite = pd.DataFrame(
        {"step": [10 * i for i in nan_at], "metric": "loss", "value": np.nan},
        columns=["step", "metric", "value"],
    )
    if other is not None:
        history["other"] = other
    roles = {role: "loss"} if role else {}
    return Run("r", "s", history, nonfinite=nonfinite, roles=roles, attempts=attempts)


def kinds(run, metric="loss"):
    """The kinds of the events found."""
    return [event.kind for event in find_events(run, metric)]


def test_nan_that_was_logged_is_told_from_a_step_without_the_metric():
    """A metric logged every other step has no bad steps; one logged as NaN has."""
    sparse = run_of([3.0, np.nan, 2.5, np.nan, 2.0])
    assert find_events(sparse, "loss") == ()
    (bad,) = find_events(run_of([3.0, np.nan, 2.5, np.nan, 2.0], nan_at=[3]), "loss")
    assert (bad.step, bad.kind, bad.rows) == (30, "NaN", 1)
    assert (bad.before, bad.level, bad.value) == (20, 2.5, None)


def test_a_stretch_of_bad_rows_is_one_event_at_its_first_step():
    """A run that ends in a thousand NaN rows went bad once."""
    values = np.r_[np.linspace(3, 2, 50), np.full(1000, np.nan)]
    (bad,) = find_events(run_of(values, nan_at=range(50, 1050)), "loss")
    assert (bad.step, bad.last_step, bad.rows, bad.before) == (500, 10_490, 1000, 490)


def test_infinities_and_a_bad_first_row():
    """Where no finite value came before, none is made up."""
    first, second = find_events(run_of([np.inf, 3.0, -np.inf, 2.0]), "loss")
    assert (first.step, first.kind, first.before, first.level) == (0, "infinity", None, None)
    assert (second.step, second.level) == (20, 3.0)


def test_nan_of_another_metric_is_not_of_this_one():
    """Non-finite rows are kept per metric."""
    run = run_of([3.0, 2.0], other=[1.0, 1.0])
    nonfinite = pd.DataFrame({"step": [10], "metric": ["other"], "value": [np.nan]})
    run = Run("r", "s", run.history, nonfinite=nonfinite)
    assert find_events(run, "loss") == ()
    assert len(find_events(run, "other")) == 1


def test_divergence_is_found_where_the_level_leaves_for_good():
    """Falling to 2 and rising to 8 from step 6,000 on."""
    rng = np.random.default_rng(0)
    values = np.r_[np.linspace(6, 2, 600), np.linspace(2, 8, 200), np.full(200, 8.0)]
    found = find_events(run_of(values + rng.normal(0, 0.05, 1000)), "loss")
    (bad,) = [event for event in found if event.bad]
    assert bad.kind == "divergence"
    assert 6000 <= bad.step <= 7000
    assert bad.last_step == 9990
    assert bad.level == pytest.approx(2.5, abs=0.8)
    assert bad.value == pytest.approx(8, abs=0.2)
    assert bad.size == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(6, 2, 1000),
        np.r_[np.linspace(6, 2, 500), np.full(100, 9.0), np.linspace(2.2, 2, 400)],
        np.r_[np.linspace(6, 2, 999), 50.0],
        np.r_[np.linspace(6, 2, 20), 50.0],
        np.sin(np.arange(1000) / 50),
    ],
    ids=["falls", "recovers", "one spike at the end", "of a short run", "crosses zero"],
)
def test_what_is_no_divergence(values):
    """Neither a recovery, nor a single spike, nor a loss without a meaningful ratio."""
    assert "divergence" not in kinds(run_of(values))


@pytest.mark.parametrize("role", ["reward", "accuracy", "grad_norm", ""])
def test_only_a_loss_diverges(role):
    """A reward that rises for good is what one trains for; a gradient norm may well rise."""
    assert kinds(run_of(np.linspace(1, 6, 1000), role="loss")) == ["divergence"]
    assert kinds(run_of(np.linspace(1, 6, 1000), role=role)) == []


def test_nan_does_not_hide_a_spike_beside_it():
    """Spikes are found in the finite rows, at their own steps."""
    values = 3 + np.random.default_rng(0).normal(0, 0.05, 400)
    values[200] = 6.0
    values[202:205] = np.nan
    spike, nan = find_events(run_of(values, nan_at=[202, 203, 204], role=""), "loss")
    assert (spike.kind, spike.step, spike.value) == ("spike", 2000, 6.0)
    assert (nan.kind, nan.step, nan.rows) == ("NaN", 2020, 3)


@pytest.mark.parametrize(
    ("role", "found"),
    [
        ("loss", ["spike"]),
        ("grad_norm", ["spike"]),
        ("reward", ["drop"]),
        ("", ["spike", "drop"]),
    ],
)
def test_the_bad_direction_depends_on_the_role(role, found):
    """A loss spikes, a reward drops; of a metric that nobody knows both are told."""
    values = 3 + np.random.default_rng(1).normal(0, 0.05, 150)
    values[60], values[100] = 5.0, 1.0
    events = [e for e in find_events(run_of(values, role=role), "loss") if e.kind != "plateau"]
    assert [event.kind for event in events] == found


def test_a_plateau_is_of_what_should_make_progress():
    """A constant learning rate or gradient norm is no plateau."""
    flat = np.full(400, 0.5)
    assert kinds(run_of(flat)) == ["plateau"]
    assert kinds(run_of(flat, role="reward")) == ["plateau"]
    assert kinds(run_of(flat, role="learning_rate")) == []


def test_a_restart_tells_the_step_it_went_back_to_and_the_rows_it_superseded():
    """The rows of the metric alone count; a row without it was not logged again."""
    attempts = pd.DataFrame(
        {
            "attempt": [1, 1, 1, 2, 2],
            "step": [50, 60, 70, 80, 90],
            "loss": [2.0, 2.1, np.nan, 1.9, 1.8],
        }
    )
    first, second = find_events(run_of(np.linspace(3, 1, 12), attempts=attempts), "loss")
    assert (first.kind, first.step, first.last_step, first.rows) == ("restart", 50, 60, 2)
    assert first.value == pytest.approx(np.linspace(3, 1, 12)[5])
    assert (second.step, second.rows, second.size) == (80, 2, 2.0)


def test_events_come_by_step():
    """Whatever finds them."""
    values = 3 + np.random.default_rng(0).normal(0, 0.05, 300)
    values[[100, 250]] = 9.0
    attempts = pd.DataFrame({"attempt": 1, "step": [1500], "loss": [3.0]})
    found = find_events(run_of(values, nan_at=[200], attempts=attempts, role=""), "loss")
    steps = [event.step for event in found]
    assert steps == sorted(steps)
    assert {1000, 1500, 2000, 2500} <= set(steps)


def test_logged_returns_rows_in_the_order_of_steps():
    """NaN rows come back at their own steps."""
    step, value = logged(run_of([3.0, np.nan, 2.0], nan_at=[1]), "loss")
    assert step.tolist() == [0, 10, 20]
    assert np.isnan(value).tolist() == [False, True, False]


def test_real_logs(real_data):
    """What was seen by eye: spikes of a transformer and of a batch, and a rate that is stuck."""
    from viz3d.load import load_path

    (trial,) = load_path(real_data / "algoperf-wmt" / "trial_2")
    spikes = find_events(trial, trial.roles["loss"])
    assert {27_300, 33_900, 50_000} == {event.step for event in spikes}
    stuck = 0
    for path in sorted((real_data / "gpt-large-lr-sweep").glob("*.json")):
        (run,) = load_path(path)
        events = find_events(run, run.roles["loss"])
        if path.name.startswith("muon"):
            # Three of the four rise at the same step: they read the same batch.
            assert {event.step for event in events} <= {795, 903}
        stuck += any(event.kind == "plateau" for event in events)
    assert stuck == 1
