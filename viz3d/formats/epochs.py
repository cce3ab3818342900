"""Numbers the rows of a log in which the step begins anew with each epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.attempts import MAX_RESTARTS

if TYPE_CHECKING:
    from viz3d.formats.table import Table


def numbered(table: Table, name: str) -> np.ndarray | None:
    """Return numbers of the rows where a step is one within the epoch.

    It is one if it goes back to about the first one wherever the epoch rises, in the rows of some
    metric that half of all rows have: those of an evaluation may count steps of their own. A row
    before which epoch and step go back is that of a restart: it gets the number of the row that
    stood at its place first.

    Parameters
    ----------
    table : Table
    name : str
        The column of steps.

    Returns
    -------
    numpy.ndarray, shape (table.n,), int64
        None where `name` counts the steps of the whole training.
    """
    steps = table.columns[name].value
    column = next((column for column in table.columns if column.lower() == "epoch"), None)
    if column is None or not (steps[1:] < steps[:-1]).any():
        return None
    step, epoch = table.full(name), table.full(column)
    known = np.isfinite(step) & np.isfinite(epoch)
    logged = {id(cells.row): cells.row for cells in table.columns.values()}
    # A whole epoch may stand where one begins or where one ends.
    found = [
        (rows, whole, restarts)
        for whole in (np.floor(epoch), np.ceil(epoch))
        for every in logged.values()
        if 2 * len(rows := every[known[every]]) >= table.n
        if (restarts := _restarts(step[rows], whole[rows])) is not None
    ]
    if not found:
        return None
    rows, whole, restarts = min(found, key=lambda each: len(each[2]))
    step, epoch = step[rows], whole[rows]
    number = np.arange(table.n)
    for at in restarts:
        later = (epoch[:at] > epoch[at]) | ((epoch[:at] == epoch[at]) & (step[:at] >= step[at]))
        number[rows[at] :] += number[rows[:at][later]].min() - number[rows[at]]
    return number


def _restarts(step: np.ndarray, epoch: np.ndarray) -> np.ndarray | None:
    """Return where a step within the epoch goes back and the epoch does not rise, None for others.

    What goes back within every epoch is no restart: rows of two kinds take turns.
    """
    change, begun = np.diff([step, epoch])
    rises = begun > 0
    apart = np.median(change[change > 0]) if (change > 0).any() else 0
    begin = step[1:][rises]
    if not len(begin) or (change[rises] >= 0).any() or (begin > step[0] + apart).any():
        return None
    restarts = 1 + np.flatnonzero((begun < 0) | ((begun == 0) & (change < 0)))
    return restarts if len(restarts) <= min(len(begin), MAX_RESTARTS) else None
