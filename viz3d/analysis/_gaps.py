"""What lies between two runs, and how far it may be from a smooth curve through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis._bins import Bins
from viz3d.analysis._groups import Floats, Ints

WINDOW = 0.06
"""Runs within this distance in x count as present at an x."""

DOUBT = 0.25
"""Standard deviation midway between two runs, as a share of what leaving one of them out misses.

For a smooth surface the miss falls with the square of the gap, so to a quarter when the gap is
halved; a jump in the gap keeps it.
"""


@dataclass(frozen=True)
class Gap:
    """The data next below and next above each of n points in y, at about their x.

    Attributes
    ----------
    below, above : ndarray of int, shape (n,)
        Index of the nearest bin on either side; meaningless where there is none.
    between : ndarray of bool, shape (n,)
        Whether there is data on either side.
    depth : ndarray, shape (n,)
        0 at the data, 1 midway between the two sides.
    """

    below: Ints
    above: Ints
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
        near = np.abs(points[:, :1] - bins.u) <= window
        if without is not None:
            near &= without[:, None] != bins.run
        rise = bins.v - points[:, 1:2]
        up = np.where(near & (rise >= 0), rise, np.inf)
        down = np.where(near & (rise <= 0), -rise, np.inf)
        above, below = up.argmin(axis=1), down.argmin(axis=1)
        up, down = up.min(axis=1), down.min(axis=1)
        # One run alone has no other side, so it supports no more than a ribbon.
        between = np.isfinite(up) & np.isfinite(down) & (bins.n_runs > 1)
        width = np.where(between & (up + down > 0), up + down, 1.0)
        depth = np.where(between, 2 * np.minimum(up, down) / width, 0.0)
        return cls(below, above, between, depth)


def misses(error: Floats, bins: Bins) -> Floats:
    """Size of the error at each bin when its run is left out, 0 where its run is the outermost.

    Outside of all other runs the error tells how far one must not extrapolate, which is not done.
    """
    gap = Gap.around(np.column_stack([bins.u, bins.v]), bins, without=bins.run)
    return np.where(gap.between, np.abs(error), 0.0)


def doubt_between(points: Floats, bins: Bins, miss: Floats) -> Floats:
    """Give the standard deviation that a gap adds to a smooth interpolation across it.

    Were there a jump at an unknown place in the gap, the squared error would grow in proportion to
    the distance from the nearest run; hence the square root.

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
    worst = np.maximum(miss[gap.below], miss[gap.above])
    return DOUBT * np.sqrt(gap.depth) * worst
