"""A table of numbers as it stands in a file: any column names, gaps anywhere, no order assumed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.formats import limits
from viz3d.formats.rows import Cells, concatenate

if TYPE_CHECKING:
    import pyarrow as pa

    from viz3d.formats.tally import Tally

# Text in these columns says which layer a row is about; other text is no number and left out.
LABELS = ("name", "layer", "layer_name", "module", "param", "parameter")

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
NOT_FINITE = {"nan": np.nan, "inf": np.inf, "infinity": np.inf}
GAPS = {"", "none", "null", "na", "n/a", "-", "--"}

TEXT_NUMBERS = "{n} number{s} written as text {was} taken as number{s} ({names})."
BOOLEANS = "{n} true/false value{s} {was} taken as 1 and 0 ({names})."
NOT_NUMBERS = "{n} value{s} that {was} no number {was} left out ({names})."
TOO_MANY = f"{{n}} value{{s}} of metrics beyond the first {limits.METRICS:,} {{was}} left out."
OUT_OF_RANGE = "{n} whole number{s} too large to be stored {was} left out ({names})."


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    n : int
        Rows.
    columns : dict of {name: Cells}
        Numbers, int64 or float64.
    labels : dict of {name: Cells}
        Text of the columns in `LABELS`.
    """

    n: int
    columns: dict[str, Cells] = field(default_factory=dict)
    labels: dict[str, Cells] = field(default_factory=dict)


def stack(tables: Sequence[Table]) -> Table:
    """Put tables under each other.

    Parameters
    ----------
    tables : sequence of Table

    Returns
    -------
    Table
    """
    if len(tables) == 1:
        return tables[0]
    columns: dict[str, list[Cells]] = {}
    labels: dict[str, list[Cells]] = {}
    offset = 0
    for table in tables:
        for into, cells in ((columns, table.columns), (labels, table.labels)):
            for name, part in cells.items():
                into.setdefault(name, []).append(Cells(part.row + offset, part.value))
        offset += table.n
    return Table(
        offset,
        {name: concatenate(parts) for name, parts in columns.items()},
        {name: concatenate(parts) for name, parts in labels.items()},
    )


class TableBuilder:
    """Builds a `Table` from records, one at a time, whatever they hold.

    Parameters
    ----------
    tally : Tally
        Is told what was converted or left out.
    text_is_number : bool
        True where every cell is text, as in CSV, so that a number written as text is no news.
    """

    def __init__(self, tally: Tally, *, text_is_number: bool = False) -> None:
        self.n = 0
        self._tally = tally
        self._text_is_number = text_is_number
        self._columns: dict[str, tuple[list[int], list[float]]] = {}
        self._labels: dict[str, tuple[list[int], list[str]]] = {}

    def add(self, record: Mapping[str, Any], line: int | None = None) -> None:
        """Append one row.

        Parameters
        ----------
        record : mapping of {column: value}
            One level of nesting is flattened to ``outer/inner``.
        line : int, optional
            Where it stands, for messages.
        """
        for name, value in _flat(record, self._tally, line):
            if name in LABELS and isinstance(value, str) and not NUMBER.fullmatch(value):
                rows, texts = self._labels.setdefault(name, ([], []))
                rows.append(self.n)
                texts.append(value)
                continue
            number = to_number(value, name, self._tally, line, text_is_number=self._text_is_number)
            if number is None:
                continue
            if name not in self._columns and len(self._columns) >= limits.METRICS:
                self._tally.add(TOO_MANY, line=line)
                continue
            cells = self._columns.setdefault(name, ([], []))
            cells[0].append(self.n)
            cells[1].append(number)
        self.n += 1

    def table(self) -> Table:
        """Return what was added so far."""
        return Table(
            self.n,
            {
                name: Cells(np.array(rows, np.int64), _numbers(values))
                for name, (rows, values) in self._columns.items()
            },
            {
                name: Cells(np.array(rows, np.int64), np.array(texts, dtype=object))
                for name, (rows, texts) in self._labels.items()
            },
        )


def _numbers(values: Sequence[float]) -> np.ndarray:
    """Return an array, whole where all of `values` are, so that large steps stay exact."""
    whole = all(type(value) is int for value in values)
    return np.array(values, dtype=np.int64 if whole else np.float64)


def _flat(record: Mapping[str, Any], tally: Tally, line: int | None) -> Iterable[tuple[str, Any]]:
    for key, value in record.items():
        name = clean_name(key)
        if not isinstance(value, Mapping):
            yield name, value
            continue
        for count, (inner, nested) in enumerate(value.items()):
            if count >= limits.NESTED_KEYS:
                tally.add(NOT_NUMBERS, line=line, count=len(value) - count, name=name)
                break
            yield f"{name}/{clean_name(inner)}", nested


def clean_name(name: object) -> str:
    """Return a metric's name that can be shown: no control characters, no lone surrogates."""
    text = "".join(
        char if char.isprintable() else "\ufffd" for char in str(name).strip()[: limits.NAME_CHARS]
    )
    return text or "unnamed"


def to_number(
    value: Any, name: str, tally: Tally, line: int | None = None, *, text_is_number: bool = False
) -> float | int | None:
    """Return `value` as a number, or None for a gap.

    Parameters
    ----------
    value : object
        As the file holds it. Numbers written as text and true/false are taken and told.
    name : str
        The metric's name, for messages.
    tally : Tally
    line : int, optional
    text_is_number : bool
        As in `TableBuilder`.

    Returns
    -------
    float or int or None
    """
    if value is None:
        return None
    if isinstance(value, bool):
        tally.add(BOOLEANS, line=line, name=name)
        return int(value)
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return value
        tally.add(OUT_OF_RANGE, line=line, name=name)
        return None
    if isinstance(value, str):
        return _from_text(value, name, tally, line, told=not text_is_number)
    tally.add(NOT_NUMBERS, line=line, name=name)
    return None


def _from_text(
    value: str, name: str, tally: Tally, line: int | None, *, told: bool
) -> float | int | None:
    text = value.strip()
    if text.lower() in GAPS:
        return None
    unsigned = text.lstrip("+-").lower()
    if unsigned in NOT_FINITE and len(text) - len(unsigned) <= 1:
        return -NOT_FINITE[unsigned] if text.startswith("-") else NOT_FINITE[unsigned]
    if len(text) < 64 and NUMBER.fullmatch(text):
        if told:
            tally.add(TEXT_NUMBERS, line=line, name=name)
        return int(text) if text.lstrip("+-").isdecimal() and len(text) < 19 else float(text)
    tally.add(NOT_NUMBERS, line=line, name=name)
    return None


def from_arrow(arrow: pa.Table, tally: Tally, *, text_is_number: bool = False) -> Table:
    """Take the numbers out of an Arrow table.

    Parameters
    ----------
    arrow : pyarrow.Table
        Column names must be unique. Structs are flattened one level to ``outer/inner``.
    tally : Tally
    text_is_number : bool
        As in `TableBuilder`.

    Returns
    -------
    Table
    """
    table = Table(arrow.num_rows)
    every_row = np.arange(arrow.num_rows, dtype=np.int64)
    for name, column in _arrow_columns(arrow, tally):
        if name in LABELS and _is_text(column):
            known = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
            table.labels[name] = Cells(known, np.array(column.to_pylist(), dtype=object)[known])
            continue
        if len(table.columns) >= limits.METRICS:
            tally.add(TOO_MANY, count=arrow.num_rows - column.null_count)
            continue
        if _is_text(column):
            cells = _text_cells(column.to_pylist(), name, tally, text_is_number=text_is_number)
        else:
            cells = _arrow_cells(column, every_row, name, tally)
        if len(cells.row):
            table.columns[name] = cells
    return table


def _arrow_columns(arrow: pa.Table, tally: Tally) -> Iterable[tuple[str, pa.ChunkedArray]]:
    import pyarrow as pa

    for name, column in zip(arrow.column_names, arrow.columns, strict=True):
        if not pa.types.is_struct(column.type):
            yield clean_name(name), column
            continue
        fields = column.flatten()
        inner_names = [column.type.field(at).name for at in range(column.type.num_fields)]
        if len(fields) > limits.NESTED_KEYS:
            tally.add(NOT_NUMBERS, count=len(fields) - limits.NESTED_KEYS, name=name)
        for inner, nested in list(zip(inner_names, fields, strict=True))[: limits.NESTED_KEYS]:
            yield f"{clean_name(name)}/{clean_name(inner)}", nested


def _is_text(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _arrow_cells(column: pa.ChunkedArray, every_row: np.ndarray, name: str, tally: Tally) -> Cells:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        if pa.types.is_boolean(kind):
            tally.add(BOOLEANS, count=len(column) - column.null_count, name=name)
        return _plain_cells(column, every_row)
    if pa.types.is_decimal(kind):
        return _plain_cells(column.cast(pa.float64()), every_row)
    if count := len(column) - column.null_count:
        tally.add(NOT_NUMBERS, count=count, name=name)
    return Cells(every_row[:0], np.empty(0))


def _plain_cells(column: pa.ChunkedArray, every_row: np.ndarray) -> Cells:
    import pyarrow as pa

    rows = every_row
    if column.null_count:
        rows = np.flatnonzero(column.is_valid().to_numpy())
        column = column.drop_null()
    whole = pa.types.is_integer(column.type) and column.type != pa.uint64()
    return Cells(rows, column.to_numpy().astype(np.int64 if whole else np.float64, copy=False))


def _text_cells(
    values: Sequence[str | None], name: str, tally: Tally, *, text_is_number: bool
) -> Cells:
    numbers = [to_number(value, name, tally, text_is_number=text_is_number) for value in values]
    rows = [row for row, number in enumerate(numbers) if number is not None]
    return Cells(
        np.array(rows, np.int64), _numbers([number for number in numbers if number is not None])
    )
