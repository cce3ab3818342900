"""A target is reached when the running median stays there; who did not get there still counts."""

from __future__ import annotations

import numpy as np
import pytest

from viz3d.analysis.target import reached, steps_to_target


def test_the_first_step_that_stays():
    """A dip of one row is none: 1,000 rows take a median over 10 and 10 rows of staying."""
    step = np.arange(1000) * 2
    value = np.full(1000, 5.0)
    value[100] = 0.0
    value[600:] = 1.0
    # Of the ten last rows six must be down before their median is.
    assert steps_to_target(step, value, 2.0) == 2 * 605
    assert steps_to_target(step, value, 0.5) is None


def test_a_stay_that_is_too_short_does_not_count():
    """Ten rows down keep the median over ten down for nine; eleven keep it down for ten."""
    value = np.full(1000, 5.0)
    value[300:310] = 1.0
    assert steps_to_target(np.arange(1000), value, 2.0) is None
    value[310] = 1.0
    assert steps_to_target(np.arange(1000), value, 2.0) == 305


def test_higher_can_be_better():
    """A reward is reached from below."""
    step, value = np.arange(50), np.arange(50.0)
    assert steps_to_target(step, value, 30.0, lower=False) == 30
    assert steps_to_target(step, value, 30.0) == 0


def test_nan_has_reached_nothing():
    """Neither NaN nor minus infinity."""
    assert steps_to_target(np.arange(3), np.array([np.nan, -np.inf, 5.0]), 1.0) is None
    assert steps_to_target(np.arange(3), np.ones(3), np.nan) is None


def test_runs_that_did_not_reach_it_are_censored_not_dropped():
    """The median is that of all runs: 2 of 3 reached it, so it is the second of three."""
    found = reached([10, None, 30], [100, 100, 100])
    assert (found.k, found.median) == (2, 30.0)
    assert reached([10, None, None], [100, 100, 100]).median is None
    assert reached([None, None], [5, 5]) == reached([None, None], [9, 9])


def test_a_run_that_ended_early_counts_until_then():
    """Kaplan and Meier: it leaves the risk set at its end and is no failure."""
    # Two of four are at the target after 30, if the run without it was under way until then.
    assert reached([10, None, 30, 40], [100, 100, 100, 100]).median == 30.0
    # Two that ended before anybody was there leave two, one of which is there at 10.
    assert reached([10, None, None, 40], [100, 5, 5, 100]).median == 10.0


@pytest.mark.parametrize("n", [24, 38])
def test_exactly_half_is_a_median(n):
    """The share left is one half, not a rounding error above it."""
    half = range(1, n // 2 + 1)
    assert reached([*half, *[None] * (n // 2)], [100] * n).median == n // 2
