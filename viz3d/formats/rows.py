"""Rows of a log in the order in which they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

# Columns that a logger puts into every row by itself, so into a late one too.
CLOCKS = frozenset({
    "time", "_timestamp", "_runtime", "_step", "timestamp", "wall_time", "walltime", "elapsed_time",
    "time/time_elapsed",
})  # fmt: skip


@dataclass(frozen=True)
class Cells:
    """The values of one metric, where it was logged.

    Attributes
    ----------
    row : numpy.ndarray, shape (k,), int64
        Ascending positions in the log; one stands twice where a row logs a metric twice.
    value : numpy.ndarray, shape (k,)
        What was logged there; NaN means that NaN was logged.
    """

    row: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class Rows:
    """Rows of a log in the order of the file.

    Attributes
    ----------
    step : numpy.ndarray, shape (n,), int64
    columns : dict of {metric: Cells}
        In the order in which the metrics were first logged.
    starts : mapping of {int: int}
        Rows at which the log itself tells that it was started anew, and the step from which on
        earlier rows are superseded.
    counted_by : str
        The column that was taken for the step; empty where there was none to take, so that rows
        are numbered.
    """

    step: np.ndarray
    columns: dict[str, Cells]
    starts: Mapping[int, int] = field(default_factory=dict)
    counted_by: str = ""


def concatenate(cells: Sequence[Cells]) -> Cells:
    """Put cells of one metric end to end; their rows must already be ascending."""
    if len(cells) == 1:
        return cells[0]
    return Cells(
        np.concatenate([part.row for part in cells]), np.concatenate([part.value for part in cells])
    )


def interleaved(before: Cells | None, cells: Cells) -> Cells:
    """Put two columns that go by one name together: in each row the later one comes last."""
    if before is None:
        return cells
    both = concatenate([before, cells])
    order = np.argsort(both.row, kind="stable")
    return Cells(both.row[order], both.value[order])


def lacking(record: Sequence[Rows], other: Rows) -> int:
    """Count the values of `other` that `record` does not hold at that step, clocks left out."""
    return sum(
        len(found - set[tuple[int, int]]().union(*(_values(rows, metric) for rows in record)))
        for metric in other.columns
        if metric not in CLOCKS and (found := _values(other, metric))
    )


def _values(rows: Rows, metric: str) -> set[tuple[int, int]]:
    """Return the steps and values of a metric, the latter bit by bit: a NaN equals itself."""
    if metric not in rows.columns:
        return set()
    cells = rows.columns[metric]
    bits = np.asarray(cells.value, dtype=np.float64).view(np.int64)
    return set(zip(rows.step[cells.row].tolist(), bits.tolist(), strict=True))
