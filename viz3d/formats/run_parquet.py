"""The rows of a recorded run as Parquet, without losing a bit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import FormatError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Compacted:
    """What was written as Parquet.

    Attributes
    ----------
    metric_rows, layer_rows : int
        Rows written.
    unreadable : int
        Lines left behind because they are not a JSON object: cut short by a power cut or a full
        disk.
    """

    metric_rows: int
    layer_rows: int
    unreadable: int


def rows_of(lines: bytes) -> tuple[list[dict[str, Any]], int]:
    """Return the rows in lines of JSON, and the number of lines that are none."""
    rows: list[dict[str, Any]] = []
    unreadable = 0
    for text in lines.splitlines():
        try:
            row = json.loads(text)
        except ValueError:
            row = None
        if isinstance(row, dict):
            rows.append(row)
        elif text.strip():
            unreadable += 1
    return rows, unreadable


def parquet_of(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a Parquet file.

    Raises
    ------
    FormatError
        If a value is neither a number nor text, as none is that a recorder wrote.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: _column(name, [row.get(name) for row in rows]) for name in names})
    text = {name for name in names if pa.types.is_string(table.schema.field(name).type)}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=19,
        write_page_checksum=True,
        use_dictionary=sorted(text),
        use_byte_stream_split=[name for name in names if name not in text],
    )
    return sink.getvalue().to_pybytes()


def _column(name: str, values: list[Any]) -> pa.Array:
    """Return the narrowest column that holds every value exactly."""
    import pyarrow as pa

    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present):
        return pa.array([None if v is None else str(v) for v in values], pa.string())
    if all(isinstance(value, int) and -(2**63) <= value < 2**63 for value in present):
        return pa.array([None if v is None else int(v) for v in values], pa.int64())
    try:
        exact = np.array([float(value) for value in present], dtype=np.float64)
    except (TypeError, OverflowError):
        raise FormatError(
            f"{name:.80} holds more than numbers and text, so the rows cannot be packed; they are "
            "read as they are."
        ) from None
    with np.errstate(over="ignore"):
        narrow = exact.astype(np.float32)
    same = np.array_equal(narrow.astype(np.float64), exact, equal_nan=True)
    kind = pa.float32() if same else pa.float64()
    return pa.array([None if value is None else float(value) for value in values], kind)
