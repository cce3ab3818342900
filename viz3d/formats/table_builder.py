"""Records made a table, one at a time, whatever they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.formats import limits
from viz3d.formats.freed import give_back
from viz3d.formats.numbers import ALIKE, TOO_MANY, TOO_NESTED, clean_name, to_number, typed
from viz3d.formats.room import NO_ROOM, Room
from viz3d.formats.rows import Cells
from viz3d.formats.table import LABELS, Table, is_label, numbers_of, stack

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

# Numbers of Python that are held before they become arrays: they take four times as much.
PIECE = 500_000


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
