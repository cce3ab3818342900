"""Tells a table of several runs from that of one, by the columns that name a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats.numbers import NOT_NUMBERS
from viz3d.formats.rows import CLOCKS, Cells
from viz3d.formats.steps import counts_steps, find_step
from viz3d.formats.table import RUNS, Table

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally


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


def tells_apart(table: Table, step: str, names: Cells) -> int:
    """Count the names whose rows would hide each other; 0 where they would not.

    Parameters
    ----------
    table : Table
    step : str
        The column of steps.
    names : Cells
        What says which rows belong together.
    """
    n = len(np.unique(names.value))
    # A seed may be drawn for each row.
    return n if 1 < n <= len(names.row) / 2 and _hide_each_other(table, step, names) else 0


def _hide_each_other(table: Table, step: str, names: Cells) -> bool:
    """Say whether runs log the same metric at the same step, where only one of them would count.

    A run that goes on from another one does so, too: it begins later, and they take no turns.
    """
    import pandas as pd

    steps = table.full(step)
    code, known = pd.factorize(names.value, use_na_sentinel=False)  # in order of appearance
    take_turns = np.count_nonzero(np.diff(code)) >= len(known)
    run = np.full(table.n, -1)
    run[names.row] = code
    run[np.isnan(steps)] = -1
    begin = np.full(len(known) + 1, np.nan)  # the last one is that of rows of no run
    found, first = np.unique(run, return_index=True)
    begin[found] = steps[first]
    logged = {
        id(cells.row): cells.row  # columns without gaps share their rows
        for name, cells in table.columns.items()
        if not counts_steps(name) and name not in CLOCKS and name not in RUNS
    }
    for rows in logged.values():
        at = rows[run[rows] >= 0]
        at = at[np.lexsort((run[at], steps[at]))]
        before, after = at[:-1], at[1:]
        shared = (steps[before] == steps[after]) & (run[before] != run[after])
        resumed = begin[run[before]] < begin[run[after]]
        if (shared & (take_turns | ~resumed)).any():
            return True
    return False
