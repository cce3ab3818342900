"""Stretch the second axis where the surface is steep along it, and press it where it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from viz3d.analysis._bins import Bins
from viz3d.analysis._gaps import Gap
from viz3d.analysis._groups import Floats

KNOTS = np.linspace(0.0, 1.0, 65)
COLUMNS = (np.arange(16) + 0.5) / 16

WIDTH = 0.08
"""Standard deviation of the mean that smooths the steepness, in unit axes."""

LEAST = 0.5
"""Added in squares, as a share of the root mean square: no part of the axis is pressed to nothing.
"""


@dataclass(frozen=True)
class Bend:
    """A monotone map of the unit interval to itself.

    A stationary kernel gives a jump and the plateau beside it one length scale: the band becomes
    too wide on the plateau and too narrow at the jump. On the bent axis both are about equally
    steep, which one length scale can describe (Sampson and Guttorp 1992, for one axis).

    Attributes
    ----------
    place : ndarray, shape (65,)
        Where each of 65 even knots goes.
    """

    place: Floats

    @classmethod
    def none(cls) -> Bend:
        """Leave the axis as it is."""
        return cls(KNOTS)

    @classmethod
    def learn(cls, mean: Callable[[Floats], Floats], bins: Bins) -> Bend:
        """Learn from a first surface, looking only between the runs that it was fitted to."""
        points = np.column_stack([np.repeat(COLUMNS, len(KNOTS)), np.tile(KNOTS, len(COLUMNS))])
        heights = mean(points).reshape(len(COLUMNS), len(KNOTS))
        middle = (KNOTS[1:] + KNOTS[:-1]) / 2
        steep = (np.diff(heights, axis=1) / np.diff(KNOTS)) ** 2
        points = np.column_stack([np.repeat(COLUMNS, len(middle)), np.tile(middle, len(COLUMNS))])
        known = Gap.around(points, bins).between.reshape(steep.shape)
        near = np.exp(-0.5 * ((middle[:, None] - middle) / WIDTH) ** 2)
        square = near @ (known * steep).sum(axis=0) / np.maximum(near @ known.sum(axis=0), 1e-9)
        density = np.sqrt(square + LEAST**2 * square.mean())
        if not density.sum() > 0:
            return cls.none()
        return cls(np.r_[0.0, np.cumsum(density) / density.sum()])

    def at(self, v: Floats) -> Floats:
        """Bend unit values; those outside the interval stay where they are."""
        inside = np.clip(v, 0.0, 1.0)
        return np.interp(inside, KNOTS, self.place) + (v - inside)
