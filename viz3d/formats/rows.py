"""Rows of a log, joined on the logged step.

A log is a sequence of rows in the order in which they were written. Several rows may belong to one
step (training and evaluation, two calls of a logger), and after a restart the steps go back. Here
rows become a history with one row per step; what a restart superseded is kept aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.attempts import MAX_RESTARTS, attempt_starts, survivors

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.formats.tally import Tally

# Columns that a logger puts into every row by itself, so into a late one too.
CLOCKS = frozenset({"time", "_timestamp", "_runtime", "_step"})


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
    """

    step: np.ndarray
    columns: Mapping[str, Cells]
    starts: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Joined:
    """Rows joined on the step.

    Attributes
    ----------
    history, attempts, nonfinite : pandas.DataFrame
        As in `viz3d.run.Run`; `attempts` may be empty.
    replaced : int
        Values that gave way to another one logged later for the same metric and step.
    restarts : int
        How often the steps went back.
    resorted : bool
        True when the steps were in no order, so that they were sorted and no restart was sought.
    """

    history: pd.DataFrame
    attempts: pd.DataFrame
    nonfinite: pd.DataFrame
    replaced: int = 0
    restarts: int = 0
    resorted: bool = False

    def tell(self, tally: Tally) -> None:
        """Count in `tally` what was replaced, superseded or sorted."""
        if self.resorted:
            tally.add("The steps are in no order, so the rows were sorted by step.")
        if self.restarts:
            tally.add(
                f"The steps go back {_times(self.restarts)} (a restart): {{n}} row{{|s}} of "
                "earlier attempts {was|were} superseded and kept aside.",
                count=len(self.attempts),
            )
        if self.replaced:
            tally.add(
                "{n} value{|s} {was|were} logged again at the same step with another value; the "
                "later one was kept.",
                count=self.replaced,
            )


def join_rows(rows: Rows) -> Joined:
    """Join rows of one step, and set aside what a restart superseded.

    The same metric twice at one step keeps the later value. Where steps go back, the earlier rows
    at or beyond the step of the restart are superseded; a late row of metrics that were not yet
    logged that far (an evaluation that took its time) is joined instead. A clock is no such metric,
    and that it went on is no other value.

    Parameters
    ----------
    rows : Rows

    Returns
    -------
    Joined
    """
    metrics = [cells.row for name, cells in rows.columns.items() if name not in CLOCKS]
    told = _told_starts(rows)
    starts = _attempt_starts(rows.step, metrics, sorted(told))
    kept, attempt = survivors(rows.step, starts or (), told)
    history, nonfinite, replaced = to_history(rows, kept)
    return Joined(
        history=history,
        attempts=_superseded(rows, kept, attempt),
        nonfinite=nonfinite,
        replaced=replaced,
        restarts=len(starts or ()),
        resorted=starts is None,
    )


def no_rows() -> Joined:
    """Return what a log without any row is joined to."""
    return join_rows(Rows(np.empty(0, np.int64), {}))


def _told_starts(rows: Rows) -> dict[int, int]:
    """Return those of the log's own starts that supersede anything."""
    if not rows.starts or len(rows.starts) > MAX_RESTARTS:
        return {}
    top = np.maximum.accumulate(rows.step)
    return {
        row: step
        for row, step in rows.starts.items()
        if 0 < row < len(top) and top[row - 1] >= step
    }


def _attempt_starts(
    step: np.ndarray, metrics: Sequence[np.ndarray], told: Sequence[int]
) -> list[int] | None:
    """Return the rows at which attempts begin: those told, and those found between them."""
    if not told:
        return attempt_starts(step, metrics)
    starts = list(told)
    for begin, end in pairwise([0, *told, len(step)]):
        parts = [rows[slice(*np.searchsorted(rows, (begin, end)))] - begin for rows in metrics]
        starts += [begin + row for row in attempt_starts(step[begin:end], parts) or ()]
    return sorted(starts)


def concatenate(cells: Sequence[Cells]) -> Cells:
    """Put cells of one metric end to end; their rows must already be ascending."""
    if len(cells) == 1:
        return cells[0]
    return Cells(
        np.concatenate([part.row for part in cells]), np.concatenate([part.value for part in cells])
    )


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


def to_history(rows: Rows, kept: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Join the rows that are kept; return the history, what is not finite, and the replaced."""
    import pandas as pd

    steps, place = _places(rows.step, kept)
    columns: dict[str, np.ndarray] = {}
    odd: list[pd.DataFrame] = []
    replaced = 0
    for metric, cells in rows.columns.items():
        at, values = _placed(cells, place)
        if not len(at):
            continue
        repeated = not (np.diff(at) > 0).all()
        column = values
        if place is not None or repeated or len(at) < len(steps):
            column = np.full(len(steps), np.nan)
            column[at] = values  # of a repeated position the last value stays
        columns[metric] = column
        if repeated and metric not in CLOCKS:
            replaced += _count_replaced(at, values)
        if not np.isfinite(values).all():
            bad = np.unique(at)
            bad = bad[~np.isfinite(column[bad])]
            odd.append(pd.DataFrame({"step": steps[bad], "metric": metric, "value": column[bad]}))
    index = pd.Index(steps, dtype=np.int64, name="step", copy=False)
    nonfinite = pd.concat(odd, ignore_index=True) if odd else _no_nonfinite()
    nonfinite = nonfinite.sort_values("step", kind="stable", ignore_index=True)
    # Each column stays where it is: to lay them side by side would need as much memory again.
    return pd.DataFrame(columns, index=index, copy=False), nonfinite, replaced


def _places(step: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the steps of the history, and where each row goes: -1 for nowhere, None for as is."""
    if kept.all() and (step[1:] > step[:-1]).all():
        return step, None
    steps, inverse = np.unique(step[kept], return_inverse=True)
    place = np.full(len(step), -1, dtype=np.int64)
    place[kept] = inverse
    return steps, place


def _placed(cells: Cells, place: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(cells.value, dtype=np.float64)
    if place is None:
        return cells.row, values
    at = place[cells.row]
    return at[at >= 0], values[at >= 0]


def _no_nonfinite() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {"step": np.empty(0, np.int64), "metric": pd.Series(dtype=str), "value": np.empty(0)}
    )


def _count_replaced(at: np.ndarray, values: np.ndarray) -> int:
    """Count values that are followed by another value for the same place."""
    order = np.argsort(at, kind="stable")
    at, values = at[order], values[order]
    differ = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return int(((at[1:] == at[:-1]) & differ).sum())


def _superseded(rows: Rows, kept: np.ndarray, attempt: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    gone = np.flatnonzero(~kept)
    place = np.full(len(rows.step), -1, dtype=np.int64)
    place[gone] = np.arange(len(gone))
    columns: dict[str, np.ndarray] = {"attempt": attempt[gone] + 1, "step": rows.step[gone]}
    for metric, cells in rows.columns.items() if len(gone) else ():
        at = place[cells.row]
        if (at >= 0).any():
            column = np.full(len(gone), np.nan)
            column[at[at >= 0]] = cells.value[at >= 0]
            # A metric may be called "step" or "attempt"; the first two columns are ours.
            columns[metric if metric not in columns else f"{metric} (logged)"] = column
    return pd.DataFrame(columns)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
