"""I45 to I50: Parquet that is cut, forged, damaged, encrypted, or of kinds that are no numbers.

Each stands as a part of a recorded run, beside lines that hold the good rows. (I48 at its full size
is in `bombs`.)
"""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bad_inputs.case import GOOD, LOSS, bad, lines, write
from viz3d.formats.run_parquet import parquet_of

PART = "metrics/part-00001.parquet"
LEFT_OUT = r"part-00001.parquet: The file was left out: it is no complete Parquet file"


def packed(rows: int = 2000, **options: Any) -> bytes:
    """Return a good part: ``x``, which the lines do not have."""
    sink = io.BytesIO()
    step = np.arange(10, 10 + rows)
    pq.write_table(pa.table({"step": step, "x": step / 7}), sink, **options)
    return sink.getvalue()


def part(folder: Path, content: bytes) -> None:
    write(folder, PART, content)
    lines(folder, *GOOD, name="metrics.jsonl")


@bad("I45", LEFT_OUT, read=LOSS)
def cut_parquet(folder: Path) -> None:
    part(folder, packed()[:-20])


@bad("I45", LEFT_OUT, read=LOSS)
def parquet_without_footer(folder: Path) -> None:
    part(folder, packed()[:400])


@bad("I45", LEFT_OUT, read=LOSS)
def parquet_of_no_bytes(folder: Path) -> None:
    part(folder, b"")


@bad("I46", LEFT_OUT, read=LOSS)
def footer_that_lies(folder: Path) -> None:
    part(folder, packed()[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1")


def flipped(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGED = r"part-00001.parquet: The file was left out: all of its row groups are damaged"


@bad("I47", DAMAGED, read=LOSS)
def flipped_page(folder: Path) -> None:
    plain = packed(write_page_checksum=True, compression="none", use_dictionary=False)
    part(folder, flipped(plain))


@bad("I47", DAMAGED, read=LOSS)
def flipped_page_of_a_recorder(folder: Path) -> None:
    part(folder, flipped(parquet_of([{"step": step, "x": step / 7} for step in range(2000)])))


@bad("I47", r"part-00001.parquet: 1 row group is damaged; its rows from there on were left out",
     read={**LOSS, "x": {step: step / 7 for step in range(10, 18)}})  # fmt: skip
def flipped_page_of_the_second_row_group(folder: Path) -> None:
    plain = packed(
        16, write_page_checksum=True, compression="none", use_dictionary=False, row_group_size=8
    )
    last = pq.ParquetFile(io.BytesIO(plain)).metadata.row_group(1).column(1)
    at = last.data_page_offset + last.total_compressed_size - 1
    part(folder, plain[:at] + bytes([plain[at] ^ 1]) + plain[at + 1 :])


@bad(
    "I48", r"The file was left out: it says that it holds 200,001 rows of 2,000 columns", read=LOSS
)
def more_cells_than_a_run_has(folder: Path) -> None:
    sink = io.BytesIO()
    schema = pa.schema([(f"c{at}", pa.float32()) for at in range(2_000)])
    column = pa.nulls(200_001, pa.float32())
    pq.write_table(pa.table([column] * 2_000, schema=schema), sink)
    part(folder, sink.getvalue())


@bad("I49", r"The file was left out", read=LOSS)
def encrypted(folder: Path) -> None:
    # The magic of a file whose footer is encrypted.
    part(folder, packed()[:-4] + b"PARE")


@bad("I49", r"values? that (was|were) no number (was|were) left out \(obj\)",
     read={**LOSS, "x": {10: 0.5, 11: 1.5}})  # fmt: skip
def columns_that_pandas_calls_objects(folder: Path) -> None:
    about = {"columns": [{"name": "obj", "pandas_type": "object", "numpy_type": "object",
                          "field_name": "obj", "metadata": None}], "index_columns": []}  # fmt: skip
    pickled = b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94"
    table = pa.table({"step": [10, 11], "x": [0.5, 1.5], "obj": [pickled, pickled]})
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(about)}), sink)
    part(folder, sink.getvalue())


@bad("I49", r"1 column of lists or bytes was not read \(id\)",
     read={**LOSS, "x": {10: 0.5}})  # fmt: skip
def extension_types(folder: Path) -> None:
    """A kind that nobody has registered is read as what it is stored as."""
    table = pa.table({"step": [10], "x": [0.5], "id": pa.array([bytes(16)], pa.uuid())})
    unknown = {"ARROW:extension:name": "evil.Kind", "ARROW:extension:metadata": "\x80\x04cos"}
    field = table.schema.field("x").with_metadata(unknown)
    sink = io.BytesIO()
    pq.write_table(table.cast(table.schema.set(1, field)), sink)
    part(folder, sink.getvalue())


@bad(
    "I50",
    r"values that were no number were left out \(when\)",
    r"1 column of lists or bytes was not read \(list\)",
    read={**LOSS, "x": {10: 0.5, 11: 1.25}, "n": {10: 1.0, 11: 2.0}, "in/y": {10: 4.0, 11: 5.0}},
)
def kinds_of_columns(folder: Path) -> None:
    when = dt.datetime(2026, 1, 1)
    table = pa.table({
        "step": [10, 11],
        "x": pa.array([decimal.Decimal("0.50"), decimal.Decimal("1.25")]),
        "n": pa.array([1, 2]).dictionary_encode(),
        "in": pa.array([{"y": 4.0}, {"y": 5.0}]),
        "when": pa.array([when, when]),
        "list": pa.array([[1.0], [2.0]]),
    })  # fmt: skip
    sink = io.BytesIO()
    pq.write_table(table, sink)
    part(folder, sink.getvalue())


@bad("I45", refused=r"it is no complete Parquet file \(cut, or still being written\)")
def lone_parquet_cut(folder: Path) -> None:
    write(folder, "history.parquet", packed()[:-20])


@bad("I49", refused=r"it is encrypted|no complete Parquet file")
def lone_parquet_encrypted(folder: Path) -> None:
    write(folder, "history.parquet", packed()[:-4] + b"PARE")
