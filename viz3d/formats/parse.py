"""From a table to what a run is made of: a history, norms per layer, or a landscape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from viz3d.formats.base import Parsed
from viz3d.formats.grids import grid_of, is_grid
from viz3d.formats.layer_rows import parted
from viz3d.formats.layers import long_layers
from viz3d.formats.names import stem
from viz3d.formats.steps import STEP_NAMES, to_rows

if TYPE_CHECKING:
    from viz3d.formats.table import Table
    from viz3d.formats.tally import Tally


def parse_table(
    table: Table,
    tally: Tally,
    *,
    config: Mapping[str, Any] | None = None,
    step_names: tuple[str, ...] = STEP_NAMES,
) -> Parsed:
    """Take a table for what it is.

    Parameters
    ----------
    table : Table
    tally : Tally
        What it counted so far is told too.
    config : mapping, optional
        Hyper-parameters that stood in the same file.
    step_names : tuple of str

    Returns
    -------
    Parsed
    """
    if is_grid(table):
        grids = (grid_of(table, stem(tally.file), tally),)
        return Parsed(
            landscapes=grids, config=config or {}, problems=tally.problems(), used=(tally.file,)
        )
    of_layers, table = parted(table)
    layers = long_layers(of_layers, tally) if of_layers else None
    rows = to_rows(table, tally, step_names) if table.n or layers is None else None
    if rows is not None and not table.n:
        tally.add("There are no rows in it yet.")
    return Parsed(
        rows=rows,
        layers=layers,
        config=config or {},
        problems=tally.problems(),
        used=(tally.file,),
    )
