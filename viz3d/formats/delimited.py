"""Reads CSV and its relatives: commas, semicolons or tabs, decimal commas, ragged rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import limits, long_tables, several_runs, text
from viz3d.formats.arrow import from_arrow
from viz3d.formats.attempts import MAX_RESTARTS
from viz3d.formats.csv_arrow import NAMED
from viz3d.formats.csv_blocks import Block, read_block
from viz3d.formats.dialect import Dialect, names_below, sniff
from viz3d.formats.parallel import in_order
from viz3d.formats.table import Table, stack
from viz3d.formats.tally import Tally
from viz3d.formats.text import UNENDED

if TYPE_CHECKING:
    import pyarrow as pa

MANY_COLUMNS = "{n} column{|s} beyond the first {limit:METRICS} {was|were} left out."
OTHER_HEADER = (
    "{n} further header{|s} with other columns {was|were} followed: what is below {it|each} was "
    "read under {its|those} names."
)
SMALL_BLOCK = 512 * 1024
PIECES = 16
# In which is looked for the last two numbers of a column.
TAIL_BYTES = 64 * 1024
_NUMBER = re.compile(r"[-+]?[.,]?\d[\d.,]*([eE][-+]?\d+)?")


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
        If it is no text, has no column of numbers, or is a table of several runs or kinds of rows.
    """
    text.check(path)
    dialect = sniff(path, tally)
    if dialect is None:
        return Table(0)
    if {"Name", "State"} <= {*dialect.names}:
        raise NotMine("it is a table of runs as W&B exports it, without their histories")
    trial = Tally(tally.file)
    table = read_rows(path, dialect, trial)
    if (texts := long_tables.texts(dialect.names, table)) and long_tables.is_small(
        table, texts, trial
    ):
        trial = Tally(tally.file)
        table = read_rows(path, dialect, trial, texts=texts)
    tally.merge(trial)
    several_runs.check(table, tally)
    table = long_tables.unfolded(table, tally)
    if table.n and not table.columns:
        raise NotMine("it has no column of numbers")
    return table


def read_rows(
    path: Path,
    dialect: Dialect,
    tally: Tally,
    start: int = 0,
    stop: int | None = None,
    *,
    texts: Collection[str] = (),
) -> Table:
    """Read the rows of a delimited file, block by block.

    Parameters
    ----------
    path : pathlib.Path
    dialect : Dialect
    tally : Tally
    start, stop : int, optional
        Bytes, each at the beginning of a line, between which to read: the first of them behind the
        header, from where lines are counted. By default all rows.
    texts : collection of str, optional
        Columns to be read as text, which is kept.

    Returns
    -------
    Table

    Raises
    ------
    NotMine
        If it holds more numbers than the cap allows, or its header changes all the time.
    """
    # A small file, too, is for all processors.
    size = min(max(path.stat().st_size // PIECES, SMALL_BLOCK), text.BLOCK_BYTES)
    kept = {*NAMED, *texts}
    while True:
        kinds: dict[str, set[str]] = defaultdict(set)
        trial = Tally(tally.file)
        blocks = text.blocks(path, trial, start, stop, size)
        rows = blocks if start else _below(dialect.skip, blocks)
        table = stack(_tables(rows, dialect, trial, texts, kept, kinds), trial, cut=True)
        # Labels of some lines may all be numbers, and those of others not.
        mixed = {name for name, found in kinds.items() if len(found) > 1}
        if not mixed:
            break
        texts = {*texts, *mixed}
    tally.merge(trial)
    if beyond := len(dialect.names[limits.METRICS :]):
        tally.add(MANY_COLUMNS, count=beyond)
    order = dict.fromkeys((*dialect.names, *table.columns, *table.labels))
    columns, labels = ({name: cells[name] for name in order if name in cells}
                       for cells in (table.columns, table.labels))  # fmt: skip
    return Table(table.n, columns, labels)


def _tables(
    blocks: Iterable[tuple[int, bytes]],
    dialect: Dialect,
    tally: Tally,
    texts: Collection[str],
    kept: Collection[str],
    kinds: Mapping[str, set[str]],
) -> Iterator[Table]:
    """Yield the rows of each block, and note as what the columns of labels were read."""
    for block in _blocks(blocks, dialect, tally, texts):
        for what, line in block.odd:
            tally.add(what, line=line)
        for name in {*NAMED}.intersection(block.rows.column_names):
            if kind := _kind(block.rows.schema.field(name).type):
                kinds[name].add(kind)
        yield from_arrow(block.rows, tally, text_is_number=True, lines=block.lines, labels=kept)


def _blocks(
    pieces: Iterable[tuple[int, bytes]], dialect: Dialect, tally: Tally, texts: Collection[str]
) -> Iterator[Block]:
    """Yield blocks of rows under one header, which another one may follow."""
    under = dialect

    def read(piece: tuple[int, bytes]) -> tuple[Dialect, Block]:
        used = under
        return used, read_block(piece[1], piece[0], used, texts)

    headers = 0
    above: str | None = None  # the last number in the last column
    for piece, (used, found) in in_order(read, pieces):
        block = found if used is under else read(piece)[1]
        yield block
        while block.below:
            names, line, content = block.below
            if (headers := headers + 1) > MAX_RESTARTS:
                raise NotMine(
                    f"its header changes more than {MAX_RESTARTS} times; write the rows of each "
                    "header into a file of their own"
                )
            tally.add(OTHER_HEADER, line=line)
            under = replace(under, names=names_below(names, under, tally), skip=line)
            block = read((line, content))[1]
            yield block
        last = piece[0] + text.line_ends(piece[1])
        cells = _last_cells(piece[1], dialect.delimiter)
        cell = next(cells, "")
        above = next(filter(_NUMBER.fullmatch, cells), above)
        if _NUMBER.fullmatch(cell):
            ended = piece[1].endswith((b"\n", b"\r", b'"')) or last not in block.lines[-1:]
            if not ended and (above is None or len(cell) < len(above)):
                tally.add(UNENDED, line=last)
            above = cell


def _last_cells(block: bytes, delimiter: str) -> Iterator[str]:
    """Yield the last cells of the last lines that are not empty, the last one first."""
    for line in reversed(block[-TAIL_BYTES:].splitlines()):
        if line.strip():
            yield line.decode("utf-8", "replace").split(delimiter)[-1].strip().strip('"')


def _below(skip: int, blocks: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Leave the first lines out."""
    for first, block in blocks:
        begin, line = 0, first
        while line <= skip and begin < len(block):
            begin = block.find(b"\n", begin) + 1 or len(block)
            line += 1
        if begin < len(block):
            yield line, block[begin:]


def _kind(kind: pa.DataType) -> str:
    """Return what Arrow took the cells of a column for; nothing where there are none."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return ""
    return "number" if pa.types.is_integer(kind) or pa.types.is_floating(kind) else str(kind)
