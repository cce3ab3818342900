"""The best learning rate is named only where the surface can tell it apart."""

from __future__ import annotations

import numpy as np
import pytest

from viz3d.analysis.surface import fit_surface
from viz3d.analysis.valley import find_valley


class Grid:
    """A surface given by hand: one column of z per step, with a band of +- `band`."""

    def __init__(self, z, band, y=None):
        self.z = np.asarray(z, dtype=float)
        self.lower, self.upper = self.z - band, self.z + band
        self.y = np.arange(1.0, len(self.z) + 1) if y is None else np.asarray(y)
        self.x = np.arange(self.z.shape[1], dtype=float)


def column(*z):
    """A surface of one column."""
    return np.array(z)[:, None]


def test_a_clear_valley_is_resolved():
    """The lowest z, with the neighbours whose band overlaps its own."""
    valley = find_valley(Grid(column(9, 6, 3, 2.5, 3, 6, 9), 0.3))
    assert valley.y[0] == 4
    assert (valley.low[0], valley.high[0]) == (3, 5)
    assert valley.resolved[0]
    assert not valley.at_edge[0]


def test_a_wide_band_resolves_nothing():
    """When most rates overlap the best one, no best rate is claimed."""
    valley = find_valley(Grid(column(9, 6, 3, 2.5, 3, 6, 9), 2.0))
    assert not valley.resolved[0]


def test_the_best_may_lie_beyond_the_end():
    """A loss that still falls at the last rate is resolved, and said to be at the edge."""
    valley = find_valley(Grid(column(9, 8, 7, 6, 5, 3, 1), 0.3))
    assert valley.resolved[0]
    assert valley.at_edge[0]


@pytest.mark.parametrize(
    "z",
    [(9, 6, 2.5, np.nan, 6, 7, 8), (9, 2.6, np.nan, 2.5, 7, 8, 9)],
    ids=["beside the best", "between two that tie"],
)
def test_a_hole_may_hide_a_better_rate(z):
    """Next to a hole in the support nothing is resolved."""
    valley = find_valley(Grid(column(*z), 0.3))
    assert np.isfinite(valley.y[0])
    assert not valley.resolved[0]


def test_a_column_with_little_support_says_nothing():
    """A ribbon along one run has no valley."""
    valley = find_valley(Grid(column(np.nan, np.nan, 2, 1, 2, np.nan, np.nan), 0.1))
    assert np.isnan(valley.y[0])
    assert not valley.resolved[0]
    nothing = find_valley(Grid(column(*[np.nan] * 7), 0.1))
    assert np.isnan(nothing.y[0])


def test_a_known_bowl_is_found_by_a_real_fit():
    """Sixteen runs over a parabola in log rate: the valley lies at its bottom."""
    rng = np.random.default_rng(0)
    rates = np.geomspace(1e-4, 1e-1, 12)
    x = np.tile(np.arange(400), 12)
    y = np.repeat(rates, 400)
    z = 2 + 3 * np.exp(-x / 80) + (np.log10(y) + 2.5) ** 2 + rng.normal(0, 0.02, len(x))
    valley = find_valley(fit_surface(x, y, z, run=y))
    assert valley.resolved[-1]
    assert np.log10(valley.y[-1]) == pytest.approx(-2.5, abs=0.15)
    assert valley.low[-1] < 10**-2.5 < valley.high[-1]
