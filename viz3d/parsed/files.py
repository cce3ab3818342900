"""What was read of a run, as files from which it comes back exactly: Parquet and one JSON.

A folder holds ``about.json`` and, for each run in the same files, ``0-history.parquet`` with the
columns ``step``, ``0``, ``1`` and so on (the names of metrics stand in the JSON), and where there
are any ``0-attempts``, ``0-nonfinite`` and ``0-layers``. The JSON holds a checksum of its own text,
of each of the files and of each column of a history: those of Parquet's pages leave out how a page
is to be read.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

import numpy as np

from viz3d.analysis.roles import recognise
from viz3d.formats.reading import Contents
from viz3d.formats.rows import Joined, no_rows
from viz3d.run import Columns, Origin, Problem
from viz3d.sources import checksum

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

ABOUT = "about.json"
# A history of more numbers than this stays on the disk until a column is asked for.
AT_ONCE = 1_000_000
# Files of those that stay open: a process may have a thousand.
MOST_OPEN = 100
# A column is packed where its middle shrinks to this: numbers of a measurement do not, and reading
# them packed would take longer for nothing.
SHRINKS, MIDDLE = 0.8, 8_192


class Damaged(Exception):
    """The files do not hold what was written."""


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
        import pandas as pd

        places = {metric: self._places[metric] for metric in metrics}
        with self._lock:
            self._load(["step", *places.values()])
            columns = {metric: self._arrays[place] for metric, place in places.items()}
            index = pd.Index(self._arrays["step"], name="step", copy=False)
        _keep_open(self)
        return pd.DataFrame(columns, index=index, copy=False)

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
            if _of_column(self._raw, self._footer, at) != crc:
                raise Damaged
        threads = self.rows * len(places) > AT_ONCE  # to start them takes a millisecond
        file = pq.ParquetFile(self._raw, metadata=self._footer)
        table: pa.Table = file.read(list(places), use_threads=threads)
        return [table[place] for place in places]


_open: list[ReferenceType[StoredColumns]] = []
_open_lock = Lock()


def _keep_open(columns: StoredColumns) -> None:
    """Note that a history was used last, and close the files of those that were not for longest."""
    with _open_lock:
        others = [known for known in _open if known() not in (None, columns)]
        _open[:] = [*others, ref(columns)] if columns.is_open else others
        closing = [known() for known in _open[:-MOST_OPEN]]
        del _open[:-MOST_OPEN]
    for known in closing:
        if known is not None:
            known.close()


def _numpy(column: pa.ChunkedArray) -> np.ndarray:
    if column.num_chunks == 1:
        return np.asarray(column.chunk(0).to_numpy(zero_copy_only=False))
    return np.asarray(column.to_numpy())


def write(folder: Path, key: str, contents: Sequence[Contents]) -> bool:
    """Write what was read; say whether it would come back the same.

    Parameters
    ----------
    folder : pathlib.Path
        An empty one.
    key : str
        Of what was read.
    contents : sequence of Contents

    Raises
    ------
    OSError
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    runs = [_about(part) for part in contents]
    about = {"key": key, "runs": runs}
    try:
        same = repr(json.loads(json.dumps(about))) == repr(about)
    except (TypeError, ValueError):
        return False
    if not same:  # a date in a config, say
        return False
    if any(part.landscapes or part.report is not None for part in contents):
        return False
    for at, (part, said) in enumerate(zip(contents, runs, strict=True)):
        history = part.joined.history
        columns = {"step": history.index.to_numpy()}
        columns |= {str(at): history.iloc[:, at].to_numpy() for at in range(history.shape[1])}
        file = folder / f"{at}-history.parquet"
        _write_table(file, pa.table(columns))
        with pq.ParquetFile(file) as written, pa.OSFile(str(file)) as raw:
            places = range(len(columns))
            said["columns"] = [_of_column(raw, written.metadata, at) for at in places]
            said["footer"] = _of_footer(raw)
        for name, frame in _small(part).items():
            table = pa.Table.from_pandas(frame)
            if not _comes_back(frame):
                return False
            file = folder / f"{at}-{name}.parquet"
            _write_table(file, table)
            said["frames"][name] = checksum.of_file(file)[0]
    text = json.dumps(about)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / ABOUT).write_text(f"{digest}\n{text}", encoding="utf-8")
    return True


def read(
    folder: Path, key: str, again: Callable[[int], pd.DataFrame]
) -> list[tuple[Contents, Columns]]:
    """Read what `write` wrote.

    Parameters
    ----------
    folder : pathlib.Path
    key : str
    again : callable
        Returns the history of one of the runs, by its number, where its file is damaged.

    Raises
    ------
    OSError, Damaged
        If it is not there, or not whole.
    """
    found: list[tuple[Contents, Columns]] = []
    try:
        digest, _, text = (folder / ABOUT).read_text(encoding="utf-8").partition("\n")
        if digest != hashlib.sha256(text.encode()).hexdigest():
            raise Damaged
        about = json.loads(text)
        if about["key"] != key:
            raise Damaged
        for at, said in enumerate(about["runs"]):
            small = {
                name: _frame(folder / f"{at}-{name}.parquet", crc)
                for name, crc in said["frames"].items()
            }
            layers = small.pop("layers", None)
            contents = Contents(
                name=said["name"],
                joined=_joined(small),
                layers=layers,
                config=said["config"],
                problems=tuple(Problem(*problem) for problem in said["problems"]),
                used=tuple(said["used"]),
                origins=tuple(map(_origin, said["origins"])),
            )
            found.append((contents, _columns(folder, at, said, again)))
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise Damaged from error
    return found


def check(folder: Path, key: str) -> bool:
    """Read everything; say whether it is whole."""

    def damaged(_: int) -> pd.DataFrame:
        raise Damaged

    try:
        for _, columns in read(folder, key, damaged):
            columns.read(columns.metrics)
    except (OSError, Damaged):
        return False
    return True


def _columns(
    folder: Path, at: int, said: Mapping[str, Any], again: Callable[[int], pd.DataFrame]
) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{at}-history.parquet"
    raw = pa.OSFile(str(path))
    if _of_footer(raw) != said["footer"]:
        raise Damaged
    footer = pq.read_metadata(raw)
    if (footer.num_rows, footer.num_columns) != (said["rows"], len(said["metrics"]) + 1):
        raise Damaged
    columns = StoredColumns(
        path, raw, footer, said["metrics"], said["logged"], said["columns"], said["roles"],
        lambda: again(at),
    )  # fmt: skip
    if footer.num_rows * footer.num_columns <= AT_ONCE:
        columns.read(columns.metrics)
    _keep_open(columns)
    return columns


def _about(part: Contents) -> dict[str, Any]:
    history = part.joined.history
    metrics = list(history.columns)
    return {
        "name": part.name,
        "config": dict(part.config),
        "problems": [[one.what, one.remedy, one.file, one.line] for one in part.problems],
        "used": list(part.used),
        "rows": len(history),
        "logged": [int(history.iloc[:, at].notna().sum()) for at in range(len(metrics))],
        "metrics": metrics,
        "roles": recognise(metrics, history),
        "origins": json.loads(json.dumps([asdict(origin) for origin in part.origins])),
        "frames": {},
    }


def _origin(said: Mapping[str, Any]) -> Origin:
    """Return what `asdict` and JSON made lists of."""
    return Origin(**{
        **said,
        **{name: tuple(said[name]) for name in ("files", "metrics", "gave")},
        "declined": tuple((form, reason) for form, reason in said["declined"]),
    })  # fmt: skip


_nothing = functools.cache(no_rows)


def _joined(small: Mapping[str, pd.DataFrame]) -> Joined:
    """Return small frames beside no history; where there is none, an empty one of its own."""
    nothing = _nothing()
    attempts, nonfinite = (
        small[name] if name in small else getattr(nothing, name).copy()
        for name in ("attempts", "nonfinite")
    )
    return Joined(nothing.history, attempts, nonfinite)


def _small(part: Contents) -> dict[str, pd.DataFrame]:
    nothing = _nothing()
    found = {
        name: getattr(part.joined, name)
        for name in ("attempts", "nonfinite")
        if not _same(getattr(part.joined, name), getattr(nothing, name))
    }
    return found | ({"layers": part.layers} if part.layers is not None else {})


def _comes_back(frame: pd.DataFrame) -> bool:
    """Say whether Arrow gives a frame back: column by column, since all take as much again."""
    import pyarrow as pa

    columns = (frame.iloc[:, [at]] for at in range(frame.shape[1]))
    return all(_same(pa.Table.from_pandas(column).to_pandas(), column) for column in columns)


def _same(frame: pd.DataFrame, other: pd.DataFrame) -> bool:
    return (
        frame.equals(other)
        and list(frame.dtypes) == list(other.dtypes)
        and type(frame.index) is type(other.index)
        and frame.columns.equals(other.columns)
    )


def _frame(file: Path, crc: int) -> pd.DataFrame:
    import pyarrow.parquet as pq

    if checksum.of_file(file)[0] != crc:
        raise Damaged
    return pq.read_table(file).to_pandas()


def _of_column(raw: pa.NativeFile, footer: pq.FileMetaData, at: int) -> int:
    """Return the checksum of a column's bytes, its pages' headers among them."""
    crc = 0
    for group in range(footer.num_row_groups):
        chunk = footer.row_group(group).column(at)
        crc = checksum.extend(crc, raw.read_at(chunk.total_compressed_size, chunk.data_page_offset))
    return crc


def _of_footer(raw: pa.NativeFile) -> int:
    """Return the checksum of what stands behind the columns; its length stands in the end of it."""
    end = raw.size()
    length = 8 + int.from_bytes(raw.read_at(8, max(0, end - 8))[:4], "little")
    return checksum.extend(0, raw.read_at(length, max(0, end - length)))


def _write_table(file: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    packing = {name: _packing(table[name]) for name in table.column_names}
    pq.write_table(
        table, file, compression=packing, use_dictionary=False, write_statistics=False
    )  # fmt: skip


def _packing(column: pa.ChunkedArray) -> str:
    import pyarrow as pa

    if not pa.types.is_primitive(column.type):
        return "lz4"
    middle = column.slice(max(0, len(column) - MIDDLE) // 2, MIDDLE).to_numpy().tobytes()
    return "lz4" if len(pa.compress(middle, "lz4")) <= SHRINKS * len(middle) else "none"
