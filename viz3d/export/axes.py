"""The axes of a scene: where data lie between their ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EDGE = 1e-5
"""What is outside an axis by less than this share of it is rounding of 32-bit numbers."""

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Axis:
    """How an axis of the chart lies in the mesh.

    Attributes
    ----------
    title : str
    log : bool
    low, high : float
        Ends of the axis, on a logarithmic one in powers of ten.
    length : float
        In the mesh, centred on zero: ``low`` lies at ``-length / 2``, ``high`` at ``length / 2``.
    ticks : mapping of str to float
        Words at the ticks, where the axis has them, and the value each stands at.
    """

    title: str
    log: bool
    low: float
    high: float
    length: float
    ticks: Mapping[str, float]

    def scaled(self, values: Floats) -> Floats:
        """Return data on the scale of the axis; NaN where a logarithm does not exist."""
        if not self.log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, np.log10(values), np.nan)

    def place(self, values: Floats) -> Floats:
        """Return where data lie in the mesh; NaN outside the axis."""
        share = shares(self.scaled(values), self.low, self.high)
        inside = (share >= -EDGE) & (share <= 1 + EDGE)
        return np.where(inside, (np.clip(share, 0, 1) - 0.5) * self.length, np.nan)


def axes_of(figure: Any) -> tuple[Axis, ...]:
    """Return the axes of a figure's scene."""
    scene = figure.layout.scene
    return tuple(
        _axis(figure, name, scene[f"{name}axis"], scene.aspectratio[name]) for name in AXES
    )


def _axis(figure: Any, name: str, axis: Any, length: float | None) -> Axis:
    log = axis.type == "log"
    ends = axis.range or _extent(figure, name, log=log)
    low, high = apart(*(float(end) for end in ends))
    places = axis.tickvals if axis.ticktext else ()
    ticks = dict(zip(map(str, axis.ticktext or ()), map(float, places), strict=True))
    title = unescape(str(axis.title.text or ""))
    return Axis(title, log, low, high, float(length or 1), ticks)


def _extent(figure: Any, name: str, *, log: bool) -> tuple[float, float]:
    """Return the range of the data, for an axis that has none."""
    parts = [np.ravel(np.asarray(t[name], float)) for t in figure.data if t[name] is not None]
    values = np.concatenate(parts or [np.zeros(1)])
    values = np.log10(values[values > 0]) if log else values
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def shares(values: Floats, low: float, high: float) -> Floats:
    """Return ``(values - low) / (high - low)``, also where the two lie over 1.8e308 apart."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(high - low):
            return (values - low) / (high - low)
        return (values / 2 - low / 2) / (high / 2 - low / 2)


def apart(low: float, high: float) -> tuple[float, float]:
    """Return the two, or where they are one number, it and one beside it."""
    if low != high:
        return low, high
    if abs(low) < 1e15:
        return low, low + 1
    return min(low, low / 2), max(low, low / 2)  # there a step of 1 is lost in rounding
