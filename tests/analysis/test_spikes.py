"""Spikes stand at their steps, with their sizes; noise is none."""

from __future__ import annotations

import numpy as np
import pytest

from viz3d.analysis.spikes import ENOUGH, spikes


def found(values, direction="both", **more):
    """Spikes and drops of a curve over steps 0, 1, 2 ..."""
    return spikes(np.arange(len(values)), np.asarray(values, dtype=float), "m", direction, **more)


def decay(rows, noise=0.04, seed=0):
    """A power-law decay with normal noise in proportion."""
    rng = np.random.default_rng(seed)
    clean = 1.8 + 6 * (1 + np.arange(rows) / 30) ** -0.45
    return clean * np.exp(noise * rng.standard_normal(rows))


@pytest.mark.parametrize("seed", range(3))
def test_noise_on_a_decay_is_no_spike(seed):
    """No false alarm in 10,000 rows of normal noise, from the first row on."""
    assert found(decay(10_000, seed=seed)) == []


def test_every_planted_spike_is_found_at_its_step():
    """Rises by 60 % after the steep start: not one is missed, and nothing else is told."""
    values = decay(10_000)
    at = np.arange(700, 10_000, 245)
    values[at] = 1.6 * (1.8 + 6 * (1 + at / 30) ** -0.45)
    assert [event.step for event in found(values, "up")] == at.tolist()


def test_a_spike_has_a_size_a_level_and_a_duration():
    """From 2 to 3 for five rows, with a scatter of 1 %: ln 1.5 / 0.01 = 41 scatters."""
    rng = np.random.default_rng(0)
    values = 2 * np.exp(0.01 * rng.standard_normal(600))
    values[300:305] = [2.6, 3.0, 2.8, 2.5, 2.3]
    (event,) = found(values)
    assert (event.kind, event.step, event.value) == ("spike", 301, 3.0)
    assert (event.before, event.last_step, event.rows) == (299, 304, 5)
    assert event.level == pytest.approx(2, abs=0.02)
    assert event.size == pytest.approx(41, rel=0.25)
    assert event.returned


def test_hits_close_together_are_one_spike():
    """Two peaks 5 rows apart are one event, two 50 rows apart are two."""
    values = 2 + np.random.default_rng(0).normal(0, 0.02, 600)
    values[[300, 305]] = [4.0, 5.0]
    assert [event.step for event in found(values)] == [305]
    values[355] = 4.0
    assert [event.step for event in found(values)] == [305, 355]


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.01])
def test_no_slope_is_a_spike(noise):
    """A median of the rows before lags behind every slope; that alone is no event."""
    x = np.linspace(0, 1, 1_000)
    curves = (
        2 + 4 * np.exp(-8 * x),
        1 - np.exp(-5 * x),
        x,
        np.cos(3 * x),
        1 / (1 + np.exp(-30 * (x - 0.5))),
        2 * 1e-3**x,
    )
    for curve in curves:
        noisy = curve + noise * np.random.default_rng(1).standard_normal(1_000)
        assert found(noisy) == []


def test_a_spike_on_a_steep_slope_is_found():
    """Where the loss falls by half within the window."""
    step = np.arange(400)
    values = 2 + 3 * np.exp(-step / 60) + np.random.default_rng(0).normal(0, 0.02, 400)
    values[150] = 5.0
    (event,) = found(values, "up")
    assert event.step == 150
    assert event.level == pytest.approx(2 + 3 * np.exp(-2.5), abs=0.3)


def test_a_level_that_moves_for_good_does_not_return():
    """One event, which is not said to be over."""
    values = np.r_[np.full(300, 2.0), np.full(300, 4.0)]
    values += np.random.default_rng(0).normal(0, 0.02, 600)
    (event,) = found(values)
    assert 300 <= event.step < 360
    assert not event.returned
    assert event.rows >= 30


def test_drops_of_a_metric_with_negative_values():
    """A reward about zero falls to minus three, on its own scale."""
    values = np.random.default_rng(0).normal(0, 0.1, 500)
    values[[200, 201]] = [-3.0, -2.0]
    (event,) = found(values)
    assert (event.kind, event.step, event.value, event.rows) == ("drop", 200, -3.0, 2)
    assert event.size == pytest.approx(30, rel=0.3)
    assert found(values, "up") == []


@pytest.mark.parametrize("values", [np.full(500, 2.0), np.zeros(500), np.full(500, -1.0), [], [1]])
def test_a_constant_metric_has_no_spikes(values):
    """Without any scatter there is no unit to measure one in."""
    assert found(values) == []


def test_a_constant_metric_with_one_other_row_has_one():
    """No scatter at all before it; the smallest that counts takes its place."""
    for level in (2.0, 0.0, -1.0):
        values = np.full(500, level)
        values[300] = 9.0
        (event,) = found(values)
        assert (event.step, event.value, event.level) == (300, 9.0, level)
        assert np.isfinite(event.size)


def test_a_metric_that_is_mostly_zero_does_not_spike_all_the_time():
    """A sparse reward: more than half of the rows are equal, so that their MAD is zero."""
    values = (np.random.default_rng(0).random(5_000) < 0.1).astype(float)
    assert len(found(values)) <= 1


def test_rounded_values_do_not_spike():
    """A loss printed with two digits that sits on one of them."""
    values = np.round(2.31 + np.random.default_rng(0).normal(0, 0.002, 2_000), 2)
    assert found(values) == []


def test_short_runs():
    """Five rows before it are enough to see that a loss doubles, but not for less."""
    values = np.r_[np.full(8, 3.0), 9.0, np.full(3, 3.0)]
    assert [event.step for event in found(values)] == [8]
    assert found(np.r_[np.full(8, 3.0), 5.0, np.full(3, 3.0)]) == []
    assert found([3.0, 3.0, 3.0, 9.0, 3.0]) == []
    signed = np.r_[np.full(8, -3.0), 9.0, np.full(3, -3.0)]
    assert len(signed) < ENOUGH
    assert found(signed) == [], "without a ratio so few rows tell nothing"


def test_values_near_the_largest_float():
    """Differences of them would overflow."""
    values = 1e308 * np.sin(np.arange(300) / 30)
    values[200] = -1.7e308
    with np.errstate(all="raise"):
        events = found(values)
    assert all(np.isfinite(event.size) for event in events)


def test_a_lower_threshold_finds_more():
    """The size is what the threshold is compared with."""
    values = 2 + np.random.default_rng(0).normal(0, 0.02, 600)
    values[300] = 2.2
    (event,) = found(values, threshold=5.0)
    assert found(values, threshold=event.size + 0.1) == []
