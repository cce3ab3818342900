"""Parquet: histories, and what Neptune's exporter writes."""

# ruff: noqa: D401 - of an input the docstring says what it is
from __future__ import annotations

from pathlib import Path


def parquet(folder: Path, size: int) -> None:
    """Twenty million cells."""
    _parquet(folder / "history.parquet", 10, size)


def parquet_gaps(folder: Path, size: int) -> None:
    """Twenty million cells, nine of ten of them empty."""
    _parquet(folder / "history.parquet", 10, size, gaps=True)


def parquet_back(folder: Path, size: int) -> None:
    """Twenty million cells, half of which a restart supersedes."""
    _parquet(folder / "history.parquet", 10, size, back=True)


def _parquet(path: Path, columns: int, size: int, gaps: bool = False, back: bool = False) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = min(20_000_000, size // 8) // columns
    rng = np.random.default_rng(1)
    steps = np.arange(n) % (n // 2 if back else n)
    table = {"step": pa.array(steps)}
    for at in range(columns - 1):
        lacks = np.arange(n) % 9 != at if gaps else None
        table[f"metric_{at}"] = pa.array(rng.normal(size=n), mask=lacks)
    pq.write_table(pa.table(table), path, row_group_size=100_000)


def neptune(folder: Path, size: int) -> None:
    """What Neptune's exporter writes of series: a row per value."""
    _neptune(folder, size, 12)


def neptune_sparse(folder: Path, size: int) -> None:
    """The same of 1,000 series, each at other steps."""
    _neptune(folder, size, 1000)


def _neptune(folder: Path, size: int, metrics: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = min(20_000_000 // 6, size // 16)
    at = np.arange(n)
    steps = at // 12 if metrics == 12 else at
    paths = pa.DictionaryArray.from_arrays(
        pa.array((at % metrics).astype(np.int32)), pa.array([f"metric_{i}" for i in range(metrics)])
    )
    table = pa.table({
        "project_id": pa.array(["a/b"] * n), "run_id": pa.array(["R-1"] * n),
        "attribute_path": paths.cast(pa.string()),
        "attribute_type": pa.array(["float_series"] * n),
        "step": pa.array(steps.astype(float)), "float_value": pa.array(at * 0.5),
    })  # fmt: skip
    pq.write_table(table, folder / "R-1-0123456789abcdef_part_0.parquet", row_group_size=500_000)
