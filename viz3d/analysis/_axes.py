"""An axis of a surface: data units to the unit interval in which the surface is fitted, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SCALES = ("linear", "log", "log1p")
BOX_QUANTILES = (0.005, 0.995)
"""The box ends here, so that one outlying value cannot stretch it."""

PIVOT_SHARE = 0.01
"""log1p bends at this share of the largest value.

A plain logarithm of the step would spend half of the axis on the first hundredth of the samples.
"""


@dataclass(frozen=True)
class Axis:
    """A monotone map between data units and the unit interval.

    Parameters
    ----------
    scale : {"linear", "log", "log1p"}
        Curve of the axis.
    low, high : float
        Ends of the box, in curved units.
    pivot : float, default 1
        Where log1p turns from linear to logarithmic, in data units.
    """

    scale: str
    low: float
    high: float
    pivot: float = 1.0

    @classmethod
    def over(cls, values: Floats, scale: str) -> Axis:
        """Lay the axis over finite values that `admits` lets through, shape (n,), n > 0."""
        largest = float(np.quantile(values, BOX_QUANTILES[1]))
        pivot = PIVOT_SHARE * largest if scale == "log1p" and largest > 0 else 1.0
        curved = _curve(values, scale, pivot)
        low, high = (float(end) for end in np.quantile(curved, BOX_QUANTILES))
        return cls(scale, low, high, pivot)

    @property
    def flat(self) -> bool:
        """Whether the values do not differ enough for arithmetic to tell them apart."""
        size = max(abs(self.low), abs(self.high))
        return not self.high - self.low > 1e-9 * size

    def unit(self, values: ArrayLike) -> Floats:
        """Data units to the unit interval; values outside the box leave the interval."""
        curved = _curve(np.asarray(values, dtype=np.float64), self.scale, self.pivot)
        return (curved - self.low) / (self.high - self.low)

    def data(self, unit: ArrayLike) -> Floats:
        """Back from the unit interval to data units."""
        curved = self.low + np.asarray(unit, dtype=np.float64) * (self.high - self.low)
        if self.scale == "log":
            return np.power(10.0, curved)
        return self.pivot * np.expm1(curved) if self.scale == "log1p" else curved


def admits(values: Floats, scale: str) -> NDArray[np.bool_]:
    """Which finite values the scale can show: all, those above 0 (log), or from 0 on (log1p)."""
    if scale == "log":
        return values > 0
    return values >= 0 if scale == "log1p" else np.ones(values.shape, dtype=bool)


def _curve(values: Floats, scale: str, pivot: float) -> Floats:
    # Points asked for outside the scale's range become NaN or -inf and are answered by "no support".
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "log":
            return np.log10(values)
        return np.log1p(values / pivot) if scale == "log1p" else values
