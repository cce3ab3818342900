"""Takes the numbers out of Arrow tables, which is how large files are read fast."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats import limits
from viz3d.formats.arrow_text import (
    coded,
    coded_cells,
    is_plain_text,
    is_text,
    split_labels,
    text_cells,
)
from viz3d.formats.numbers import (
    ALIKE,
    BOOLEANS,
    NOT_NUMBERS,
    TOO_MANY,
    TOO_NESTED,
    clean_name,
)
from viz3d.formats.rows import Cells, interleaved
from viz3d.formats.steps import counts_steps
from viz3d.formats.table import LABELS, Table
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa


def from_arrow(
    arrow: pa.Table,
    tally: Tally,
    *,
    text_is_number: bool = False,
    lines: Sequence[int] | None = None,
    labels: Collection[str] = LABELS,
) -> Table:
    """Take the numbers out of an Arrow table.

    Parameters
    ----------
    arrow : pyarrow.Table
        Column names must be unique. Structs are flattened one level to ``outer/inner``.
    tally : Tally
    text_is_number : bool
        As in `TableBuilder`.
    lines : sequence of int, optional
        Where each row stands in the file, for messages.
    labels : collection of str
        Columns whose text is kept.

    Returns
    -------
    Table
    """
    table = Table(arrow.num_rows)
    every_row = np.arange(arrow.num_rows, dtype=np.int64)
    for name, column in _arrow_columns(arrow, tally):
        text = None
        if is_text(column.type) and (name in labels or not is_plain_text(column.type)):
            text = coded(column)
            if name in labels:
                named, text = split_labels(name, *text)
                if len(named.row):
                    table.labels[name] = interleaved(table.labels.get(name), named)
                if len(named.row) + column.null_count == len(column):
                    continue
        if len(table.columns) >= limits.METRICS:
            tally.add(
                TOO_MANY, count=arrow.num_rows - column.null_count, line=_first_line(column, lines)
            )
            continue
        if text:
            cells = coded_cells(*text, name, tally, lines, text_is_number=text_is_number)
        elif is_plain_text(column.type):
            cells = text_cells(column, name, tally, lines, text_is_number=text_is_number)
        else:
            cells = _arrow_cells(column, every_row, name, tally, lines)
        if len(cells.row):
            table.columns[name] = interleaved(table.columns.get(name), cells)
    return table


def needs_a_look(arrow: pa.Table) -> bool:
    """Say whether Arrow took for good what no row may hold.

    That is a number beyond float64, as one with 5,000 digits, which became infinite, and nesting
    beyond the cap.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if any(1 + _depth(kind) > limits.DEPTH for kind in arrow.schema.types):
        return True
    return any(
        pa.types.is_floating(column.type) and pc.any(pc.is_inf(column)).as_py()
        for column in arrow.flatten().columns
    )


def is_unclear(arrow: pa.Table) -> bool:
    """Say whether rows tell what columns of JSON do not.

    That is which of two that go by one name came last, whether one row has both, how the name of a
    layer was written that Arrow took for a time, and which keys of a group are the first of a row.
    """
    import pyarrow as pa

    groups = filter(pa.types.is_struct, arrow.schema.types)
    columns = list(_arrow_columns(arrow, told := Tally("")))
    return (
        any(group.num_fields > limits.NESTED_KEYS for group in groups)
        or bool(told.counted())
        or len({name for name, _ in columns}) < len(columns)
        or any(name in LABELS and pa.types.is_temporal(column.type) for name, column in columns)
    )


def _depth(kind: pa.DataType) -> int:
    fields = [kind.field(at).type for at in range(kind.num_fields)]
    return 1 + max(map(_depth, fields)) if fields else 0


def _arrow_columns(arrow: pa.Table, tally: Tally) -> Iterable[tuple[str, pa.ChunkedArray]]:
    import pyarrow as pa

    names = frozenset(arrow.column_names)
    for name, column in zip(arrow.column_names, arrow.columns, strict=True):
        if not pa.types.is_struct(column.type):
            yield _name(name, names, column, tally), column
            continue
        fields = column.flatten()
        inner_names = [column.type.field(at).name for at in range(column.type.num_fields)]
        beyond = fields[limits.NESTED_KEYS :]
        if count := sum(len(field) - field.null_count for field in beyond):
            tally.add(TOO_NESTED, count=count, name=name)
        outer, inside = _name(name, names, column, tally), frozenset(inner_names)
        for inner, nested in list(zip(inner_names, fields, strict=True))[: limits.NESTED_KEYS]:
            yield f"{outer}/{_name(inner, inside, nested, tally)}", nested


def _name(name: str, names: Collection[str], column: pa.ChunkedArray, tally: Tally) -> str:
    cleaned = clean_name(name)
    if cleaned != name and cleaned in names and (count := len(column) - column.null_count):
        tally.add(ALIKE, count=count, name=cleaned)
    return cleaned


def _first_line(column: pa.ChunkedArray, lines: Sequence[int] | None) -> int | None:
    """Return where the first cell of a column stands, given where each row does."""
    if lines is None or column.null_count == len(column):
        return None
    return lines[int(np.argmax(column.is_valid().to_numpy()))]


def _arrow_cells(
    column: pa.ChunkedArray,
    every_row: np.ndarray,
    name: str,
    tally: Tally,
    lines: Sequence[int] | None,
) -> Cells:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind) and not _may_be_long(kind.value_type):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    truths = pa.types.is_boolean(kind)
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or (truths and not counts_steps(name))
    ):
        if truths:
            count = len(column) - column.null_count
            tally.add(BOOLEANS, line=_first_line(column, lines), count=count, name=name)
        return _plain_cells(column, every_row)
    if pa.types.is_decimal(kind):
        return _plain_cells(column.cast(pa.float64()), every_row)
    if count := len(column) - column.null_count:
        tally.add(NOT_NUMBERS, line=_first_line(column, lines), count=count, name=name)
    return Cells(every_row[:0], np.empty(0))


def _may_be_long(kind: pa.DataType) -> bool:
    """Say whether cells of a kind are no numbers, and many of them may be stored as one."""
    import pyarrow as pa

    return not pa.types.is_primitive(kind)


def _plain_cells(column: pa.ChunkedArray, every_row: np.ndarray) -> Cells:
    import pyarrow as pa

    rows = every_row
    if column.null_count:
        rows = np.flatnonzero(column.is_valid().to_numpy())
        column = column.drop_null()
    whole = pa.types.is_integer(column.type) and column.type != pa.uint64()
    return Cells(rows, column.to_numpy().astype(np.int64 if whole else np.float64, copy=False))
