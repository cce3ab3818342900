"""The history of a run in a file of Parquet, read column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.formats.columns import history_of
from viz3d.parsed import open_files, tables
from viz3d.parsed.tables import Damaged, of_column, of_footer
from viz3d.run import Columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

# A history of more numbers than this stays on the disk until a column is asked for.
AT_ONCE = 1_000_000


class StoredColumns(Columns):
    """The history of a run in a Parquet file, read column by column.

    The file may lose its name meanwhile, so it stays open as long as others are not used more.

    Parameters
    ----------
    path : pathlib.Path
    raw : pyarrow.NativeFile
        The file, opened.
    footer : pyarrow.parquet.FileMetaData
    metrics : sequence of str
    logged : sequence of int
        At how many steps each has a number.
    checksums : sequence of int
        Of the step and of each metric.
    roles : mapping of {role: metric}
    again : callable
        Returns the history in another way, for when the file turns out to be damaged, or is gone.
    """

    def __init__(
        self,
        path: Path,
        raw: pa.NativeFile,
        footer: pq.FileMetaData,
        metrics: Sequence[str],
        logged: Sequence[int],
        checksums: Sequence[int],
        roles: Mapping[str, str],
        again: Callable[[], pd.DataFrame],
    ) -> None:
        self._path, self._raw, self._footer = path, raw, footer
        self._again, self._lock = again, Lock()
        places = ("step", *map(str, range(len(metrics))))
        self._checksums = dict(zip(places, enumerate(checksums), strict=True))
        self.metrics, self.roles, self.rows = tuple(metrics), dict(roles), footer.num_rows
        self._places = {metric: str(at) for at, metric in enumerate(metrics)}
        self.logged = dict(zip(metrics, logged, strict=True))
        self._arrays: dict[str, np.ndarray] = {}

    def read(self, metrics: Sequence[str]) -> pd.DataFrame:
        """Return some of them as `viz3d.run.Run.history` has them."""
        places = {metric: self._places[metric] for metric in metrics}
        with self._lock:
            self._load(["step", *places.values()])
            columns = {metric: self._arrays[place] for metric, place in places.items()}
            steps = self._arrays["step"]
        open_files.note_use(self)
        return history_of(steps, columns)

    @property
    def is_open(self) -> bool:
        """Whether this holds a file open."""
        return not self._raw.closed

    def close(self) -> None:
        """Let go of the file; by its name it is opened again when a column is asked for."""
        with self._lock:
            self._raw.close()

    def _load(self, places: Sequence[str]) -> None:
        missing = [place for place in places if place not in self._arrays]
        if not missing:
            return
        try:
            for place, column in zip(missing, self._columns(missing), strict=True):
                self._arrays[place] = _numpy(column)
        except (OSError, ValueError, Damaged):  # Arrow's own errors are the first two, too
            history = self._again()
            self._arrays["step"] = history.index.to_numpy()
            for metric, place in self._places.items():
                self._arrays[place] = history[metric].to_numpy()
        if len(self._arrays) > len(self._places):
            self._raw.close()

    def _columns(self, places: Sequence[str]) -> list[pa.ChunkedArray]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._raw.closed:
            self._raw = pa.OSFile(str(self._path))
        for place in places:
            at, crc = self._checksums[place]
            if of_column(self._raw, self._footer, at) != crc:
                raise Damaged
        threads = self.rows * len(places) > AT_ONCE  # to start them takes a millisecond
        file = pq.ParquetFile(self._raw, metadata=self._footer)
        table: pa.Table = file.read(list(places), use_threads=threads)
        return [table[place] for place in places]


def write(file: Path, history: pd.DataFrame) -> dict[str, Any]:
    """Write a history; return the checksums of its columns, the step's first, and of the footer.

    Raises
    ------
    OSError, pyarrow.ArrowException
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"step": history.index.to_numpy()}
    columns |= {str(at): history.iloc[:, at].to_numpy() for at in range(history.shape[1])}
    tables.write(file, pa.table(columns))
    with pq.ParquetFile(file) as written, pa.OSFile(str(file)) as raw:
        crcs = [of_column(raw, written.metadata, at) for at in range(len(columns))]
        return {"columns": crcs, "footer": of_footer(raw)}


def opened(path: Path, said: Mapping[str, Any], again: Callable[[], pd.DataFrame]) -> Columns:
    """Open a history.

    Parameters
    ----------
    path : pathlib.Path
    said : mapping
        What `write` returned, and its ``rows``, ``metrics``, ``logged`` and ``roles``.
    again : callable
        As for `StoredColumns`.

    Raises
    ------
    OSError, Damaged
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    raw = pa.OSFile(str(path))
    if of_footer(raw) != said["footer"]:
        raise Damaged
    footer = pq.read_metadata(raw)
    if (footer.num_rows, footer.num_columns) != (said["rows"], len(said["metrics"]) + 1):
        raise Damaged
    columns = StoredColumns(
        path, raw, footer, said["metrics"], said["logged"], said["columns"], said["roles"], again
    )  # fmt: skip
    if footer.num_rows * footer.num_columns <= AT_ONCE:
        columns.read(columns.metrics)
    open_files.note_use(columns)
    return columns


def _numpy(column: pa.ChunkedArray) -> np.ndarray:
    if column.num_chunks == 1:
        return np.asarray(column.chunk(0).to_numpy(zero_copy_only=False))
    return np.asarray(column.to_numpy())
