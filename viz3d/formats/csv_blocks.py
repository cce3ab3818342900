"""Reads a few lines of a delimited file with Arrow, each of them by itself.

Arrow takes lines for rows wherever their quotes are in order. Where they are not, or where it stops
at what is no text, the lines are split one by one and those that fit are handed to it once more, so
that what a cell is does not depend on what stands beside it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats import limits, text
from viz3d.formats.csv_arrow import NAMED, to_arrow
from viz3d.formats.dialect import Dialect, is_header, names_below, split

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.csv as pc

RAGGED = "{n} row{|s} with another number of cells than the header {was|were} left out."
UNCLOSED = "{n} row{|s} in which a quote is not closed {was|were each} read as one line of text."
REPEATED = "{n} further line{|s} that repeat{s|} the header {was|were} left out."
PARTED = "{n} number{|s} with a point that may part thousands {was|were} left out."
# A number beside decimal commas whose points may part thousands.
_POINTS = r"^\s*[-+]?[1-9]\d{0,2}(\.\d{3})+\s*$"


@dataclass(frozen=True)
class Block:
    """What some lines hold.

    Attributes
    ----------
    rows : pyarrow.Table
        A column for each name of the dialect, as many as the cap on metrics allows.
    lines : sequence of int
        Where each row stands.
    odd : sequence of (str, int)
        What is odd about other lines, and which.
    below : (list of str, int, bytes), optional
        Where another header follows the rows: its cells, its line, and what stands behind it, which
        begins with the end of that line.
    """

    rows: pa.Table
    lines: Sequence[int]
    odd: Sequence[tuple[str, int]] = ()
    below: tuple[list[str], int, bytes] | None = None


def read_block(block: bytes, first: int, dialect: Dialect, texts: Collection[str]) -> Block:
    """Read whole lines, up to another header.

    Parameters
    ----------
    block : bytes
    first : int
        Number of its first line.
    dialect : Dialect
    texts : collection of str
        Names of columns that are to be read as text.
    """
    read = _read_plain(block, first, dialect, texts) if _is_plain(block) else None
    read = read or _read_lines(block, first, dialect, texts)
    return read if dialect.decimal == "." else _with_points(read)


def _is_plain(block: bytes) -> bool:
    """Say whether lines end where Arrow ends them, in text that it can hand back."""
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        return False
    if len(block) > limits.LINE_BYTES and max(map(len, block.split(b"\n"))) > limits.LINE_BYTES:
        return False
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _read_plain(block: bytes, first: int, dialect: Dialect, texts: Collection[str]) -> Block | None:
    """Read lines as they are, or return None where they do not become rows one by one."""
    import pyarrow as pa

    ragged: set[int] = set()  # rows from 1 on

    def skip(row: pc.InvalidRow) -> str:
        ragged.add(row.number)
        return "skip"

    try:
        rows = to_arrow(block, dialect, texts, skip)
    except pa.ArrowException:
        return None
    if _may_hold_headers(rows, dialect):
        return None
    n = text.line_ends(block) + (not block.endswith(b"\n"))
    if rows.num_rows == n and not _ends_in_quotes(block, dialect):
        return Block(rows, range(first, first + n))
    lines = block.split(b"\n")
    filled = [at for at, line in enumerate(lines, first) if line not in (b"", b"\r")]
    if rows.num_rows + len(ragged) != len(filled) or _ends_in_quotes(block, dialect):
        return None  # a quote swallows lines
    odd = [filled[row - 1] for row in sorted(ragged)]
    ragged_lines = [lines[at - first].decode() for at in odd]
    if any(
        line.isspace() or is_header(_split(line, dialect)[0], dialect, at)
        for at, line in zip(odd, ragged_lines, strict=True)
    ):
        return None
    return Block(rows, sorted({*filled}.difference(odd)), [(RAGGED, at) for at in odd])


def _may_hold_headers(rows: pa.Table, dialect: Dialect) -> bool:
    """Say whether none of the columns that a header has to name is one of numbers."""
    import pyarrow as pa

    types = [kind for at, kind in enumerate(rows.schema.types) if at not in dialect.unnamed]
    return not any(map(pa.types.is_primitive, types))


def _ends_in_quotes(block: bytes, dialect: Dialect) -> bool:
    """Say whether a quote is open behind the last line that is not empty."""
    if b'"' not in block:
        return False
    filled = block.rstrip(b"\r\n")
    return _split(filled[filled.rfind(b"\n") + 1 :].decode(), dialect)[1]


def _read_lines(block: bytes, first: int, dialect: Dialect, texts: Collection[str]) -> Block:
    """Read those lines that have as many cells as the header."""
    lines: list[int] = []
    odd: list[tuple[str, int]] = []
    good = io.StringIO()
    writer = csv.writer(good, delimiter=dialect.delimiter, lineterminator="\n")
    below = None
    for number, part, end in _parts(block, first):
        if len(part) > limits.LINE_BYTES:
            odd.append((text.LONG_LINE, number))
            continue
        line = part.decode("utf-8", "replace")
        cells, is_open = _split(line, dialect)
        if is_header(cells, dialect, number) and not is_open:
            if names_below(cells, dialect) != dialect.names:
                below = cells, number, block[end:]
                break
            odd.append((REPEATED, number))
            continue
        if is_open:
            odd.append((UNCLOSED, number))
        if len(cells) == len(dialect.names):
            writer.writerow(cells)
            lines.append(number)
        elif line.strip():
            odd.append((RAGGED, number))
    rows = to_arrow(good.getvalue().encode(), dialect, texts)
    return Block(rows, lines, odd, below)


def _parts(block: bytes, first: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield what stands between line ends of any kind, with its line and where it ends."""
    end = -1
    for number, line in enumerate(block.split(b"\n"), first):
        for part in [line] if len(line) > limits.LINE_BYTES else line.split(b"\r"):
            end += 1 + len(part)
            if part:
                yield number, part, end


def _split(line: str, dialect: Dialect) -> tuple[list[str], bool]:
    """Return the cells of a line, and whether its last one is in quotes that are not closed."""
    reader = csv.reader(iter((line, "")), delimiter=dialect.delimiter)
    try:
        cells = next(reader, [])
    except csv.Error:
        return split(line, dialect.delimiter), False
    return cells, reader.line_num > 1


def _with_points(block: Block) -> Block:
    """Put points for the decimal commas that are left: in columns that hold other text, too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows, odd = block.rows, [*block.odd]
    for at, (name, column) in enumerate(zip(rows.column_names, rows.columns, strict=True)):
        if pa.types.is_string(column.type) and name not in NAMED:
            unclear = pc.match_substring_regex(column, _POINTS)
            odd += [(PARTED, block.lines[row]) for row in np.flatnonzero(unclear).tolist()]
            known = pc.if_else(unclear, pa.scalar(None, pa.string()), column)
            rows = rows.set_column(at, name, pc.replace_substring(known, ",", "."))
    return replace(block, rows=rows, odd=odd)
