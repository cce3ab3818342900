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
        Of layers where it has a step, a gradient norm, and a number or text that differs within
        steps, or nothing else beside it.

    Returns
    -------
    layers : Table or None
        Rows with such a label and a measure of the layer.
    others : Table
    """
    labels, number = table.labels, table.columns.get("layer")
    if not {"step", "grad_norm"} <= {*table.columns} or not (labels or number):
        return None, table
    telling = {name for name, cells in labels.items() if _tells(table, cells)}
    alone = {*table.columns} <= OWN
    if telling or (number and _tells(table, number)):
        # A name that is the same in all rows is that of the run.
        kept = {name: labels[name] for name in labels if name in {*telling, "layer"}}
        table = replace(table, labels=kept)
    elif not alone:
        return None, table
    if alone:
        return table, Table(0)
    mine = _there(table.n, [*table.labels.values(), *([number] if number else [])])
    mine &= _measured(table)
    return (table, Table(0)) if mine.all() else (table.only(mine), table.only(~mine))


def _there(n: int, columns: Iterable[Cells]) -> np.ndarray:
    """Say which of `n` rows have a cell in one of the columns."""
    there = np.zeros(n, dtype=bool)
    for cells in columns:
        there[cells.row] = True
    return there


def _measured(table: Table) -> np.ndarray:
    """Say which rows have a measure of a layer."""
    return _there(table.n, [table.columns[name] for name in MEASURES if name in table.columns])


def _tells(table: Table, cells: Cells) -> bool:
    """Say whether a column tells layers apart: it differs within a step that has gradient norms.

    Where something else stands beside the measures, it does so within most steps: the name of a run
    that was resumed does within those that were logged twice.
    """
    if not _differs(table, cells, _there(table.n, [table.columns["grad_norm"]])).any():
        return False
    measured = _measured(table)
    other = _there(table.n, [of for name, of in table.columns.items() if name not in OWN])
    beside = (other & measured)[cells.row].any()
    return not beside or bool(_differs(table, cells, measured).mean() > 0.5)


def _differs(table: Table, cells: Cells, rows: np.ndarray) -> np.ndarray:
    """Say of each step whether a column holds different things at it, in rows that a mask names."""
    import pandas as pd

    step = table.full("step")[cells.row]
    known = rows[cells.row] & ~np.isnan(step)
    codes = pd.Series(pd.factorize(cells.value[known])[0])
    return codes.groupby(step[known]).nunique().to_numpy() > 1
