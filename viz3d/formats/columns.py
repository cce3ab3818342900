"""Puts the cells of a log into columns with one place per step, without holding them twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats import limits

if TYPE_CHECKING:
    import pandas as pd

# Cells that are placed at a time: of a long column, all at once would take as much again.
BLOCK = 1 << 20

# Rows at which a metric was logged, ascending, its values, and where each row of the log goes:
# outside of the steps for nowhere, None for as is.
Piece = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def history_of(steps: np.ndarray, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return a history as `viz3d.run.Run` has it, of columns of as many values as steps."""
    import pandas as pd

    index = pd.Index(steps, dtype=np.int64, name="step", copy=False)
    # Each column stays where it is: to lay them side by side would need as much memory again.
    history = pd.DataFrame(dict(columns), index=index, copy=False)
    if not columns:
        history.columns = pd.Index([], dtype=str)  # pandas would count them
    return history


class ColumnsBuilder:
    """Columns that are filled one by one.

    Parameters
    ----------
    steps : numpy.ndarray, shape (n,), int64
        Ascending.

    Attributes
    ----------
    columns : dict of {metric: numpy.ndarray, shape (n,), float64}
        NaN where nothing was logged, and where NaN was.
    replaced : int
        Values that gave way to another one for the same place.
    unlisted : int
        Values that are not finite beyond the cap on those that are listed.
    """

    def __init__(self, steps: np.ndarray) -> None:
        self.steps = steps
        self.columns: dict[str, np.ndarray] = {}
        self.replaced = self.unlisted = 0
        self._odd: dict[str, np.ndarray] = {}
        self._room = limits.NONFINITE

    def add(self, metric: str, pieces: Sequence[Piece], *, counted: bool = True) -> None:
        """Add a metric; of cells that go to one place the last one stays.

        Parameters
        ----------
        metric : str
        pieces : sequence of Piece
            In the order of logging.
        counted : bool
            Whether another value at the same place is news.
        """
        whole = self._as_is(pieces)
        if whole is not None:
            column, odd = whole, ~np.isfinite(whole)
        else:
            column, logged, replaced = self._placed(pieces)
            if not logged.any():
                return
            self.replaced += replaced if counted else 0
            odd = logged & ~np.isfinite(column)
        self.columns[metric] = column
        if odd.any():
            found = np.flatnonzero(odd)
            self._odd[metric] = found[: self._room]
            self.unlisted += max(0, len(found) - self._room)
            self._room -= len(self._odd[metric])

    def frame(self, order: Iterable[str]) -> pd.DataFrame:
        """Return the history, its metrics in that order as far as they are there."""
        columns = {metric: self.columns[metric] for metric in order if metric in self.columns}
        return history_of(self.steps, columns)

    def nonfinite(self, order: Iterable[str]) -> pd.DataFrame:
        """Return the values that are not finite, as `viz3d.run.Run.nonfinite`."""
        import pandas as pd

        found = [
            pd.DataFrame(
                {"step": self.steps[at], "metric": metric, "value": self.columns[metric][at]}
            )
            for metric in order
            if len(at := self._odd.get(metric, self.steps[:0]))
        ]
        none = {"step": np.empty(0, np.int64), "metric": pd.Series(dtype=str), "value": np.empty(0)}
        every = pd.concat(found, ignore_index=True) if found else pd.DataFrame(none)
        return every.sort_values("step", kind="stable", ignore_index=True)

    def _as_is(self, pieces: Sequence[Piece]) -> np.ndarray | None:
        """Return the values where they need not be moved."""
        row, values, place = pieces[0]
        if len(pieces) > 1 or place is not None or len(row) != len(self.steps):
            return None
        return np.asarray(values, np.float64) if (row[1:] > row[:-1]).all() else None

    def _placed(self, pieces: Sequence[Piece]) -> tuple[np.ndarray, np.ndarray, int]:
        column, logged = np.full(len(self.steps), np.nan), np.zeros(len(self.steps), dtype=bool)
        replaced = 0
        for row, values, place in pieces:
            for begin in range(0, len(row), BLOCK):
                at, some = row[begin : begin + BLOCK], values[begin : begin + BLOCK]
                at = at if place is None else place[at]
                there = (at >= 0) & (at < len(self.steps))
                if not there.all():
                    at, some = at[there], some[there]
                some = np.asarray(some, np.float64)
                replaced += _replaced(at, some, column, logged)
                column[at] = some  # of a repeated place the last value stays
                logged[at] = True
        return column, logged, replaced


def _replaced(at: np.ndarray, values: np.ndarray, column: np.ndarray, logged: np.ndarray) -> int:
    """Count values, there and among those to come, that are followed by another for their place."""
    before = logged[at]
    if (at[1:] > at[:-1]).all():
        at, values = at[before], values[before]
        return int(_differ(column[at], values).sum())
    order = np.argsort(at, kind="stable")
    at, values = at[order], values[order]
    again = at[1:] == at[:-1]
    first = np.append(True, ~again) & before[order]
    inside = int((again & _differ(values[:-1], values[1:])).sum())
    return inside + int(_differ(column[at[first]], values[first]).sum())


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray((one != other) & ~(np.isnan(one) & np.isnan(other)))
