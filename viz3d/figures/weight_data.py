"""The numbers of a landscape in weight space: its nodes as measured, and the path beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.errors import BadArgument, ChartError
from viz3d.figures.frame import WIDE, Frame, skewed, span
from viz3d.figures.needs import as_runs, missing
from viz3d.figures.provenance import origins
from viz3d.figures.text import Drawn
from viz3d.grid import LandscapeGrid
from viz3d.run import Run

KIND = "weight-space"
TITLE = "Weight space"
SCALES = ("auto", "linear", "log")

MOST_DRAWN = 200
"""Rows and columns of nodes that a figure holds; of more, every second, third … is drawn."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WeightSpaceResult:
    """One quantity of one landscape.

    Attributes
    ----------
    run : str
    grid : LandscapeGrid
    quantity : str
        Key of ``grid.values``.
    z : ndarray, shape (ny, nx), or (nx,) for a line
        The values; NaN where there is none or where it is infinite.
    infinite : int
        Nodes at which an infinite value was measured.
    every : int
        Every so many rows and columns are drawn.
    own : ndarray, shape (k,)
        What the checkpoints of the path gave by themselves; NaN where unknown.
    beside : ndarray, shape (k,)
        The value at the node nearest to each of them; NaN outside the grid.
    beside_error : ndarray, shape (k,)
    frame : Frame
    settings, origins : as in every chart
    """

    run: str
    grid: LandscapeGrid
    quantity: str
    z: Floats
    infinite: int
    every: int
    own: Floats
    beside: Floats
    beside_error: Floats
    frame: Frame
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]

    @property
    def error(self) -> Floats | None:
        """Standard errors of `z`; None where none is finite."""
        error = self.grid.errors.get(self.quantity)
        return error if error is not None and np.isfinite(error).any() else None

    @property
    def is_line(self) -> bool:
        """Whether there is one direction only."""
        return self.grid.beta is None

    @property
    def centre(self) -> tuple[int, ...] | None:
        """Index into `z` of the node at the centre; None where that is no node."""
        axes = [axis for axis in (self.grid.beta, self.grid.alpha) if axis is not None]
        at = tuple(int(np.abs(axis).argmin()) for axis in axes)
        near = (abs(axis[i]) <= 1e-9 * np.ptp(axis) for axis, i in zip(axes, at, strict=True))
        return at if all(near) else None

    @property
    def best(self) -> tuple[Drawn, tuple[int, ...]]:
        """Words for, and index of, the lowest node of a loss and the highest of anything else."""
        low = "loss" in self.quantity
        flat = int((np.nanargmin if low else np.nanargmax)(self.z))
        at = tuple(map(int, np.unravel_index(flat, self.z.shape)))
        return f"{'lowest' if low else 'highest'} node", at

    def place(self, at: tuple[int, ...]) -> tuple[float, float]:
        """Return alpha and beta of a node; beta is 0 along a line."""
        beta = 0.0 if self.grid.beta is None else float(self.grid.beta[at[0]])
        return float(self.grid.alpha[at[-1]]), beta


def compute(
    runs: Run | Sequence[Run], *, landscape: str = "", quantity: str = "", scale: str = "auto"
) -> WeightSpaceResult:
    """Take one landscape of a run as it was measured.

    Parameters
    ----------
    runs : Run or sequence of one Run
    landscape : str
        Name of the landscape, by default the run's first.
    quantity : str
        What was measured, by default the landscape's first.
    scale : {"auto", "linear", "log"}
        Of the values; by itself logarithmic where they span a decade.

    Raises
    ------
    MissingMetric
        If the run has no landscape.
    ChartError
        If there is more than one run, nothing finite, or no logarithm of the values.
    ValueError
        If the run has no such landscape, the landscape no such quantity, or there is no such scale.
    """
    chosen = as_runs(runs, TITLE)
    if len(chosen) > 1:
        raise ChartError(f"{TITLE} shows one run at a time; choose one of the {len(chosen)}.")
    [run] = chosen
    if not run.landscapes:
        raise missing(chosen, "landscapes", TITLE)
    if scale not in SCALES:
        raise BadArgument(f"There is no scale {scale!r}; choose one of: {', '.join(SCALES)}.")
    grid = _one({one.name: one for one in run.landscapes}, landscape, f"Run {run.name!r}")
    named = {key: key for key in grid.values}
    quantity = _one(named, quantity, f"The landscape {grid.name!r}")
    values = grid.values[quantity]
    finite = np.isfinite(values)
    if not finite.any():
        raise ChartError(f"No node of the landscape {grid.name!r} has a finite {quantity}.")
    if scale == "log" and values[finite].min() <= 0:
        raise ChartError(f"Some {quantity} is not above zero, so it has no logarithm; "
                         "choose the scale linear.")  # fmt: skip
    z = np.where(finite, values, np.nan)
    own, beside, beside_error = _along_path(grid, quantity, z)
    log = scale == "log" or (scale == "auto" and skewed(z, WIDE))
    return WeightSpaceResult(
        run=run.name,
        grid=grid,
        quantity=quantity,
        z=z,
        infinite=int(np.isinf(values).sum()),
        every=max(1, -(-max(z.shape) // MOST_DRAWN)) if grid.beta is not None else 1,
        own=own,
        beside=beside,
        beside_error=beside_error,
        frame=_frame(grid, z, own, log=log),
        settings={"landscape": grid.name, "quantity": quantity, "scale": scale},
        origins=origins(chosen),
    )


def compute_each(
    groups: Sequence[Sequence[Run]], *, landscapes: Sequence[str] = (), **settings: Any
) -> list[WeightSpaceResult]:
    """Compute one landscape of each group; `landscapes` names one for each, or none at all."""
    names = landscapes or [""] * len(groups)
    return [
        compute(group, landscape=name, **settings)
        for group, name in zip(groups, names, strict=True)
    ]


def _one(known: Mapping[str, Any], wanted: str, holder: str) -> Any:
    """Return what goes by a name, the first where none is given."""
    if wanted and wanted not in known:
        has = ", ".join(known)
        raise BadArgument(f"{holder} has no {wanted!r}; choose one of: {has}.")
    return known[wanted] if wanted else next(iter(known.values()))


def _along_path(grid: LandscapeGrid, quantity: str, z: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the path's own values, those of the nearest nodes and their standard errors.

    Nothing is interpolated: a checkpoint more than half a cell outside the grid has no node.
    """
    path = grid.path
    if path is None:
        nothing = np.empty(0)
        return nothing, nothing, nothing
    own = path.own(quantity)
    own = np.full(len(path.alpha), np.nan) if own is None else own
    column, inside = nearest(grid.alpha, path.alpha)
    at: tuple[Any, ...] = (column,)
    if grid.beta is not None:
        row, in_rows = nearest(grid.beta, path.beta)
        at, inside = (row, column), inside & in_rows
    error = grid.errors.get(quantity, np.full(z.shape, np.nan))
    own = np.where(np.isfinite(own), own, np.nan)
    return own, np.where(inside, z[at], np.nan), np.where(inside, error[at], np.nan)


def nearest(axis: Floats, values: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the index of the node nearest to each value, and whether it is in that node's cell."""
    if not len(values):
        return np.empty(0, np.int64), np.empty(0, bool)
    distance = np.abs(axis[:, None] - np.where(np.isfinite(values), values, np.inf))
    at = distance.argmin(axis=0)
    steps = np.diff(axis)
    reach = (steps[0] / 2, steps[-1] / 2) if len(steps) else (0.0, 0.0)
    inside = (values >= axis[0] - reach[0]) & (values <= axis[-1] + reach[1])
    return at, inside


def _frame(grid: LandscapeGrid, z: Floats, own: Floats, *, log: bool) -> Frame:
    path, beta = grid.path, np.empty(0) if grid.beta is None else grid.beta
    along = (path.alpha, path.beta) if path is not None else (np.empty(0), np.empty(0))
    shown = own[own > 0] if log else own
    error = np.empty(0)
    if grid.beta is None:
        error = np.nan_to_num(next(iter(grid.errors.values()), np.zeros_like(z)))
        error = error if error.shape == z.shape and not log else np.zeros_like(z)
    ends = (z - error, z + error) if len(error) else (z,)
    return Frame(
        x=span(grid.alpha, along[0]),
        y=span(beta, along[1]),
        z=span(*ends, shown),
        color=span(z),
        log=log,
    )
