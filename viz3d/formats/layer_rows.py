"""Which rows of a table tell of one layer each, and which of the run as a whole.

A label says that only where it tells apart what was logged at one step: the name of a run, or the
module that a single late row is about, stands in rows of the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.layers import MEASURES
from viz3d.formats.table import Table

if TYPE_CHECKING:
    from viz3d.formats.rows import Cells

OWN = frozenset({"step", "layer", *MEASURES})


def parted(table: Table) -> tuple[Table | None, Table]:
    """Part the rows of layers from the others.

    Parameters
    ----------
    table : Table
        Of layers where it has a step, a gradient norm, and a number or text that differs within a
        step, or nothing else beside it.

    Returns
    -------
    layers : Table or None
        Rows with such a label and a measure of the layer.
    others : Table
    """
    labels, number = table.labels, table.columns.get("layer")
    if not {"step", "grad_norm"} <= {*table.columns} or not (labels or number):
        return None, table
    steps = table.full("step")
    steps[~_there(table.n, [table.columns["grad_norm"]])] = np.nan
    telling = {name for name, cells in labels.items() if _differs(cells, steps)}
    alone = {*table.columns} <= OWN
    if telling or (number and _differs(number, steps)):
        # A name that is the same in all rows is that of the run.
        kept = {name: labels[name] for name in labels if name in {*telling, "layer"}}
        table = replace(table, labels=kept)
    elif not alone:
        return None, table
    if alone:
        return table, Table(0)
    measured = [table.columns[name] for name in MEASURES if name in table.columns]
    mine = _there(table.n, [*table.labels.values(), *([number] if number else [])])
    mine &= _there(table.n, measured)
    return (table, Table(0)) if mine.all() else (table.only(mine), table.only(~mine))


def _there(n: int, columns: Iterable[Cells]) -> np.ndarray:
    """Say which of `n` rows have a cell in one of the columns."""
    there = np.zeros(n, dtype=bool)
    for cells in columns:
        there[cells.row] = True
    return there


def _differs(cells: Cells, steps: np.ndarray) -> bool:
    """Say whether a column holds different things at one step; rows whose step is NaN say none."""
    import pandas as pd

    step = steps[cells.row]
    known = ~np.isnan(step)
    codes = pd.Series(pd.factorize(cells.value[known])[0])
    return bool((codes != codes.groupby(step[known]).transform("first")).any())
