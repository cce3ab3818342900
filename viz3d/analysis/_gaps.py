"""What lies between two runs, and how far it may be from a smooth curve through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis._bins import Bins
from viz3d.analysis._groups import Floats, Groups, Ints

WINDOW = 0.06
"""Runs within this distance in x count as present at an x."""

DOUBT = 0.45
"""Standard deviation midway between two runs, as a share of what leaving one of them out misses.

Halving a gap keeps the miss where there is a jump in it, at an unknown place, and quarters it where
the surface is smooth.
"""

SHALLOW = 0.2
"""Depth in the gap below which a run says little about it."""

TIE = 1e-9
"""Distances that differ by less are equal: what is left of the difference is rounding."""


@dataclass(frozen=True)
class Gap:
    """The data next below and next above each of n points in y, at about their x.

    Attributes
    ----------
    nearest : ndarray of bool, shape (n, m)
        Whether each of m bins is the nearest in y on its side and, of those that are, in x. Seeds
        of one schedule are equally near, so there may be several.
    between : ndarray of bool, shape (n,)
        Whether there is data on either side.
    depth : ndarray, shape (n,)
        0 at the data, 1 midway between the two sides.
    """

    nearest: NDArray[np.bool_]
    between: NDArray[np.bool_]
    depth: Floats

    @classmethod
    def around(
        cls, points: Floats, bins: Bins, window: float = WINDOW, without: Ints | None = None
    ) -> Gap:
        """Look for data within `window` in x.

        Parameters
        ----------
        points : ndarray, shape (n, 2)
            Unit coordinates.
        bins : Bins
            The data.
        window : float
            Farthest distance in x, in unit axes.
        without : ndarray of int, shape (n,), optional
            Run whose bins are not looked at, for each point.
        """
        away = np.abs(points[:, :1] - bins.u)
        near = away <= window
        if without is not None:
            near &= without[:, None] != bins.run
        rise = bins.v - points[:, 1:2]
        above, up = _nearest(np.where(near & (rise >= 0), rise, np.inf), away)
        below, down = _nearest(np.where(near & (rise <= 0), -rise, np.inf), away)
        # One run alone has no other side, so it supports no more than a ribbon.
        between = np.isfinite(up) & np.isfinite(down) & (bins.n_runs > 1)
        width = np.where(between & (up + down > 0), up + down, 1.0)
        depth = np.where(between, 2 * np.minimum(up, down) / width, 0.0)
        return cls(above | below, between, depth)


def _nearest(distance: Floats, away: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Find the nearest in y, of those the nearest in x, and how far off in y they are."""
    least = distance.min(axis=1)
    away = np.where(distance <= least[:, None] + TIE, away, np.inf)
    return away <= away.min(axis=1, keepdims=True) + TIE, least


def gaps_left(bins: Bins) -> Gap:
    """Give the gap that is left at each bin when its run is taken away."""
    return Gap.around(np.column_stack([bins.u, bins.v]), bins, without=bins.run)


def misses(error: Floats, noise: Floats, bins: Bins, gap: Gap) -> Floats:
    """Give what leaving out the run of each bin misses midway in the gap that it leaves.

    It is 0 where the run is the outermost: beyond the others, the error tells how far one must not
    extrapolate, which is not done.

    Parameters
    ----------
    error : ndarray, shape (n,)
        Of each bin, predicted from the other runs.
    noise : ndarray, shape (n,)
        Variance of the bin itself, which is no fault of the prediction.
    bins : Bins
        The data, n of them.
    gap : Gap
        What `gaps_left` gives.
    """
    parts = Groups.by(bins.part)
    excess = parts.mean(np.where(gap.between, error**2 - noise, 0.0))[parts.member]
    # The squared error of a jump at an unknown place in the gap grows in proportion to the depth.
    return np.sqrt(np.maximum(excess, 0.0) / np.maximum(gap.depth, SHALLOW)) * gap.between


def doubt_between(points: Floats, bins: Bins, miss: Floats) -> Floats:
    """Give the standard deviation that a gap adds to a smooth interpolation across it.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Unit coordinates.
    bins : Bins
        The data, m of them.
    miss : ndarray, shape (m,)
        What `misses` gives.
    """
    gap = Gap.around(points, bins)
    worst = np.where(gap.nearest, miss, 0.0).max(axis=1)
    return DOUBT * np.sqrt(gap.depth) * worst
