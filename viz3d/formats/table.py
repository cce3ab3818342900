"""A table of numbers as it stands in a file: any column names, gaps anywhere, no order assumed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.freed import give_back
from viz3d.formats.numbers import NUMBER, TOO_MANY
from viz3d.formats.room import NO_ROOM, Room, over
from viz3d.formats.rows import Cells

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

# A column that is put together grows by one in so many more than it needs: large arrays grow where
# they stand.
ROOM = 8
# Text in these columns says which layer a row is about; other text is no number and left out.
LABELS = ("name", "layer", "layer_name", "module", "param", "parameter")
# Text or numbers in these columns of a CSV may say which run a row is of.
RUNS = ("run", "Run", "run_id", "run_name", "seed", "experiment", "exp_name", "trial")
# Cells beyond which it is worth some milliseconds to give back what reading them took.
LARGE = 1_000_000
# A text takes as much room as so many numbers.
TEXT = 10


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    n : int
        Rows.
    columns : dict of {name: Cells}
        Numbers, int64 or float64.
    labels : dict of {name: Cells}
        Text of the columns in `LABELS`, and where it was asked for of those in `RUNS`.
    """

    n: int
    columns: dict[str, Cells] = field(default_factory=dict)
    labels: dict[str, Cells] = field(default_factory=dict)

    def full(self, name: str) -> np.ndarray:
        """Return a column of numbers as float64 of shape (n,), NaN where it has no cell."""
        column = np.full(self.n, np.nan)
        if name in self.columns:
            column[self.columns[name].row] = self.columns[name].value
        return column

    def only(self, rows: np.ndarray) -> Table:
        """Return some of the rows, as a mask of shape (n,) says; columns without a cell go."""
        place = np.cumsum(rows) - 1
        moved: dict[int, np.ndarray] = {}  # columns that share their rows go on to do so

        def taken(columns: dict[str, Cells]) -> dict[str, Cells]:
            found = {}
            for name, cells in columns.items():
                there = rows[cells.row]
                if id(cells.row) not in moved:
                    moved[id(cells.row)] = place[cells.row[there]]
                if there.any():
                    found[name] = Cells(moved[id(cells.row)], cells.value[there])
            return found

        return Table(int(rows.sum()), taken(self.columns), taken(self.labels))


def stack(tables: Iterable[Table], tally: Tally, *, cut: bool = False) -> Table:
    """Put tables under each other.

    Parameters
    ----------
    tables : iterable of Table
        Of an iterator's, none is held longer than its numbers are needed.
    tally : Tally
        Is told what goes over the caps.
    cut : bool
        Whether those that are beyond the cap on numbers are left out.

    Returns
    -------
    Table

    Raises
    ------
    NotMine
        If they hold more numbers than the cap allows: without `cut`, or the first one alone.
    """
    columns: dict[str, _Pieces] = {}
    labels: dict[str, _Pieces] = {}
    offset = count = 0
    table, room = Table(0), Room()
    for found in tables:
        if not room.take(numbers_of(found.columns.values(), found.labels.values())):
            if not cut:
                raise NotMine(over())
            tally.add(NO_ROOM, count=found.n)
            continue
        table = found
        count += 1
        for into, cells in ((columns, table.columns), (labels, table.labels)):
            moved: dict[int, np.ndarray] = {}  # columns without gaps share their rows
            for name, part in cells.items():
                if name not in into and len(into) >= limits.METRICS:
                    tally.add(TOO_MANY, count=len(part.row))
                    continue
                if id(part.row) not in moved:
                    moved[id(part.row)] = part.row + offset
                into.setdefault(name, _Pieces()).add(moved[id(part.row)], part.value)
        offset += table.n
    if count < 2:
        return table
    del table, found
    stacked = Table(offset, _end_to_end(columns), _end_to_end(labels))
    if offset * len(stacked.columns) > LARGE:
        columns.clear()
        give_back()
    return stacked


def numbers_of(*columns: Iterable[Cells]) -> int:
    """Count numbers, and four for each row in which some of them stand.

    So many are needed at most to say where, and to find out which rows are joined. Text counts as
    several, but once where cells share it.
    """
    cells = [each for some in columns for each in some]
    rows = {id(part.row): len(part.row) for part in cells}
    texts = sum(len({*map(id, part.value)}) for part in cells if part.value.dtype == object)
    return sum(len(part.value) for part in cells) + 4 * sum(rows.values()) + TEXT * texts


class _Pieces:
    """Pieces of one column; their numbers move into one array at once, so none is held twice."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self._values, self._n = np.empty(0), 0

    def add(self, row: np.ndarray, value: np.ndarray) -> None:
        if not self.rows:
            self._values = np.empty(0, value.dtype)
        self.rows.append(row)
        kind = np.result_type(self._values, value)
        self._values = self._values.astype(kind, copy=False)
        end = self._n + len(value)
        if end > len(self._values):
            self._values.resize(end + end // ROOM, refcheck=False)
        self._values[self._n : end] = value
        self._n = end

    def values(self) -> np.ndarray:
        self._values.resize(self._n, refcheck=False)
        return self._values


def _end_to_end(columns: dict[str, _Pieces]) -> dict[str, Cells]:
    """Join the pieces of each column; shared rows stay shared."""
    joined: dict[str, Cells] = {}
    rows: dict[tuple[int, ...], np.ndarray] = {}
    for name, pieces in columns.items():
        shared = tuple(map(id, pieces.rows))
        if shared not in rows:
            rows[shared] = np.concatenate(pieces.rows)
        joined[name] = Cells(rows[shared], pieces.values())
    return joined


def is_label(column: str, value: Any) -> bool:
    """Say whether a value names a layer: text that is not longer than a name.

    Modules of a sequence are called "0" and "1"; where a column is called ``layer``, text that is a
    number counts them.
    """
    if not isinstance(value, str) or len(value) > limits.NAME_CHARS:
        return False
    return column != "layer" or not NUMBER.fullmatch(value)
