"""Reads CSV and its relatives: commas, semicolons or tabs, decimal commas, ragged rows."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.errors import NotMine
from viz3d.formats import limits, text
from viz3d.formats.arrow import from_arrow
from viz3d.formats.dialect import Dialect, sniff, split
from viz3d.formats.steps import counts_steps
from viz3d.formats.table import Table, TableBuilder, stack
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa

    from viz3d.formats.rows import Cells

BLOCK_BYTES = limits.MIB
RAGGED = "{n} row{|s} with another number of cells than the header {was|were} left out."
UNCLOSED = "{n} row{|s} in which a quote is not closed {was|were} read as one line{|s} of text."


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
    dialect = sniff(path, tally)
    if not size or dialect is None:
        return Table(0)
    table = (
        _read_stream(path, dialect, tally)
        or _read_fast(path, dialect, tally)
        or _read_rows(path, dialect, tally)
    )
    if table.n and not table.columns:
        raise NotMine("it has no column of numbers")
    return table


def _read_stream(path: Path, dialect: Dialect, tally: Tally) -> Table | None:
    """Read block by block, which holds little of the file; None where the whole decides.

    Arrow takes the kind of a column from the first block and fails where a later one does not fit.
    What fits all blocks is what it would take for the whole; a column that begins with whole
    numbers or with nothing may still turn out to hold other numbers.
    """
    import pyarrow as pa
    import pyarrow.csv as pc

    if dialect.decimal == "," or len(dialect.names) > limits.METRICS:
        return None
    kinds: dict[str, pa.DataType] = {}
    for _ in range(2):
        ragged: list[int | None] = []
        trial = Tally(tally.file)
        with _CountedLines(path) as file:
            try:
                reader = pc.open_csv(file, **_options(dialect, ragged, kinds, threads=True))
                kinds = {
                    field.name: pa.float64() for field in reader.schema if _may_widen(field)
                }  # fmt: skip
                batches = (pa.Table.from_batches([batch]) for batch in reader)
                table = stack((from_arrow(part, trial, text_is_number=True) for part in batches),
                              trial)  # fmt: skip
            except pa.ArrowException:
                continue
        rows = dialect.skip + table.n
        if rows != file.lines and rows != _filled_lines(path):
            return None  # a row of another length, or an unclosed quote
        for said in trial.counted():
            tally.recount(*said)
        return Table(
            table.n, _in_order(table.columns, dialect), _in_order(table.labels, dialect)
        )  # fmt: skip
    return None


def _may_widen(field: pa.Field) -> bool:
    import pyarrow as pa

    empty = pa.types.is_null(field.type) and not counts_steps(field.name)
    return empty or bool(pa.types.is_integer(field.type))


def _in_order(cells: Mapping[str, Cells], dialect: Dialect) -> dict[str, Cells]:
    """Put columns in the order of the header, whichever was filled first."""
    return {name: cells[name] for name in dialect.names if name in cells}


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

    kinds = dict.fromkeys(dialect.names, pa.string()) if text_only else {}
    return pc.read_csv(file, **_options(dialect, ragged, kinds, threads=threads))


def _options(
    dialect: Dialect, ragged: list[int | None], kinds: Mapping[str, pa.DataType], *, threads: bool
) -> dict[str, Any]:
    import pyarrow.csv as pc

    def skip(row: pc.InvalidRow) -> str:
        ragged.append(row.number)
        return "skip"

    return {
        "read_options": pc.ReadOptions(
            use_threads=threads, column_names=list(dialect.names), skip_rows=dialect.skip,
            block_size=BLOCK_BYTES,
        ),
        "parse_options": pc.ParseOptions(
            delimiter=dialect.delimiter, invalid_row_handler=skip
        ),
        "convert_options": pc.ConvertOptions(
            null_values=["", "None", "null", "NA", "N/A", "-"],
            strings_can_be_null=True,
            # Arrow would turn text that looks like a date into one.
            timestamp_parsers=[],
            column_types=kinds,
        ),
    }  # fmt: skip


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
        cells = split(text.printed(line), dialect.delimiter)
        if len(cells) != len(dialect.names):
            tally.add(RAGGED, line=number)
            continue
        if dialect.decimal == ",":
            cells = [cell.replace(",", ".") for cell in cells]
        builder.add(dict(zip(dialect.names, cells, strict=True)), number)
    return builder.table()
