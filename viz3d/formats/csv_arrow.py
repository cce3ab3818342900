"""Rows of a delimited file as Arrow reads them, without what it takes for more than they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from viz3d.formats import limits, text
from viz3d.formats.dialect import Dialect
from viz3d.formats.table import LABELS, RUNS

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.csv as pc

NAMED = (*LABELS, *RUNS)
GAPS = ("", "None", "null", "NA", "N/A", "-")
# Arrow takes 1 and 0 for truths, too, where others stand beside them.
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
# Arrow takes 0x1F for a number where a column holds nothing but whole ones.
_HEX = re.compile(rb"0[xX]")


def to_arrow(
    block: bytes,
    dialect: Dialect,
    texts: Collection[str],
    skip: Callable[[pc.InvalidRow], str] | None = None,
) -> pa.Table:
    """Read rows that have as many cells as there are names.

    Parameters
    ----------
    block : bytes
    dialect : Dialect
    texts : collection of str
        Names of columns that are to be read as text.
    skip : callable, optional
        Is told of rows of another length, which are an error without it.

    Raises
    ------
    pyarrow.ArrowException
        If Arrow cannot read them.
    """
    import pyarrow as pa

    if not block:
        return pa.table({name: pa.nulls(0) for name in dialect.names[: limits.METRICS]})
    if block.startswith(text.BOM):
        block = text.BOM + block  # Arrow takes one for the beginning of a file, and away
    rows = _parse(block, dialect, texts, skip)
    odd = {field.name for field in rows.schema if _is_dated(field)}
    if (b"x" in block or b"X" in block) and _HEX.search(block):
        odd.update(_hexadecimal(rows, _parse(block, dialect, dialect.names, skip)))
    if odd:
        rows = _parse(block, dialect, {*texts, *odd}, skip)
    return rows


def _parse(
    block: bytes,
    dialect: Dialect,
    texts: Collection[str],
    skip: Callable[[pc.InvalidRow], str] | None,
) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv as pc

    return pc.read_csv(
        pa.BufferReader(block),
        pc.ReadOptions(
            use_threads=False, column_names=list(dialect.names), block_size=len(block) + 1
        ),
        pc.ParseOptions(delimiter=dialect.delimiter, invalid_row_handler=skip),
        pc.ConvertOptions(
            null_values=GAPS,
            true_values=TRUE,
            false_values=FALSE,
            strings_can_be_null=True,
            include_columns=list(dialect.names[: limits.METRICS]),
            decimal_point=dialect.decimal,
            column_types=dict.fromkeys(texts, pa.string()),
        ),
    )


def _is_dated(field: pa.Field) -> bool:
    """Say whether Arrow took names for dates or times."""
    import pyarrow as pa

    return field.name in NAMED and bool(pa.types.is_temporal(field.type))


def _hexadecimal(rows: pa.Table, cells: pa.Table) -> Iterator[str]:
    """Yield the columns of whole numbers that are written as such, given the text of all cells."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for field in rows.schema:
        if pa.types.is_integer(field.type):
            found = pc.match_substring(cells[field.name], "0x", ignore_case=True)
            if pc.any(found).as_py():
                yield field.name
