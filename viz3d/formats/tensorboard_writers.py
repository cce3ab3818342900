"""Tells event files that one training left one after the other from those of several at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from viz3d.formats.rows import Cells, Rows

Span = tuple[float, float]


def writers(spans: Sequence[Mapping[str, Span]]) -> list[list[int]]:
    """Put together the files that may be of one training.

    A restart begins a tag anew behind its last value. Who logs it before that is another writer.

    Parameters
    ----------
    spans : sequence of {tag: (first, last)}
        For each file, in their order, the times between which it logged a tag.

    Returns
    -------
    list of list of int
        The places of the files of each writer.
    """
    found: list[list[int]] = []
    logged: list[dict[str, Span]] = []
    for at, tags in enumerate(spans):
        alone = (n for n, before in enumerate(logged) if not _at_once(tags, before))
        mine = next(alone, len(found))
        if mine == len(found):
            found.append([])
            logged.append({})
        found[mine].append(at)
        for tag, (first, last) in tags.items():
            begun, ended = logged[mine].get(tag, (first, last))
            logged[mine][tag] = min(begun, first), max(ended, last)
    return found


def _at_once(tags: Mapping[str, Span], before: Mapping[str, Span]) -> bool:
    """Say whether some tag was logged in both at one time."""
    both = ((span, before[tag]) for tag, span in tags.items() if tag in before)
    return any(first < ended and begun < last for (first, last), (begun, ended) in both)


def spans_of(
    columns: Mapping[str, Cells], clock: np.ndarray, begins: Sequence[int]
) -> list[dict[str, Span]]:
    """Return between which times each file logged each of its tags.

    Parameters
    ----------
    columns : mapping of {tag: Cells}
    clock : numpy.ndarray, shape (n,), float64
        When each row was logged.
    begins : sequence of int
        The first row of each file.
    """
    found: list[dict[str, Span]] = [{} for _ in begins]
    for tag, cells in columns.items():
        ends = np.searchsorted(cells.row, [*begins, len(clock)]).tolist()
        for at, spans in enumerate(found):
            if ends[at] < ends[at + 1]:
                some = clock[cells.row[ends[at] : ends[at + 1]]]
                spans[tag] = float(some.min()), float(some.max())
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
