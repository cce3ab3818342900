"""Pack the rows of a finished run into Parquet, without losing a bit."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import FormatError

if TYPE_CHECKING:
    import pyarrow as pa

PART = "part-00001.parquet"


@dataclass(frozen=True)
class Compacted:
    """What a compaction did.

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


def compact(run: Path, target: Path) -> Compacted:
    """Write the run folder `run` again as `target`, with its rows as Parquet.

    The original is left as it is. A metric that a row lacks is null, one that was logged as NaN
    is NaN. A column is float32 where every value of it is one, else float64: the values read back
    are equal to those logged. Landscapes are copied as they are.

    Parameters
    ----------
    run : Path
        A folder with ``metrics.jsonl`` and perhaps ``run.json`` and ``layers.jsonl``.
    target : Path
        Another folder; made if needed, its parts are replaced.

    Returns
    -------
    Compacted

    Raises
    ------
    FormatError
        If `run` has no ``metrics.jsonl``, or `target` is the same folder.
    """
    if not (run / "metrics.jsonl").is_file():
        raise FormatError(f"{run.name} has no metrics.jsonl; name the folder of a recorded run.")
    if run.resolve() == target.resolve():
        raise FormatError(f"{run.name} cannot be compacted onto itself; name another folder.")
    target.mkdir(parents=True, exist_ok=True)
    if (run / "run.json").is_file():
        shutil.copyfile(run / "run.json", target / "run.json")
    metrics, torn_metrics = _read(run / "metrics.jsonl")
    layers, torn_layers = _read(run / "layers.jsonl")
    _write(metrics, target / "metrics" / PART)
    if layers:
        _write(layers, target / "layers" / PART)
    for file in (run / "landscape").glob("*.npz"):
        (target / "landscape").mkdir(exist_ok=True)
        shutil.copyfile(file, target / "landscape" / file.name)
    return Compacted(len(metrics), len(layers), torn_metrics + torn_layers)


def _read(file: Path) -> tuple[list[dict[str, Any]], int]:
    return rows_of(file.read_bytes()) if file.is_file() else ([], 0)


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


def _write(rows: list[dict[str, Any]], file: Path) -> None:
    """Write the part in one move: a reader sees all of it or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}")
    part.write_bytes(parquet_of(rows))
    part.replace(file)


def parquet_of(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: _column([row.get(name) for row in rows]) for name in names})
    text = {name for name in names if pa.types.is_string(table.schema.field(name).type)}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=19,
        use_dictionary=sorted(text),
        use_byte_stream_split=[name for name in names if name not in text],
    )
    return sink.getvalue().to_pybytes()


def _column(values: list[Any]) -> pa.Array:
    """Return the narrowest column that holds every value exactly."""
    import pyarrow as pa

    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present):
        return pa.array([None if v is None else str(v) for v in values], pa.string())
    if all(isinstance(value, int) for value in present):
        return pa.array(values, pa.int64())
    exact = np.array(present, dtype=np.float64)
    with np.errstate(over="ignore"):
        narrow = exact.astype(np.float32)
    same = np.array_equal(narrow.astype(np.float64), exact, equal_nan=True)
    kind = pa.float32() if same else pa.float64()
    return pa.array([None if value is None else float(value) for value in values], kind)
