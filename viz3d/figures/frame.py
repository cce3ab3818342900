"""Axis and colour ranges of a chart, so that several charts can share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

Range = tuple[float, float]

WIDE = 10.0
"""An axis of any metric is logarithmic when its values span this many times; see `skewed`."""


@dataclass(frozen=True)
class Frame:
    """Ranges in data units, None where the chart has no say, and whether z is logarithmic."""

    x: Range | None = None
    y: Range | None = None
    z: Range | None = None
    color: Range | None = None
    log: bool = False

    def known(self) -> tuple[Range, Range, Range]:
        """Return the three axes, with the unit interval where nothing is known."""
        x, y, z = (limits or (0.0, 1.0) for limits in (self.x, self.y, self.z))
        return x, y, z


def union(frames: Sequence[Frame]) -> Frame:
    """Return the smallest frame that holds all; z is logarithmic when it is for every one."""
    names = ("x", "y", "z", "color")
    joined = {name: _join([getattr(frame, name) for frame in frames]) for name in names}
    return Frame(**joined, log=all(frame.log for frame in frames))


def _join(ranges: Sequence[Range | None]) -> Range | None:
    known = [r for r in ranges if r is not None]
    return (min(r[0] for r in known), max(r[1] for r in known)) if known else None


def span(*arrays: ArrayLike) -> Range | None:
    """Return the range of all finite values, None without any."""
    values = np.concatenate([np.ravel(np.asarray(a, dtype=np.float64)) for a in arrays])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else None


def skewed(values: ArrayLike, times: float) -> bool:
    """Whether values want a logarithmic axis.

    All finite ones are above 0, and their 95 % quantile is above `times` times their 5 % quantile.
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers) or numbers.min() <= 0:
        return False
    low, high = np.quantile(numbers, [0.05, 0.95])
    return bool(high > times * low)


def padded(limits: Range, *, log: bool = False, share: float = 0.04) -> list[float]:
    """Return an axis range a little wider than the limits; on a log axis in powers of ten."""
    low, high = np.log10(limits) if log else limits
    pad = share * (high - low) or abs(high) * share or share
    return [float(low - pad), float(high + pad)]
