"""Pack the rows of a finished run into Parquet, without losing a bit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from viz3d.errors import FormatError
from viz3d.formats.run_parquet import Compacted, parquet_of, rows_of
from viz3d.whole_file import write_whole

PART = "part-00001.parquet"


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
    write_whole(target / "metrics" / PART, parquet_of(metrics))
    if layers:
        write_whole(target / "layers" / PART, parquet_of(layers))
    for file in (run / "landscape").glob("*.npz"):
        (target / "landscape").mkdir(exist_ok=True)
        shutil.copyfile(file, target / "landscape" / file.name)
    return Compacted(len(metrics), len(layers), torn_metrics + torn_layers)


def _read(file: Path) -> tuple[list[dict[str, Any]], int]:
    return rows_of(file.read_bytes()) if file.is_file() else ([], 0)
