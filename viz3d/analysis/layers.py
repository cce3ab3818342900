"""Put per-layer gradient norms on a grid of layer x step, as measured.

Layers are separate things, not points of a continuum: nothing is smoothed or interpolated across
them. Within a layer a cell is the median of the norms logged in its range of steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

BINS = 200
"""Most columns of the grid: about what a screen can tell apart along a 3D axis."""

FAR = 1e3
"""A layer vanishes (explodes) when it ends this many times below (above) the median layer."""

TAIL = 0.1
"""Share of the run, at its end, on which layers are judged."""


@dataclass(frozen=True)
class LayerGrid:
    """Gradient norms per layer and range of steps.

    Attributes
    ----------
    step : ndarray of int64, shape (n_bins,)
        First logged step of each column.
    names : tuple of str, length n_layers
        In model order.
    norm : ndarray of float64, shape (n_layers, n_bins)
        Median gradient norm; NaN where nothing finite was logged. A cell whose median is exactly
        zero is 0 here, so that a dead layer can be told from a missing one.
    logged : ndarray of bool, shape (n_layers, n_bins)
        Where anything was logged, be it NaN.
    final : ndarray of float64, shape (n_layers,)
        Median over the last tenth of the steps.
    state : tuple of str, length n_layers
        ``"vanishing"``, ``"exploding"`` or ``""`` by the rule of `FAR`.
    rows, zeros, nonfinite : int
        Logged rows, and how many of them were exactly zero or not finite.
    steps_per_bin : float
        Mean number of logged steps behind a column; 1.0 when nothing was merged.
    """

    step: NDArray[np.int64]
    names: tuple[str, ...]
    norm: NDArray[np.float64]
    logged: NDArray[np.bool_]
    final: NDArray[np.float64]
    state: tuple[str, ...]
    rows: int
    zeros: int
    nonfinite: int
    steps_per_bin: float


def layer_grid(layers: pd.DataFrame, *, bins: int = BINS) -> LayerGrid:
    """Lay the rows of ``Run.layers`` on a grid.

    Parameters
    ----------
    layers : pandas.DataFrame
        As ``Run.layers``, with at least one row.
    bins : int
        Most columns.

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if layers.empty:
        raise ValueError("The table of layers has no rows; pass the layers of a run that has some.")
    steps, column = _columns(layers["step"].to_numpy(np.int64), bins)
    norms = layers["grad_norm"].to_numpy(np.float64)
    order = layers["layer"].to_numpy(np.int64)
    ids, row, names = _rows(order, layers["name"])
    norm = _medians(row, column, norms, (len(ids), int(column.max()) + 1))
    logged = np.zeros(norm.shape, dtype=np.bool_)
    logged[row, column] = True
    unique = np.unique(layers["step"].to_numpy(np.int64))
    late = layers["step"].to_numpy(np.int64) >= unique[int((1 - TAIL) * (len(unique) - 1))]
    final = _medians(row[late], np.zeros(late.sum(), dtype=np.int64), norms[late], (len(ids), 1))
    return LayerGrid(
        step=steps,
        names=names,
        norm=norm,
        logged=logged,
        final=final[:, 0],
        state=_states(final[:, 0]),
        rows=len(layers),
        zeros=int((norms == 0).sum()),
        nonfinite=int((~np.isfinite(norms)).sum()),
        steps_per_bin=len(unique) / len(steps),
    )


def _columns(step: NDArray[np.int64], bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First step of each column, and the column of each row; empty columns are left out."""
    unique, place = np.unique(step, return_inverse=True)
    if len(unique) <= bins:
        return unique, place
    width = (unique[-1] - unique[0]) / bins
    bucket = np.minimum((unique - unique[0]) / width, bins - 1).astype(np.int64)
    _, first, column = np.unique(bucket, return_index=True, return_inverse=True)
    return unique[first], column[place]


def _rows(
    order: NDArray[np.int64], names: pd.Series
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Layers in model order, the grid row of each table row, and a name per layer."""
    ids, first, row = np.unique(order, return_index=True, return_inverse=True)
    return ids, row, tuple(str(name) for name in names.to_numpy()[first])


def _medians(
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    value: NDArray[np.float64],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Median of the finite values in each cell, by one sort; NaN in empty cells."""
    good = np.isfinite(value)
    cell, value = (row * shape[1] + column)[good], value[good]
    by_cell = np.lexsort((value, cell))
    cell, value = cell[by_cell], value[by_cell]
    found, first, count = np.unique(cell, return_index=True, return_counts=True)
    grid = np.full(shape[0] * shape[1], np.nan)
    grid[found] = (value[first + (count - 1) // 2] + value[first + count // 2]) / 2
    return grid.reshape(shape)


def _states(final: NDArray[np.float64]) -> tuple[str, ...]:
    known = final[np.isfinite(final)]
    middle = float(np.median(known)) if len(known) else 0.0
    if middle <= 0:
        return ("",) * len(final)
    return tuple(
        "vanishing" if value < middle / FAR else "exploding" if value > middle * FAR else ""
        for value in final
    )
