"""Plateaus are stretches without progress; a decay that slows down is none."""

from __future__ import annotations

import numpy as np
import pytest

from viz3d.analysis.plateaus import plateaus

EXPONENTS = (0.2, 0.45, 0.8)


def decay(rows, exponent=0.45):
    """A power law over as many rows, of a run as long as 10,000 steps."""
    return 1.8 + 6 * (1 + np.arange(rows) / rows * 1e4 / 30) ** -exponent


def held(clean, first, last):
    """The curve, standing still between two shares of the run."""
    a, b = round(first * len(clean)), round(last * len(clean))
    return np.r_[clean[:a], np.full(b - a, clean[a]), clean[a : a + len(clean) - b]]


def noisy(clean, noise=0.01, seed=0):
    """The curve with normal noise in proportion."""
    return clean * np.exp(noise * np.random.default_rng(seed).standard_normal(len(clean)))


def found(values):
    """First and last step of each plateau over steps 0, 10, 20 ..."""
    events = plateaus(10 * np.arange(len(values)), np.asarray(values, dtype=float), "loss")
    return [(event.step, event.last_step) for event in events]


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.04])
@pytest.mark.parametrize("rows", [300, 3_000])
def test_a_power_law_has_no_plateau(exponent, noise, rows):
    """However slow it has become, and however much noise hides it."""
    curves = [noisy(decay(rows, exponent), noise, seed) for seed in range(10)]
    assert sum(bool(found(curve)) for curve in curves) <= 1


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.04])
def test_an_even_pace_over_orders_of_magnitude_has_no_plateau(noise):
    """From 2 to 0.002: flat at the end on a linear axis, and still making progress."""
    assert found(noisy(2 * 1e-3 ** np.linspace(0, 1, 3_000), noise)) == []


def test_progress_over_orders_of_magnitude_shows_through_much_noise():
    """A late but even fall by a factor of 1,000: its end looks flat on a linear axis."""
    clean = np.r_[np.full(300, 1.3), 1.3 * 1e-3 ** np.linspace(0, 1, 700)]
    for seed in range(20):
        assert all(last < 5_000 for _, last in found(noisy(clean, 0.3, seed)))


@pytest.mark.parametrize(("first", "last"), [(0.4, 0.75), (0.6, 1.0)])
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_a_planted_plateau_is_found(first, last, exponent):
    """Inside and at the end of a run of 30,000 rows, to less than a tenth of the run."""
    ((a, b),) = found(noisy(held(decay(30_000, exponent), first, last)))
    assert a / 300_000 == pytest.approx(first, abs=0.08)
    assert b / 300_000 == pytest.approx(last, abs=0.08)


def test_a_plateau_before_the_first_progress():
    """A model that learns nothing for half of the run, and then does."""
    values = np.r_[np.full(1_000, 4.0), np.linspace(4, 1, 1_000)]
    ((a, b),) = found(noisy(values))
    assert a == 0
    assert 9_000 <= b <= 11_000


def test_a_run_without_any_progress_is_one_plateau():
    """Noise about one level, or no noise at all."""
    rng = np.random.default_rng(0)
    assert found(0.3 + 0.1 * rng.standard_normal(1_000)) == [(0, 9_990)]
    assert found(np.full(1_000, 2.0)) == [(0, 9_990)]
    assert found(np.zeros(1_000)) == [(0, 9_990)]


def test_a_reward_that_stops_rising():
    """Negative values and the other direction make no difference."""
    rng = np.random.default_rng(0)
    values = np.minimum(np.linspace(-2, 4, 2_000), 1.0) + 0.05 * rng.standard_normal(2_000)
    ((a, b),) = found(values)
    assert a == pytest.approx(10_000, abs=1_000)
    assert b == 19_990


def test_a_level_that_rises_and_falls_is_no_plateau():
    """The same level at both ends is not the same level throughout."""
    hill = 2 + np.sin(np.linspace(0, np.pi, 1_000))
    assert found(noisy(np.r_[np.linspace(6, 2, 1_000), hill])) == []


def test_a_sparse_reward_that_rises_makes_progress():
    """More than half of the rows are zero throughout, so that every median is."""
    share = np.linspace(0.0, 0.45, 4_000)
    values = (np.random.default_rng(0).random(4_000) < share).astype(float)
    assert found(values) == []


def test_values_near_the_largest_float():
    """Sums and differences of them would overflow."""
    with np.errstate(all="raise"):
        assert found(1e308 * np.sin(np.arange(1_000) / 100)) == []


def test_short_runs_have_none():
    """Too few rows to tell noise from progress."""
    assert found(np.full(99, 2.0)) == []
    assert found([]) == []
