"""Where a surface may be drawn: near data or between runs, and only where its band is narrow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis._axes import Floats
from viz3d.analysis._bins import Bins

STRICTNESS = {"strict": (0.04, 0.04), "default": (0.06, 0.05), "loose": (0.08, 0.08)}
"""Farthest distance to data in unit axes, and widest standard deviation as share of the z range."""

FADE = 0.3
"""The last part of each limit, over which the support falls from one to nothing."""


@dataclass(frozen=True)
class Reach:
    """How far the data reach around themselves.

    Parameters
    ----------
    bins : Bins
        The data.
    distance : float
        Farthest a point may be from its nearest bin, in unit axes.
    """

    bins: Bins
    distance: float

    def of(self, points: Floats) -> Floats:
        """Support by position alone, 0 to 1, of unit points of shape (n, 2)."""
        from scipy.spatial import cKDTree

        centres = np.column_stack([self.bins.u, self.bins.v])
        nearest, _ = cKDTree(centres).query(points)
        return np.where(self._between(points), 1.0, fade(nearest, self.distance))

    def _between(self, points: Floats) -> NDArray[np.bool_]:
        """Whether some run lies on either side in y at that x, at whatever distance."""
        if len(np.unique(self.bins.run)) < 2:
            return np.zeros(len(points), dtype=bool)
        columns, column = np.unique(points[:, 0], return_inverse=True)
        here = np.abs(columns[:, None] - self.bins.u) <= self.distance
        low = np.where(here, self.bins.v, np.inf).min(axis=1)[column]
        high = np.where(here, self.bins.v, -np.inf).max(axis=1)[column]
        return (low <= points[:, 1]) & (points[:, 1] <= high)


def fade(value: Floats, limit: float) -> Floats:
    """One while `value` is small, falling to zero at `limit`."""
    return np.clip((limit - value) / (FADE * limit), 0.0, 1.0)
