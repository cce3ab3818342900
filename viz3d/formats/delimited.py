"""Reads CSV and its relatives: commas, semicolons or tabs, decimal commas, ragged rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import text
from viz3d.formats.arrow import from_arrow
from viz3d.formats.numbers import NUMBER, clean_name
from viz3d.formats.table import Table, TableBuilder

if TYPE_CHECKING:
    import pyarrow as pa

    from viz3d.formats.tally import Tally

HEAD_BYTES = 256 * 1024
SAMPLE_ROWS = 20
DELIMITERS = (",", ";", "\t", "|")
RAGGED = "{n} row{|s} with another number of cells than the header {was|were} left out."
UNCLOSED = "{n} row{|s} in which a quote is not closed {was|were} read as one line{|s} of text."


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
    is_utf8 : bool
        False where a row of garbage is not, which Arrow cannot pass over.
    """

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    skip: int
    is_utf8: bool


def read_table(path: Path, tally: Tally) -> Table:
    """Read a delimited file with a header.

    Parameters
    ----------
    path : pathlib.Path
    tally : Tally
        Is told of rows that do not fit the header, of repeated names and of a decimal comma.

    Returns
    -------
    Table

    Raises
    ------
    NotMine
        If it is no text, or has no column of numbers.
    """
    size = text.check(path)
    dialect = _sniff(path, tally)
    if not size or dialect is None:
        return Table(0)
    table = _read_fast(path, dialect, tally) or _read_rows(path, dialect, tally)
    if table.n and not table.columns:
        raise NotMine("it has no column of numbers")
    return table


def _sniff(path: Path, tally: Tally) -> Dialect | None:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).removeprefix(text.BOM)
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
    odd = () if is_utf8 else (_split(row, delimiter) for row in rows[skip:] if "\ufffd" in row)
    # A row of garbage does not fit the header, and is left out as such.
    if any(len(row) == len(cells[0]) for row in odd):
        raise NotMine("it is not UTF-8 text; convert it with `iconv -t UTF-8`")
    decimal = "." if delimiter == "," or not _has_decimal_comma(cells[1:]) else ","
    if decimal == ",":
        tally.add("Numbers are written with a decimal comma and were read so.")
    header = cells[0]
    if all(NUMBER.fullmatch(cell.strip().replace(decimal, ".")) for cell in header):
        tally.add("There is no header, so the columns are called col_1, col_2 and so on.")
        names = tuple(f"col_{at + 1}" for at in range(len(header)))
        return Dialect(delimiter, decimal, names, skip, is_utf8)
    return Dialect(delimiter, decimal, _unique(header, tally), skip + 1, is_utf8)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _split_best(rows: Sequence[str]) -> tuple[str, list[list[str]]]:
    """Return the delimiter that gives most rows the header's width, and the cells of each row."""
    splits = {mark: [_split(row, mark) for row in rows] for mark in DELIMITERS}

    def fit(mark: str) -> tuple[bool, int, int]:
        width = len(splits[mark][0])
        return width > 1, sum(len(cells) == width for cells in splits[mark]), width

    best = max(DELIMITERS, key=fit)
    return best, splits[best]


def _split(row: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([row], delimiter=delimiter), [])
    except csv.Error:
        return row.split(delimiter)


def _has_decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    cells = [cell.strip() for row in rows for cell in row]
    with_comma = sum(cell.count(",") == 1 and _is_number(cell.replace(",", ".")) for cell in cells)
    with_point = sum("." in cell and _is_number(cell) for cell in cells)
    return with_comma > with_point


def _is_number(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell))


def _unique(header: Sequence[str], tally: Tally) -> tuple[str, ...]:
    """Return unique names: a repeated one gets its count, an empty one its place."""
    names: dict[str, None] = {}
    for at, cell in enumerate(header, start=1):
        name = clean_name(cell) if cell.strip() else f"col_{at}"
        wanted, count = name, 2
        while name in names:
            name = f"{wanted} ({count})"
            count += 1
        if name != wanted:
            tally.add("{n} column name{|s} stood twice in the header ({names}).", name=wanted)
        names[name] = None
    return tuple(names)


def _read_fast(path: Path, dialect: Dialect, tally: Tally) -> Table | None:
    """Read with Arrow, or return None where lines do not become rows one by one."""
    import pyarrow as pa

    if dialect.decimal == "," or not dialect.is_utf8:
        return None
    ragged: list[int | None] = []
    # Several threads first; only one knows the line of a ragged row.
    for threads, text_only in ((True, False), (False, False), (False, True)):
        ragged.clear()
        with _CountedLines(path) as file:
            try:
                arrow = _arrow_table(file, dialect, ragged, threads=threads, text_only=text_only)
            except pa.ArrowException:
                continue  # a column changes its type half way: read it as text, cell by cell
        if threads and ragged:
            continue
        rows = dialect.skip + arrow.num_rows + len(ragged)
        if rows != file.lines and rows != _filled_lines(path):
            return None  # an unclosed quote swallows lines
        if ragged:
            tally.add(RAGGED, line=ragged[0], count=len(ragged))
        return from_arrow(arrow, tally, text_is_number=True)
    return None


class _CountedLines(io.RawIOBase):
    """A file that counts its lines while it is read."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._ends, self._last = 0, b"\n"

    @property
    def lines(self) -> int:
        return self._ends + (self._last != b"\n")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size) or b""
        self._ends += text.line_ends(data)
        self._last = data[-1:] or self._last
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


def _arrow_table(
    file: _CountedLines, dialect: Dialect, ragged: list[int | None], *, threads: bool,
    text_only: bool,
) -> pa.Table:  # fmt: skip
    import pyarrow as pa
    import pyarrow.csv as pc

    def skip(row: pc.InvalidRow) -> str:
        ragged.append(row.number)
        return "skip"

    return pc.read_csv(
        file,
        pc.ReadOptions(
            use_threads=threads, column_names=list(dialect.names), skip_rows=dialect.skip
        ),
        pc.ParseOptions(delimiter=dialect.delimiter, invalid_row_handler=skip),
        pc.ConvertOptions(
            null_values=["", "None", "null", "NA", "N/A", "-"],
            strings_can_be_null=True,
            # Arrow would turn text that looks like a date into one.
            timestamp_parsers=[],
            column_types=dict.fromkeys(dialect.names, pa.string()) if text_only else None,
        ),
    )


def _filled_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(bool(line.strip()) for line in file)


def _read_rows(path: Path, dialect: Dialect, tally: Tally) -> Table:
    builder = TableBuilder(tally, text_is_number=True)
    for number, line in text.lines(path, tally):
        if number <= dialect.skip or not line.strip():
            continue
        if line.count(b'"') % 2:
            tally.add(UNCLOSED, line=number)
        cells = _split(text.printed(line), dialect.delimiter)
        if len(cells) != len(dialect.names):
            tally.add(RAGGED, line=number)
            continue
        if dialect.decimal == ",":
            cells = [cell.replace(",", ".") for cell in cells]
        builder.add(dict(zip(dialect.names, cells, strict=True)), number)
    return builder.table()
