"""Tells a table of several runs from that of one, by the columns that name a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats.epochs import numbered
from viz3d.formats.numbers import NOT_NUMBERS
from viz3d.formats.rows import CLOCKS, Cells
from viz3d.formats.steps import counts_steps, find_step
from viz3d.formats.table import RUNS, Table

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

# The part of the rows of a metric that another kind of rows may log again, as one test at the end
# of a training does: a whole table is not declined for them.
FEW = 0.02


def check(table: Table, tally: Tally) -> None:
    """Decline rows of several runs.

    Parameters
    ----------
    table : Table
        Loses the names of runs that are text.
    tally : Tally
        Is told of those.

    Raises
    ------
    NotMine
        If some runs log the same metric at the same step, and not since one was resumed.
    """
    step = find_step(table)
    for name in RUNS:
        cells = table.labels.pop(name, None)
        if cells:
            tally.add(NOT_NUMBERS, count=len(cells.row), name=name)
        cells = cells or table.columns.get(name)
        if step is None or name == step or cells is None:
            continue
        if n := tells_apart(table, step, cells):
            raise NotMine(
                f"its column {name!r} tells {n:,} runs apart; write each into a file of its own"
            )


def tells_apart(table: Table, step: str, names: Cells, *, of_runs: bool = True) -> int:
    """Count the names whose rows would hide each other; 0 where they would not.

    Parameters
    ----------
    table : Table
    step : str
        The column of steps.
    names : Cells
        What says which rows belong together.
    of_runs : bool
        Whether they are of runs. Kinds of rows may share a few, or repeat those of another one.
    """
    n = len(np.unique(names.value))
    # A seed may be drawn for each row.
    return n if 1 < n <= len(names.row) / 2 and _hide_each_other(table, step, names, of_runs) else 0


def _hide_each_other(table: Table, step: str, names: Cells, of_runs: bool) -> bool:
    """Say whether runs log the same metric at the same step, where only one of them would count.

    A run that goes on from another one does so, too: it begins later, and they take no turns.
    """
    import pandas as pd

    steps = _places(table, step)
    code, known = pd.factorize(names.value, use_na_sentinel=False)  # in order of appearance
    take_turns = np.count_nonzero(np.diff(code)) >= len(known)
    run = np.full(table.n, -1)
    run[names.row] = code
    run[np.isnan(steps)] = -1
    begin = np.full(len(known) + 1, np.nan)  # the last one is that of rows of no run
    found, first = np.unique(run, return_index=True)
    begin[found] = steps[first]
    logged: dict[int, list[Cells]] = {}  # columns without gaps share their rows
    for name, cells in table.columns.items():
        if not counts_steps(name) and name not in CLOCKS and name not in RUNS:
            logged.setdefault(id(cells.row), []).append(cells)
    for columns in logged.values():
        rows = columns[0].row
        at = np.flatnonzero(run[rows] >= 0)
        at = at[np.lexsort((run[rows[at]], steps[rows[at]]))]
        before, after = rows[at[:-1]], rows[at[1:]]
        shared = (steps[before] == steps[after]) & (run[before] != run[after])
        resumed = begin[run[before]] < begin[run[after]]
        hidden = shared & (take_turns | ~resumed)
        # Of kinds that log the same at each step nobody can say that one repeats another.
        if not of_runs and 2 * np.count_nonzero(hidden) < len(rows):
            hidden &= _differ(columns, at)
        if np.count_nonzero(hidden) > (0 if of_runs else FEW * len(rows)):
            return True
    return False


def _places(table: Table, step: str) -> np.ndarray:
    """Return the steps of a table as float64 of shape (n,): those within an epoch apart by it."""
    steps = table.full(step)
    if numbered(table, step) is None:
        return steps
    epoch = next(table.full(name) for name in table.columns if name.lower() == "epoch")
    both = np.array([np.nan_to_num(np.floor(epoch), nan=-1), np.nan_to_num(steps)])
    place = np.unique(both, axis=1, return_inverse=True)[1].reshape(-1)
    return np.where(np.isnan(steps), np.nan, place)


def _differ(columns: list[Cells], at: np.ndarray) -> np.ndarray:
    """Say of each cell but the last whether the next one of a column has another value."""
    values = (cells.value[at] for cells in columns)
    return np.any(
        [(each[1:] != each[:-1]) & ~(np.isnan(each[1:]) & np.isnan(each[:-1])) for each in values],
        axis=0,
    )
