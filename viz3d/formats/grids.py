"""Landscapes: what every file of one must hold, and long tables with a row for each node."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.steps import STEP_NAMES
from viz3d.grid import LandscapeGrid

if TYPE_CHECKING:
    from viz3d.formats.table import Table
    from viz3d.formats.tally import Tally

# The coordinates of a node in a long table: of reward-surfaces, and of our own exports.
PAIRS = (("dim0", "dim1"), ("alpha", "beta"))
# Which files may hold a landscape, by name: weights are saved under the same endings, and nobody
# wants those downloaded to learn that they are none. Li's script puts the range in brackets.
_TELLING = re.compile(r"surf|landscape|loss|plane|pca|random|grid|\[[^\]]*,[^\]]*\]", re.IGNORECASE)


def called_a_grid(name: str) -> bool:
    """Say whether a file is called like one that holds a landscape."""
    return bool(_TELLING.search(name))


def checked(
    name: str,
    alpha: np.ndarray,
    beta: np.ndarray | None,
    values: Mapping[str, np.ndarray],
    tally: Tally,
    **more: Any,
) -> LandscapeGrid:
    """Return a landscape with ascending coordinates, and tell what of it was not measured.

    Parameters
    ----------
    name : str
    alpha, beta : ndarray
    values : mapping of {quantity: ndarray}
        Of shape (ny, nx), or (nx,) for a line.
    tally : Tally
    **more
        Other attributes of `LandscapeGrid`.

    Raises
    ------
    NotMine
        If a coordinate is not finite or stands twice, no quantity has the grid's shape, or there
        are more nodes than a landscape can have.
    """
    axes = [axis for axis in (alpha, beta) if axis is not None]
    for axis in axes:
        if axis.ndim != 1 or not len(axis) or not np.isfinite(axis).all():
            raise NotMine("its coordinates are no list of finite numbers")
        if len(np.unique(axis)) < len(axis):
            raise NotMine("a coordinate stands twice in it")
    shape = tuple(len(axis) for axis in reversed(axes))
    if np.prod(shape, dtype=np.float64) > limits.GRID_NODES:
        raise NotMine(limits.reason("it has more than {limit:GRID_NODES} nodes"))
    order = np.ix_(*(np.argsort(axis) for axis in reversed(axes)))
    errors = more.pop("errors", {})
    fit = {
        what: {key: array[order] for key, array in arrays.items() if array.shape == shape}
        for what, arrays in (("values", values), ("errors", errors))
    }
    if not fit["values"]:
        raise NotMine("no value in it has the shape of its grid")
    for key in (*values, *errors):
        if key not in fit["values"]:
            tally.add(
                "{n} array{|s} of another shape than the grid {was|were} left out ({names}).",
                name=key,
            )
    grid = LandscapeGrid(name, np.sort(alpha), None if beta is None else np.sort(beta),
                         fit["values"], fit["errors"], **more)  # fmt: skip
    _tell_missing(grid, tally)
    return grid


def _tell_missing(grid: LandscapeGrid, tally: Tally) -> None:
    for key, array in grid.values.items():
        if gone := int(np.isnan(array).sum()):
            tally.add(
                f"{gone:,} of {grid.nodes:,} nodes of {grid.name} have no {key}: the measurement "
                "was not finished, or gave NaN.",
                remedy="They stay empty in the chart.",
            )


def in_order(grids: Sequence[LandscapeGrid]) -> tuple[LandscapeGrid, ...]:
    """Return a run's landscapes, planes before lines; those of one name get numbers."""
    names = [grid.name for grid in grids]
    seen: dict[str, int] = {}
    apart = []
    for grid in sorted(grids, key=lambda grid: grid.beta is None):
        seen[grid.name] = seen.get(grid.name, 0) + 1
        several = names.count(grid.name) > 1
        apart.append(replace(grid, name=f"{grid.name} #{seen[grid.name]}") if several else grid)
    return tuple(apart)


def is_grid(table: Table) -> bool:
    """Say whether each row is a node: two coordinates that fill half a grid at least, no step."""
    pair = _pair(table)
    if pair is None or any(name in table.columns for name in STEP_NAMES):
        return False
    places = np.stack([table.full(name) for name in pair], axis=-1)
    places = places[np.isfinite(places).all(axis=1)]
    nx, ny = (len(np.unique(places[:, i])) for i in (0, 1))
    return nx > 1 and ny > 1 and 2 * len(np.unique(places, axis=0)) >= nx * ny


def grid_of(table: Table, name: str, tally: Tally) -> LandscapeGrid:
    """Read a landscape from a table with one row for each node.

    Parameters
    ----------
    table : Table
        For which `is_grid` holds.
    name : str
        Of the landscape.
    tally : Tally
        Is told of rows without a place, of nodes that stand twice, and of repeated coordinates.

    Raises
    ------
    NotMine
        As `checked`.
    """
    pair = _pair(table)
    assert pair is not None
    x, y = (table.full(column) for column in pair)
    placed = np.isfinite(x) & np.isfinite(y)
    if lost := int((~placed).sum()):
        tally.add("{n} row{|s} without both coordinates {was|were} left out.", count=lost)
    alpha, column = np.unique(x[placed], return_inverse=True)
    beta, row = np.unique(y[placed], return_inverse=True)
    if len(alpha) * len(beta) > limits.GRID_NODES:
        raise NotMine(limits.reason("it has more than {limit:GRID_NODES} nodes"))
    if twice := len(row) - len(np.unique(row * len(alpha) + column)):
        tally.add("{n} node{|s} stood twice, the later row was kept.", count=twice)
    values = {}
    for quantity in table.columns:
        if quantity in pair:
            continue
        if quantity in {f"{one} (2)" for one in pair}:
            tally.add(
                "{n} column{|s} repeat{s|} a coordinate and {was|were} left out ({names}).",
                name=quantity,
            )
            continue
        cells = np.full((len(beta), len(alpha)), np.nan)
        cells[row, column] = table.full(quantity)[placed]
        values[quantity] = cells
    return checked(name, alpha, beta, values, tally)


def _pair(table: Table) -> tuple[str, str] | None:
    return next((pair for pair in PAIRS if set(pair) <= set(table.columns)), None)
