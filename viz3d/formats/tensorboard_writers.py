"""Tells event files that one training left one after the other from those of several at once."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from viz3d.formats.rows import Cells, Rows


class _Logged:
    """Where a tag stands in the log, and between which times it was logged."""

    def __init__(self, rows: np.ndarray, clock: np.ndarray) -> None:
        times = clock[rows]
        self.rows, self.n = [rows], len(rows)
        self.begun, self.ended = float(times.min()), float(times.max())

    def add(self, other: _Logged) -> None:
        """Go on with the rows of a later file."""
        self.rows += other.rows
        self.n += other.n
        self.begun, self.ended = min(self.begun, other.begun), max(self.ended, other.ended)

    def within(self, other: _Logged, clock: np.ndarray) -> int:
        """Count the rows that were logged while the other was, whose end alone is no while."""
        if not (self.begun < other.ended and other.begun < self.ended):
            return 0
        times = np.concatenate([clock[rows] for rows in self.rows])
        return int(((other.begun <= times) & (times <= other.ended)).sum())


def writers(
    columns: Mapping[str, Cells],
    clock: np.ndarray,
    begins: Sequence[int],
    starts: Container[int] = (),
) -> list[list[int]]:
    """Put together the files that may be of one training.

    A restart begins a tag anew behind its last value, but for a clock that is behind that of the
    host before, or says that it starts anew. Where half of the rows or more lie before that it is
    another writer.

    Parameters
    ----------
    columns : mapping of {tag: Cells}
    clock : numpy.ndarray, shape (n,), float64
        When each row was logged.
    begins : sequence of int
        The first row of each file, in their order.
    starts : container of int
        Rows at which a file says that it starts anew.

    Returns
    -------
    list of list of int
        The places of the files of each writer.
    """
    found: list[list[int]] = []
    logged: list[dict[str, _Logged]] = []
    for at, tags in enumerate(_by_file(columns, clock, begins)):
        shares = [_at_once(tags, before, clock) for before in logged]
        mine = int(np.argmin(shares)) if shares else 0
        if not shares or (shares[mine] >= 0.5 and begins[at] not in starts):
            mine = len(found)
            found.append([])
            logged.append({})
        found[mine].append(at)
        for tag, rows in tags.items():
            if tag in logged[mine]:
                logged[mine][tag].add(rows)
            else:
                logged[mine][tag] = rows
    return found


def _at_once(
    tags: Mapping[str, _Logged], before: Mapping[str, _Logged], clock: np.ndarray
) -> float:
    """Return which share of the rows of shared tags was logged while the other logged the tag.

    Of the one that has fewer of them: so it costs no more to compare than to read the new file.
    """
    both = [(rows, before[tag]) for tag, rows in tags.items() if tag in before]
    if sum(rows.n - old.n for rows, old in both) > 0:
        both = [(old, rows) for rows, old in both]
    n = sum(rows.n for rows, _ in both)
    return sum(rows.within(other, clock) for rows, other in both) / max(1, n)


def _by_file(
    columns: Mapping[str, Cells], clock: np.ndarray, begins: Sequence[int]
) -> list[dict[str, _Logged]]:
    """Return for each file where its tags stand."""
    found: list[dict[str, _Logged]] = [{} for _ in begins]
    for tag, cells in columns.items():
        ends = np.searchsorted(cells.row, [*begins, len(clock)]).tolist()
        for at, tags in enumerate(found):
            if ends[at] < ends[at + 1]:
                tags[tag] = _Logged(cells.row[ends[at] : ends[at + 1]], clock)
    return found


def only(rows: Rows, begins: Sequence[int], files: Iterable[int]) -> Rows:
    """Return the rows of some files."""
    ends = [*begins[1:], len(rows.step)]
    kept = np.zeros(len(rows.step), dtype=bool)
    for at in files:
        kept[begins[at] : ends[at]] = True
    place = np.cumsum(kept) - 1
    columns = {
        name: Cells(place[cells.row[there]], cells.value[there])
        for name, cells in rows.columns.items()
        if (there := kept[cells.row]).any()
    }
    starts = {
        int(place[row]): step for row, step in rows.starts.items() if row < len(kept) and kept[row]
    }
    return replace(rows, step=rows.step[kept], columns=columns, starts=starts)
