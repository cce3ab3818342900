"""A table of numbers as it stands in a file: any column names, gaps anywhere, no order assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.freed import give_back
from viz3d.formats.numbers import ALIKE, NUMBER, TOO_MANY, TOO_NESTED, clean_name, to_number, typed
from viz3d.formats.room import NO_ROOM, Room, over
from viz3d.formats.rows import Cells

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

# A column that is put together grows by one in so many more than it needs: large arrays grow where
# they stand.
ROOM = 8
# Text in these columns says which layer a row is about; other text is no number and left out.
LABELS = ("name", "layer", "layer_name", "module", "param", "parameter")
# Cells beyond which it is worth some milliseconds to give back what reading them took.
LARGE = 1_000_000
# A text takes as much room as so many numbers.
TEXT = 10
# Numbers of Python that are held before they become arrays: they take four times as much.
PIECE = 500_000


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
        Text of the columns in `LABELS`.
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


class TableBuilder:
    """Builds a `Table` from records, one at a time, whatever they hold.

    Parameters
    ----------
    tally : Tally
        Is told what was converted or left out.
    text_is_number : bool
        True where every cell is text, as in CSV, so that a number written as text is no news.
    room : Room, optional
        Shared with those who build other tables of the run. Rows that do not fit are left out.
    """

    def __init__(
        self, tally: Tally, *, text_is_number: bool = False, room: Room | None = None
    ) -> None:
        self.n = self._held = 0
        self._room = room or Room()
        self._tally = tally
        self._text_is_number = text_is_number
        self._pieces: list[Table] = []
        self._begun = 0  # the row that the present piece begins with
        self._columns: dict[str, tuple[list[int], list[float]]] = {}
        self._labels: dict[str, tuple[list[int], list[str]]] = {}
        self._texts: dict[str, str] = {}

    def add(self, record: Mapping[str, Any], line: int | None = None) -> None:
        """Append one row.

        Parameters
        ----------
        record : mapping of {column: value}
            One level of nesting is flattened to ``outer/inner``.
        line : int, optional
            Where it stands, for messages.
        """
        if self._room.gone:
            self._tally.add(NO_ROOM)
            return
        row = self.n - self._begun
        for name, value in _flat(record, self._tally, line):
            if name in LABELS and is_label(name, value):
                rows, texts = self._labels.setdefault(name, ([], []))
                rows.append(row)
                texts.append(self._texts.setdefault(value, value))
                self._held += 1
                continue
            number = to_number(value, name, self._tally, line, text_is_number=self._text_is_number)
            if number is None:
                continue
            if name not in self._columns and len(self._columns) >= limits.METRICS:
                self._tally.add(TOO_MANY, line=line)
                continue
            cells = self._columns.setdefault(name, ([], []))
            cells[0].append(row)
            cells[1].append(number)
            self._held += 1
        self.n += 1
        if self._held >= PIECE:
            self._end_piece()

    def table(self) -> Table:
        """Return what was added."""
        return stack(self.pieces(), self._tally, cut=True)

    def pieces(self) -> Iterator[Table]:
        """Yield what was added, as tables to be stacked; none of them is kept."""
        if self.n > self._begun or not self._pieces:
            self._end_piece()
        while self._pieces:
            yield self._pieces.pop(0)
            if self._pieces:
                give_back()  # or what was freed stays beside what it was moved into

    def _end_piece(self) -> None:
        piece = self._piece()
        if self._room.take(numbers_of(piece.columns.values(), piece.labels.values())):
            self._pieces.append(piece)
        else:
            self._tally.add(NO_ROOM, count=piece.n)
        # Names stay, because the cap is on those of all pieces.
        self._columns = {name: ([], []) for name in self._columns}
        self._labels, self._texts, self._begun, self._held = {}, {}, self.n, 0

    def _piece(self) -> Table:
        shared: dict[bytes, np.ndarray] = {}  # columns without gaps share their rows

        def cells(rows: list[int], values: np.ndarray) -> Cells:
            row = np.array(rows, np.int64)
            return Cells(shared.setdefault(row.tobytes(), row), values)

        return Table(
            self.n - self._begun,
            {
                name: cells(rows, typed(values))
                for name, (rows, values) in self._columns.items()
                if rows
            },
            {
                name: cells(rows, np.array(texts, dtype=object))
                for name, (rows, texts) in self._labels.items()
            },
        )


def is_label(column: str, value: Any) -> bool:
    """Say whether a value names a layer: text that is not longer than a name.

    Modules of a sequence are called "0" and "1"; where a column is called ``layer``, text that is a
    number counts them.
    """
    if not isinstance(value, str) or len(value) > limits.NAME_CHARS:
        return False
    return column != "layer" or not NUMBER.fullmatch(value)


def _flat(record: Mapping[str, Any], tally: Tally, line: int | None) -> Iterable[tuple[str, Any]]:
    for key, value in record.items():
        name = clean_name(key)
        if name != key:
            _tell_alike(key, record, tally, line)
        if isinstance(value, (float, int, str)) or not isinstance(value, Mapping):
            yield name, value
            continue
        for count, (inner, nested) in enumerate(value.items()):
            if count >= limits.NESTED_KEYS:
                tally.add(TOO_NESTED, line=line, count=len(value) - count, name=name)
                break
            _tell_alike(inner, value, tally, line)
            yield f"{name}/{clean_name(inner)}", nested


def _tell_alike(key: str, record: Mapping[str, Any], tally: Tally, line: int | None) -> None:
    name = clean_name(key)
    if name != key and name in record and record[key] is not None:
        tally.add(ALIKE, line=line, name=name)
