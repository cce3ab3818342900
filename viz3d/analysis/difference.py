"""The difference of two fitted surfaces, where both are supported and with its own band."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis._axes import RESOLUTION, Axis
from viz3d.analysis._contrast import ContrastModel
from viz3d.analysis._groups import Floats
from viz3d.analysis._samples import clean_samples
from viz3d.analysis._sides import SampleColumns, Side

GRID, ALONG = 96, 200
"""Points along each axis of a grid, and along a line."""

BAND = 1.96
"""Standard deviations that hold 95 % of a Gaussian: a difference is decided beyond them."""

NOWHERE = (
    "There is no point at which both sides are supported: their runs lie apart, or the bands are "
    "too wide."
)


@dataclass(frozen=True)
class Difference:
    """A minus B on a common grid, or along a line.

    Attributes
    ----------
    x : ndarray, shape (nx,)
        What both sides' data span, evenly spaced on the fitted axis, in data units.
    y : ndarray, shape (ny,)
        Likewise; empty along a line, where every other array has one row.
    a, b : ndarray, shape (ny, nx)
        The two surfaces; NaN where one of them is not supported, as are `d` and `deviation`.
    d : ndarray, shape (ny, nx)
        a - b, or log(a / b) where `log` holds.
    deviation : ndarray, shape (ny, nx)
        Standard deviation of `d`.
    support : ndarray, shape (ny, nx)
        The lesser of the two supports, 0 to 1.
    log : bool
        Whether both sides were fitted on a logarithmic scale.
    kappa : float
        Factor by which the band is wider than the Gaussian process says; NaN without one.
    runs : tuple of int
        Runs of A and of B. One run tells nothing about other seeds.
    dropped : tuple of mapping of str to int
        Samples of A and of B that were left out, by reason.
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
    kappa: float
    runs: tuple[int, int]
    dropped: tuple[Mapping[str, int], Mapping[str, int]]
    reason: str

    @property
    def along(self) -> bool:
        """Whether it is a curve over x, because one side's samples lie on one line."""
        return not len(self.y)

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Where both sides are supported, shape (ny, nx)."""
        return self.support > 0

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """Where both are supported and the difference is within its 95 % band, (ny, nx)."""
        return self.shown & (np.abs(self.d) < BAND * self.deviation)

    @property
    def shares(self) -> tuple[float, float, float]:
        """Shares of the common supported grid: A below B, A above B, undecided; NaN for none."""
        return self.shares_of(slice(None))

    def shares_of(self, columns: slice | NDArray[np.bool_]) -> tuple[float, float, float]:
        """Return the same over these columns alone, a slice or booleans of shape (nx,)."""
        shown = self.shown[:, columns]
        d, within = self.d[:, columns][shown], self.undecided[:, columns][shown]
        if not len(d):
            return float("nan"), float("nan"), float("nan")
        return (
            float((~within & (d < 0)).mean()),
            float((~within & (d >= 0)).mean()),
            float(within.mean()),
        )


def subtract(
    a: SampleColumns,
    b: SampleColumns,
    *,
    x_scale: str = "log1p",
    y_scale: str = "log",
    z_scale: str = "auto",
    grid: int = GRID,
    strictness: str = "default",
) -> Difference:
    """Subtract the surface of group B from that of group A where both are supported.

    Each side is fitted by itself, which says where it is supported, and both together, which says
    how they differ and how sure that is (see `viz3d.analysis._contrast`). Where a side's samples
    lie on one line, being of one run or of one schedule, the other is read off on it, and the
    difference is a curve over x.

    The band is of each point by itself: it is no test of the whole surface.

    Parameters
    ----------
    a, b : tuple of array_like, each of shape (n,)
        x, y, z and run of each sample.
    x_scale, y_scale, z_scale, strictness
        As in `fit_surface`.
    grid : int, default 96
        Points along each axis.

    Returns
    -------
    Difference
        With a `reason` and no support where nothing can be compared.

    Raises
    ------
    ValueError
        If columns differ in length or a setting is out of its range.
    """
    sides = [Side.fit(columns, (x_scale, y_scale, z_scale), strictness) for columns in (a, b)]
    first, second = sides
    log = first.samples.z_scale == second.samples.z_scale == "log"
    counts = (first.samples.n_runs, second.samples.n_runs)
    dropped = (first.samples.dropped, second.samples.dropped)
    nothing = partial(_nothing, log=log, runs=counts, dropped=dropped)
    reason = " ".join(
        f"Side {name}: {side.reason}" for name, side in zip("AB", sides, strict=True) if side.reason
    )
    x_axis = None if reason else Axis.common(first.x_axis, second.x_axis)
    if x_axis is None:
        return nothing(reason or _apart("x", first.x_axis, second.x_axis))
    side = first if first.model is None else second
    if side.model is None:
        x, y = x_axis.ticks(ALONG), np.empty(0)
        at = x, side.line(x)
    else:
        y_axis = Axis.common(first.y_axis, second.y_axis)
        if y_axis is None:
            return nothing(_apart("y", first.y_axis, second.y_axis))
        x, y = x_axis.ticks(grid), y_axis.ticks(grid)
        at = np.tile(x, grid), np.repeat(y, grid)
    support = np.minimum(*(side.support(*at) for side in sides))
    shown, shape = support > 0, (max(len(y), 1), len(x))
    if not shown.any():
        return nothing(NOWHERE)
    # Of two lines the second axis says nothing: x stands in its place.
    plain = first.model is None and second.model is None
    scales = (x_scale, x_scale if plain else y_scale, "log" if log else "linear")
    joint = ContrastModel(scales[:2], log=log).fit(
        *(clean_samples(x, x if plain else y, z, run, scales) for x, y, z, run in (a, b))
    )
    read = joint.predict(at[0][shown], at[0 if plain else 1][shown])
    around = {name: np.full(shape, np.nan) for name in ("a", "b", "d", "deviation")}
    for name, values in around.items():
        values[shown.reshape(shape)] = getattr(read, name)
    return Difference(
        x=x, y=y, **around, support=support.reshape(shape), log=log, kappa=joint.kappa_,
        runs=counts, dropped=dropped, reason="",
    )  # fmt: skip


def _apart(name: str, first: Axis, second: Axis) -> str:
    (low_a, high_a), (low_b, high_b) = first.ticks(2), second.ticks(2)
    low, high = max(low_a, low_b), min(high_a, high_b)
    # Where boxes that overlap have no common axis, what they share is one value.
    touching = high >= low or math.isclose(low, high, rel_tol=RESOLUTION)
    shared = f"only one {name}, {low:.4g}" if touching else f"no {name}"
    return (
        f"The sides share {shared}: that of A is from {low_a:.4g} to {high_a:.4g}, that of B from "
        f"{low_b:.4g} to {high_b:.4g}."
    )


def _nothing(reason: str, **known: Any) -> Difference:
    empty, none = np.empty(0), np.empty((0, 0))
    return Difference(
        empty, empty, none, none, none, none, none, kappa=float("nan"), reason=reason, **known
    )
