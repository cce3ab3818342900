"""Follow the best learning rate over the steps, and say where the surface can tell it apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.surface import Surface

WIDE = 0.5
"""A column can name a best rate when it is supported over this share of the rates, and resolves
it when the rates that cannot be told from the best span less than this share of those supported."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Valley:
    """The y with the lowest z in every column of a surface, each array of shape (nx,).

    Attributes
    ----------
    x : ndarray
        Data units.
    y, z : ndarray
        The best y and the surface there; NaN in columns with too little support to say.
    low, high : ndarray
        Ends of the range of y whose band overlaps that of the best one.
    resolved : ndarray of bool
        Whether that range spans less than half of the supported one, and neither holds a hole nor
        borders on one, in which a better y might hide.
    at_edge : ndarray of bool
        Whether that range ends at the end of the box, so that the true best may lie beyond it.
    """

    x: Floats
    y: Floats
    z: Floats
    low: Floats
    high: Floats
    resolved: NDArray[np.bool_]
    at_edge: NDArray[np.bool_]


def find_valley(surface: Surface) -> Valley:
    """Find the lowest supported z of every column.

    Two points of a column cannot be told apart when their approximate 90 % bands overlap. That is
    a cautious rule: the errors of neighbours go together, so a difference is surer than either.
    """
    z, ny = surface.z, len(surface.y)
    shown = np.isfinite(z)
    enough = shown.sum(axis=0) >= WIDE * ny
    filled = np.where(shown, z, np.inf)
    best = filled.argmin(axis=0)
    columns = np.arange(z.shape[1])
    tied = shown & (surface.lower <= surface.upper[best, columns])
    first, last = _ends(tied)
    bottom, top = _ends(shown)
    # In rows, which are evenly spaced on the fitted axis.
    narrow = last - first < WIDE * (top - bottom)
    below = np.vstack([np.zeros(shown.shape[1], dtype=int), np.cumsum(shown, axis=0)])
    whole = below[last + 1, columns] - below[first, columns] == last - first + 1
    closed = whole & _shown(shown, first - 1) & _shown(shown, last + 1)

    def known(values: Floats) -> Floats:
        return np.where(enough, values, np.nan)

    return Valley(
        x=surface.x,
        y=known(surface.y[best]),
        z=known(filled[best, columns]),
        low=known(surface.y[first]),
        high=known(surface.y[last]),
        resolved=enough & narrow & closed,
        at_edge=enough & ((first == 0) | (last == ny - 1)),
    )


def _shown(shown: NDArray[np.bool_], row: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the surface is shown in this row of each column; beyond the box nothing is hidden."""
    inside = (row >= 0) & (row < len(shown))
    return ~inside | shown[np.clip(row, 0, len(shown) - 1), np.arange(shown.shape[1])]


def _ends(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last True row of each column; 0 and the last row in columns without any."""
    return mask.argmax(axis=0), len(mask) - 1 - mask[::-1].argmax(axis=0)
