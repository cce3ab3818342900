"""The difference of two fitted surfaces, where both are supported and with their joint band."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis._axes import Axis
from viz3d.analysis._groups import Floats
from viz3d.analysis._process import NINETY
from viz3d.analysis.surface_model import Prediction, SurfaceModel

GRID = 96
"""Points along each axis."""

BAND = 1.96
"""Joint standard deviations that a difference must exceed; `benchmarks/difference_truths.py`."""

Line = Callable[[Floats], Floats]

APART = "The two sides share no {0}: A has {0} from {1:.4g} to {2:.4g}, B from {3:.4g} to {4:.4g}."


@dataclass(frozen=True)
class Difference:
    """A minus B on a common grid or along a common line.

    Attributes
    ----------
    x : ndarray, shape (nx,)
        What both sides' data span, evenly spaced on the fitted axis, in data units.
    y : ndarray, shape (ny,)
        Likewise; empty along a line, where every other array has one row.
    a, b : ndarray, shape (ny, nx)
        The two surfaces; NaN where one of them is not supported, as in `d` and `deviation`.
    d : ndarray, shape (ny, nx)
        a - b, or log(a / b) where `log` holds.
    deviation : ndarray, shape (ny, nx)
        Standard deviation of `d` from both widened bands.
    support : ndarray, shape (ny, nx)
        The lesser of the two supports, 0 to 1.
    log : bool
        Whether both surfaces were fitted to logarithms.
    runs : tuple of int
        Runs of A and of B. A single run tells nothing about other seeds, so neither does a
        difference that has one on a side.
    reason : str
        One plain sentence why nothing can be compared, or an empty string.
    """

    x: Floats
    y: Floats
    a: Floats
    b: Floats
    d: Floats
    deviation: Floats
    support: Floats
    log: bool
    runs: tuple[int, int]
    reason: str

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Where both are supported, shape (ny, nx)."""
        return self.support > 0

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """Where both are supported and the difference is within the joint band, (ny, nx)."""
        return self.shown & ~(np.abs(self.d) >= BAND * self.deviation)

    @property
    def shares(self) -> tuple[float, float, float]:
        """Shares of the common supported grid: A below B, A above B, undecided; NaN for none."""
        count = int(self.shown.sum())
        if not count:
            return float("nan"), float("nan"), float("nan")
        decided = self.shown & ~self.undecided
        below, above = decided & (self.d < 0), decided & (self.d > 0)
        return below.sum() / count, above.sum() / count, self.undecided.sum() / count


def subtract(a: SurfaceModel, b: SurfaceModel, grid: int = GRID) -> Difference:
    """Subtract surface B from surface A on a grid over the box that both share.

    The difference of two independent normal variables has the sum of their variances; both bands
    are widened already. It is undecided within 1.96 standard deviations, point by point: it is no
    test of the whole surface.

    Parameters
    ----------
    a, b : SurfaceModel
        Fitted, with the same scales of x and y.
    grid : int
        Points along each axis.

    Returns
    -------
    Difference
        With a `reason` and no support where nothing can be compared.

    Raises
    ------
    ValueError
        If the axes have different scales.
    """
    if (a.x_scale, a.y_scale) != (b.x_scale, b.y_scale):
        raise ValueError(
            f"The axes of A are {a.x_scale} and {a.y_scale}, those of B {b.x_scale} and "
            f"{b.y_scale}; fit both on the same."
        )
    why_not = _why_not(a, b)
    x_axis = None if why_not else Axis.common(a.x_axis_, b.x_axis_)
    y_axis = None if why_not else Axis.common(a.y_axis_, b.y_axis_)
    if x_axis is None or y_axis is None:
        apart = ("x", a.x_axis_, b.x_axis_) if x_axis is None else ("y", a.y_axis_, b.y_axis_)
        return _nothing(a, b, why_not or _apart(*apart))
    x, y = x_axis.ticks(grid), y_axis.ticks(grid)
    at = np.tile(x, grid), np.repeat(y, grid)
    return _difference(a, b, (x, y), (a.predict(*at), b.predict(*at)))


def subtract_along(
    a: SurfaceModel, b: SurfaceModel, lines: tuple[Line, Line], grid: int = GRID
) -> Difference:
    """Subtract B from A along the x that both span, each read off on a line of its own.

    Parameters
    ----------
    a, b : SurfaceModel
        Fitted, with the same scale of x.
    lines : tuple of callable
        For A and for B: y, shape (n,), at x, shape (n,).
    grid : int
        Points along the line.
    """
    why_not = _why_not(a, b)
    axis = None if why_not else Axis.common(a.x_axis_, b.x_axis_)
    if axis is None:
        return _nothing(a, b, why_not or _apart("x", a.x_axis_, b.x_axis_))
    x = axis.ticks(grid)
    read = a.predict(x, lines[0](x)), b.predict(x, lines[1](x))
    return _difference(a, b, (x, np.empty(0)), read)


def _difference(
    a: SurfaceModel,
    b: SurfaceModel,
    at: tuple[Floats, Floats],
    read: tuple[Prediction, Prediction],
) -> Difference:
    log = _log(a, b)
    support = np.minimum(read[0].support, read[1].support)
    shown, shape = support > 0, (max(len(at[1]), 1), len(at[0]))
    scaled = [_scaled(side, log) for side in read]
    d = scaled[0][0] - scaled[1][0]
    deviation = np.hypot(scaled[0][1], scaled[1][1])
    columns = (read[0].z, read[1].z, d, deviation)
    za, zb, d, deviation = (np.where(shown, c, np.nan).reshape(shape) for c in columns)
    reason = (
        ""
        if shown.any()
        else "There is no point at which both sides are supported: their runs lie apart, or their "
        "bands are too wide."
    )
    counts = (a.samples_.n_runs, b.samples_.n_runs)
    return Difference(*at, za, zb, d, deviation, support.reshape(shape), log, counts, reason)


def _scaled(side: Prediction, log: bool) -> tuple[Floats, Floats]:
    """Value and standard deviation on the scale of the difference."""
    values = (side.z, side.lower, side.upper)
    z, lower, upper = (np.log(v) for v in values) if log else values
    return z, (upper - lower) / (2 * NINETY)


def _log(a: SurfaceModel, b: SurfaceModel) -> bool:
    return a.samples_.z_scale == b.samples_.z_scale == "log"


def _why_not(a: SurfaceModel, b: SurfaceModel) -> str:
    found = [
        f"Side {name} has no surface. {model.reason_}"
        for name, model in (("A", a), ("B", b))
        if model.reason_
    ]
    return " ".join(found)


def _apart(name: str, first: Axis, second: Axis) -> str:
    return APART.format(name, *first.ticks(2), *second.ticks(2))


def _nothing(a: SurfaceModel, b: SurfaceModel, reason: str) -> Difference:
    empty, none = np.empty(0), np.empty((0, 0))
    counts = (a.samples_.n_runs, b.samples_.n_runs)
    return Difference(empty, empty, none, none, none, none, none, _log(a, b), counts, reason)
