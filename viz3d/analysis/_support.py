"""Where a surface may be drawn: near data or between runs, and only where its band is narrow."""

from __future__ import annotations

import numpy as np

from viz3d.analysis._bins import Bins
from viz3d.analysis._gaps import Gap
from viz3d.analysis._groups import Floats

STRICTNESS = {"strict": (0.04, 0.04), "default": (0.06, 0.05), "loose": (0.08, 0.08)}
"""Farthest distance to data in unit axes, and widest standard deviation as share of the z range."""

FADE = 0.1
"""Share of each limit, to both sides of it, over which the support falls from one to nothing."""


def support_at(points: Floats, deviation: Floats, bins: Bins, strictness: str) -> Floats:
    """Support of unit points, 0 (do not draw) to 1.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Unit coordinates.
    deviation : ndarray, shape (n,)
        Widened standard deviation of the surface there, as share of the z range.
    bins : Bins
        The data.
    strictness : {"strict", "default", "loose"}
        How near the data and how narrow the band must be.
    """
    from scipy.spatial import cKDTree

    farthest, widest = STRICTNESS[strictness]
    inside = np.logical_and(*np.isfinite(points).T)
    points = np.where(inside[:, None], points, 0.0)
    nearest, _ = cKDTree(np.column_stack([bins.u, bins.v])).query(points)
    between = Gap.around(points, bins, farthest).between
    place = np.where(between, 1.0, _fade(nearest, farthest))
    return np.where(inside, np.minimum(place, _fade(deviation, widest)), 0.0)


def _fade(value: Floats, limit: float) -> Floats:
    excess = np.nan_to_num(value, nan=np.inf) / limit - 1
    return np.clip((FADE - excess) / (2 * FADE), 0.0, 1.0)
