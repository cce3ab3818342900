"""Finds out how a delimited file is written: its delimiter, its decimal mark and its columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import text
from viz3d.formats.numbers import GAPS, NOT_FINITE, NUMBER, TRUTHS, clean_name
from viz3d.formats.steps import STEP_NAMES, counts_steps

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally

HEAD_BYTES = 256 * 1024
SAMPLE_ROWS = 20
# Text whose commas or points may part thousands, and one of them may be a decimal mark.
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}([.,]\d{3})+")
DELIMITERS = (",", ";", "\t", "|")
TWICE = "{n} column name{|s} stood twice in the header ({names})."


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written.

    Attributes
    ----------
    delimiter : str
    decimal : str
    names : tuple of str
        Of the columns; unique.
    skip : int
        Lines before the first row.
    """

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    skip: int

    @cached_property
    def unnamed(self) -> frozenset[int]:
        """Places that may be empty in a header: those of this one, and that of numbers of rows."""
        found = frozenset(
            at for at, name in enumerate(self.names) if name == f"col_{at + 1}" or not at
        )
        return found if len(found) < len(self.names) else frozenset()

    @cached_property
    def step(self) -> str | None:
        """The name of the column that is taken for the step, if one is called like it."""
        called = filter(counts_steps, self.names)
        return min(called, key=lambda name: STEP_NAMES.index(name.lower()), default=None)


def sniff(path: Path, tally: Tally, stop: int = HEAD_BYTES) -> Dialect | None:
    """Find out how a file is written from its beginning; None where there is no line in it.

    Parameters
    ----------
    path : pathlib.Path
    tally : Tally
        Is told of repeated names, of a decimal comma and of a missing header.
    stop : int, optional
        Byte before which to look, where that is not far.

    Raises
    ------
    NotMine
        If its lines end in carriage returns, are too long, or are no UTF-8 text.
    """
    with path.open("rb") as file:
        head = file.read(min(HEAD_BYTES, stop)).removeprefix(text.BOM)
    if b"\r" in head and b"\n" not in head:
        raise NotMine("its lines end in carriage returns; convert it with `tr '\\r' '\\n'`")
    if len(head) >= HEAD_BYTES - len(text.BOM):
        head = head[: head.rfind(b"\n") + 1]
        if not head:
            raise NotMine(f"its first line is longer than {HEAD_BYTES // 1024} KiB")
    rows = [row.rstrip("\r") for row in head.decode("utf-8", errors="replace").split("\n")]
    skip = next((at for at, row in enumerate(rows) if row.strip() and row[0] != "#"), len(rows))
    if skip == len(rows):
        return None
    delimiter, cells = _split_best(rows[skip : skip + SAMPLE_ROWS])
    is_utf8 = _is_utf8(head)
    odd = () if is_utf8 else (split(row, delimiter) for row in rows[skip:] if "\ufffd" in row)
    # A row of garbage does not fit the header, and is left out as such.
    if any(len(row) == len(cells[0]) for row in odd):
        raise NotMine("it is not UTF-8 text; convert it with `iconv -t UTF-8`")
    decimal = "." if delimiter == "," or not _has_decimal_comma(cells[1:]) else ","
    if decimal == ",":
        tally.add("Numbers are written with a decimal comma and were read so.")
    header = cells[0]
    if _is_row([cell.strip().replace(decimal, ".").lower() for cell in header]):
        above = next((row for row in reversed(rows[:skip]) if row.strip()), "").lstrip("# ")
        named = [cell.strip() for cell in split(above, delimiter)]
        # NumPy writes the names as a comment.
        if len(named) == len(header) > 1 and any(map(counts_steps, named)):
            return Dialect(delimiter, decimal, unique(named, tally), skip)
        tally.add("There is no header, so the columns are called col_1, col_2 and so on.")
        names = tuple(f"col_{at + 1}" for at in range(len(header)))
        return Dialect(delimiter, decimal, names, skip)
    return Dialect(delimiter, decimal, unique(header, tally), skip + 1)


def _is_row(cells: Sequence[str]) -> bool:
    """Say whether cells are those of a row: numbers, and what stands where there is none.

    The first one may be empty in a header as well, where numbers are names.
    """
    numbers = [cell for cell in cells if NUMBER.fullmatch(cell)]
    others = (*GAPS, *(sign + name for sign in ("", "+", "-") for name in NOT_FINITE))
    return bool(numbers and cells[0]) and all(
        cell in others for cell in {*cells}.difference(numbers)
    )


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _split_best(rows: Sequence[str]) -> tuple[str, list[list[str]]]:
    """Return the delimiter that gives most rows the header's width, and the cells of each row."""
    splits = {mark: [split(row, mark) for row in rows] for mark in DELIMITERS}

    def fit(mark: str) -> tuple[bool, int, int]:
        width = len(splits[mark][0])
        return width > 1, sum(len(cells) == width for cells in splits[mark]), width

    best = max(DELIMITERS, key=fit)
    return best, splits[best]


def split(row: str, delimiter: str) -> list[str]:
    """Return the cells of a line."""
    try:
        return next(csv.reader([row], delimiter=delimiter), [])
    except csv.Error:
        return row.split(delimiter)


def _has_decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    cells = [cell.strip() for row in rows for cell in row]
    with_comma = [
        cell for cell in cells if cell.count(",") == 1 and _is_number(cell.replace(",", "."))
    ]
    with_point = [cell for cell in cells if "." in cell and _is_number(cell)]
    # Those count that can be nothing else, where there are any.
    commas, points = (
        [cell for cell in found if not THOUSANDS.fullmatch(cell)]
        for found in (with_comma, with_point)
    )
    if commas or points:
        return len(commas) > len(points)
    return len(with_comma) > len(with_point)


def _is_number(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell))


def is_header(cells: Sequence[str], dialect: Dialect, line: int) -> bool:
    """Say whether a row names columns, as where a log is appended to with its header.

    That is one without any value: with the names of the header in any order, or with several names,
    each once, of which one counts steps. It names the header's step or another of its columns, too,
    or begins with a step and is as long as the header: other rows of words are text. So is one of
    the latter kind in the first line below a header, where units or titles stand.
    """
    spared = dialect.unnamed if len(cells) == len(dialect.names) else (0,)
    bare = [*map(_bare, cells)]
    if not all(_is_name(cell) if cell else at in spared for at, cell in enumerate(bare)):
        return False
    names, named = unique(cells), [cell for cell in bare if cell]
    if {*names} == {*dialect.names}:
        return True
    if not (len({*named}) == len(named) > 1 and any(map(counts_steps, named))):
        return False
    others = {name.lower() for name in dialect.names if not counts_steps(name)}
    if dialect.step in names or not others.isdisjoint(map(str.lower, named)):
        return True
    if line == dialect.skip + 1 or named[0].lower() == f"{dialect.names[0].lower()}s":
        return False
    return counts_steps(named[0]) and len(cells) == len(dialect.names)


def names_below(
    cells: Sequence[str], dialect: Dialect, tally: Tally | None = None
) -> tuple[str, ...]:
    """Return the names of another header, each spelled as in the one before."""
    names = [*map(_bare, cells)]
    above = {name.lower(): name for name in dialect.names if name not in names}
    # Of two that differ in case alone one keeps its own.
    spelled = (name if name in dialect.names else above.pop(name.lower(), name) for name in names)
    return unique([*spelled], tally)


def _is_name(cell: str) -> bool:
    """Say whether a cell is text that nobody takes for a number, a date or a gap."""
    if cell[0].isdecimal() or cell[0] in "+-.":
        return False
    return cell.lower() not in (*GAPS, *TRUTHS, *NOT_FINITE)


def _bare(cell: str) -> str:
    """Return a cell of a header without spaces and the mark that may begin a file."""
    return cell.strip().removeprefix("\ufeff").strip()


def unique(header: Sequence[str], tally: Tally | None = None) -> tuple[str, ...]:
    """Return unique names: a repeated one gets its count, an empty one its place."""
    names: dict[str, None] = {}
    for at, cell in enumerate(map(_bare, header), start=1):
        name = clean_name(cell) if cell else f"col_{at}"
        wanted, count = name, 2
        while name in names:
            name = f"{wanted} ({count})"
            count += 1
        if name != wanted and tally:
            tally.add(TWICE, name=wanted)
        names[name] = None
    return tuple(names)
