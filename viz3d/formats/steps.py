"""Finds the column that counts steps and turns a table into rows of a log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.epochs import numbered
from viz3d.formats.rows import CLOCKS, Cells, Rows

if TYPE_CHECKING:
    from viz3d.formats.table import Table
    from viz3d.formats.tally import Tally

# Ray Tune writes them into each row; where most rows do not raise them they count another thing.
RISING = ("timesteps_total", "training_iteration")
# In this order; compared without regard to case. An epoch counts only where nothing finer does.
STEP_NAMES = (
    "step",
    "_step",
    "global_step",
    "train/global_step",
    "trainer/global_step",
    "train/step",
    "iter",
    "iter_num",
    "iteration",
    "iterations",
    "time/total_timesteps",
    "total_timesteps",
    "timesteps",
    "time/iterations",
    "steps",
    "epoch",
    *RISING,
)

EPOCHS = (
    "{n} column{|s} of steps {begins|begin} anew with each epoch ({names}), so the rows were "
    "numbered from 0."
)
GONE = "{n} metric{|s} {is|are} missing, since no row with a step has {it|them} ({names})."

# Whole numbers from here on are not exact in a float64 column: this one may stand for the next.
EXACT = 2.0**53


def counts_steps(name: str) -> bool:
    """Say whether a column is called like one that counts steps."""
    return name.lower() in STEP_NAMES


def to_rows(table: Table, tally: Tally, step_names: tuple[str, ...] = STEP_NAMES) -> Rows:
    """Turn a table into rows of a log; the columns of the table are given up for it.

    Parameters
    ----------
    table : Table
    tally : Tally
        Is told when there is no step column, so that rows are numbered, or another one than one
        would think, and which rows have no usable step and which metrics go with them.
    step_names : tuple of str
        Names of step columns, the best first.

    Returns
    -------
    Rows
    """
    name, passed_over = _step_column(table, step_names)
    for other in passed_over:
        instead = "." if name is None else f": {name!r} was taken."
        tally.add(
            "{n} column{|s} that {is|are} called like a step {has|have} no whole number in most "
            f"rows ({{names}}){instead}",
            name=other,
        )
    if name is None:
        if table.n:
            tally.add("There is no column of whole steps, so the rows were numbered from 0.")
        return Rows(np.arange(table.n, dtype=np.int64), _as_float(table.columns))
    if better := _goes_on(table, name, step_names):
        tally.add(
            "{n} column{|s} of steps {begins|begin} anew ({names}) where another one goes on: "
            f"{better!r} was taken.",
            name=name,
        )
        name = better
    elif (number := numbered(table, name)) is not None:
        tally.add(EPOCHS, name=name)
        return Rows(number, _as_float(table.columns))
    steps = table.columns.pop(name)
    # Two columns may go by one name when it is cleaned: in each row the later one counts.
    last = np.append(steps.row[1:] != steps.row[:-1], True)[: len(steps.row)]
    usable = _is_step(steps.value) & last
    rows, step = steps.row[usable], steps.value[usable].astype(np.int64)
    if left_out := table.n - len(rows):
        tally.add(
            f"{{n}} row{{|s}} without a whole number as {name!r} {{was|were}} left out.",
            count=left_out,
        )
    if not left_out:
        return Rows(step, _as_float(table.columns), counted_by=name)
    others = [*table.columns]
    taken = _take(table.columns, rows, table.n)
    for other in others:
        if other not in taken:
            tally.add(GONE, name=other)
    return Rows(step, taken, counted_by=name)


def find_step(table: Table) -> str | None:
    """Return the column of a table that counts its steps, be it within each epoch alone."""
    name, _ = _step_column(table, STEP_NAMES)
    return name and (_goes_on(table, name, STEP_NAMES) or name)


def _step_column(table: Table, names: tuple[str, ...]) -> tuple[str | None, list[str]]:
    """Return the first known name that holds whole numbers in at least half of the rows.

    Those that come before it and do not are the second result. Some have to rise in most rows.
    """
    passed_over: list[str] = []
    for found in _called_steps(table, names):
        values = table.columns[found].value
        if found.lower() in RISING and not _rises(values):
            continue
        if 2 * _is_step(values).sum() >= table.n:
            return found, passed_over
        if found.lower() != "epoch":  # of which fractions are usual
            passed_over.append(found)
    return None, passed_over


def _called_steps(table: Table, names: tuple[str, ...]) -> list[str]:
    """Return the columns that are called like a step, the best first."""
    by_name: dict[str, str] = {}
    for column in table.columns:
        by_name.setdefault(column.lower(), column)
    return [by_name[name.lower()] for name in names if name.lower() in by_name]


def _goes_on(table: Table, name: str, names: tuple[str, ...]) -> str | None:
    """Return a count of steps that goes on whenever that called `name` changes, and that goes back.

    So a step within the epoch is told from that of the training. Clocks go on after a restart.
    """
    steps = table.columns[name].value
    if not (steps[1:] < steps[:-1]).any():
        return None
    for other in _called_steps(table, names):
        values = table.columns[other].value
        if other in CLOCKS or 2 * len(values) < table.n or not _is_step(values).all():
            continue
        change, on = np.diff(_together(table, name, other))
        if (change < 0).any() and ((on > 0) | ((on == 0) & (change == 0))).all():
            return other
    return None


def _together(table: Table, *names: str) -> np.ndarray:
    """Return columns of numbers, in the rows that have all of them."""
    columns = np.array([table.full(name) for name in names])
    return columns[:, np.isfinite(columns).all(axis=0)]


def _rises(values: np.ndarray) -> bool:
    """Say whether most values are above the one before."""
    return len(values) == 1 or bool(2 * (values[1:] > values[:-1]).sum() > len(values) - 1)


def _is_step(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.int64:
        return np.ones(len(values), dtype=bool)
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(values) < EXACT) & (values == np.floor(values)))


def _as_float(columns: dict[str, Cells]) -> dict[str, Cells]:
    return {
        name: Cells(cells.row, cells.value.astype(np.float64, copy=False))
        for name, cells in _given_up(columns)
    }


def _given_up(columns: dict[str, Cells]) -> Iterator[tuple[str, Cells]]:
    """Take one column after the other away, so that not two copies of all are held."""
    for name in [*columns]:
        yield name, columns.pop(name)


def _take(columns: dict[str, Cells], rows: np.ndarray, n: int) -> dict[str, Cells]:
    """Keep only `rows` of `n`, and renumber them."""
    place = np.full(n, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    # Columns that share their rows go on to do so; what is held here keeps its place in memory.
    moved: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    taken = {}
    for name, cells in _given_up(columns):
        if id(cells.row) not in moved:
            at = place[cells.row]
            moved[id(cells.row)] = cells.row, at >= 0, at[at >= 0]
        _, there, at = moved[id(cells.row)]
        if len(at):
            taken[name] = Cells(at, cells.value[there].astype(np.float64, copy=False))
    return taken
