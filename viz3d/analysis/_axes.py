"""An axis of a surface: from data units to the unit interval in which it is fitted, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viz3d.analysis._groups import Floats

SCALES = ("linear", "log", "log1p")

BOX = (0.005, 0.995)
"""Quantiles at which the box ends, so that one outlying value cannot stretch it."""

PIVOT = 0.01
"""log1p bends at this share of the largest value.

A plain logarithm of the step would spend half of the axis on the first hundredth of the samples.
"""

RESOLUTION = 1e-9
"""Values whose relative difference is smaller are taken as one."""


@dataclass(frozen=True)
class Axis:
    """A monotone map between data units and the unit interval.

    Attributes
    ----------
    scale : {"linear", "log", "log1p"}
        Curve of the axis.
    low, high : float
        Ends of the box, in curved units.
    pivot : float
        Where log1p turns from linear to logarithmic, in data units.
    """

    scale: str
    low: float
    high: float
    pivot: float = 1.0

    @classmethod
    def over(cls, values: Floats, scale: str) -> Axis:
        """Lay the axis over finite values that `admits` lets through, shape (n,)."""
        if not len(values):
            return cls(scale, float("nan"), float("nan"))
        largest = float(np.quantile(values, BOX[1]))
        pivot = PIVOT * largest if scale == "log1p" and largest > 0 else 1.0
        curved = _curve(values, scale, pivot)
        low, high = np.quantile(curved, BOX)
        if low == high:
            # So few samples differ from all others that the quantiles do not see them.
            low, high = curved.min(), curved.max()
        return cls(scale, float(low), float(high), pivot)

    @classmethod
    def common(cls, first: Axis, second: Axis) -> Axis | None:
        """Lay an axis over what two boxes of one scale share; None where they share nothing."""
        pivot = max(first.pivot, second.pivot)
        ends = _curve(np.array([first.ticks(2), second.ticks(2)]), first.scale, pivot)
        low, high = float(ends[:, 0].max()), float(ends[:, 1].min())
        shared = cls(first.scale, low, high, pivot)
        return shared if high > low and not shared.flat else None

    @property
    def flat(self) -> bool:
        """Whether all values are one."""
        return not self.high - self.low > RESOLUTION * max(abs(self.low), abs(self.high))

    def unit(self, values: ArrayLike) -> Floats:
        """Turn data units into the unit interval; values outside the box leave the interval."""
        curved = _curve(np.asarray(values, dtype=np.float64), self.scale, self.pivot)
        return (curved - self.low) / (self.high - self.low)

    def ticks(self, count: int) -> Floats:
        """Lay `count` values over the box, even on this axis, in data units."""
        curved = np.linspace(self.low, self.high, count)
        if self.scale == "log":
            return np.power(10.0, curved)
        return self.pivot * np.expm1(curved) if self.scale == "log1p" else curved


def admits(values: Floats, scale: str) -> NDArray[np.bool_]:
    """Which finite values the scale can show: all, those above 0 (log), or from 0 on (log1p)."""
    if scale == "log":
        return values > 0
    return values >= 0 if scale == "log1p" else np.ones(values.shape, dtype=bool)


def _curve(values: Floats, scale: str, pivot: float) -> Floats:
    # Points asked for outside the scale's range become NaN or -inf, where there is no support.
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "log":
            return np.log10(values)
        return np.log1p(values / pivot) if scale == "log1p" else values
