"""What neptune-exporter writes: Parquet parts with a row per value, of one run or several.

Source: the README of neptune-ai/neptune-exporter. The files lie in a folder per project and are
called ``RUN-DIGEST_part_N.parquet``; those of its first versions ``part_N.parquet``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.arrow import beside, coded, is_text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.numbers import ALIKE, TOO_MANY, clean_name
from viz3d.formats.parquet import batches, check_size, opened, readable
from viz3d.formats.remedies import parted
from viz3d.formats.room import NO_ROOM, Room
from viz3d.formats.rows import Cells
from viz3d.formats.steps import to_rows
from viz3d.formats.table import Table
from viz3d.formats.tally import Tally
from viz3d.run import Problem

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "Neptune export"
NAMES: tuple[str, ...] = ("*part_[0-9]*.parquet",)

_FILE = re.compile(r"((?:.*/)?)(?:([^/]+-[0-9a-f]{16})_)?part_([0-9]+)\.parquet")

SERIES = "float_series"
# attribute_type -> the column of its single value
VALUES = {
    "float": "float_value",
    "int": "int_value",
    "string": "string_value",
    "bool": "bool_value",
    "datetime": "datetime_value",
    "string_set": "string_set_value",
}
KEYS = ("project_id", "run_id", "attribute_path", "attribute_type")
COLUMNS = (*KEYS, "step", *VALUES.values())
STRING = 50  # bytes of a string of Python, beside its letters

NOT_READ = (
    "{n} value{|s} of series of text, of histograms and of files {was|were} not read ({names})."
)
TOO_MANY_VALUES = "{n} single value{|s} beyond the first {limit:SINGLE_VALUES} {was|were} left out."
LONG_TEXTS = (
    "{n} single value{|s} beyond the first {limit:SINGLE_BYTES} of text {was|were} left out "
    "({names})."
)
TOO_MANY_RUNS = "{n} value{|s} of runs beyond the first {limit:RUNS} {was|were} left out."
NO_NUMBER = "{n} value{|s} of series without a number {was|were} left out ({names})."
SYSTEM = "{n} value{|s} that Neptune notes of itself {was|were} left out ({names})."
NO_TIME = "{n} value{|s} that {is|are} no time of any calendar {was|were} left out."
MISSING = "{n} part{|s} {is|are} missing; what {it|they} held was not read."

Key = tuple[str, str]


@dataclass
class _Room:
    """The room for numbers, and for bytes of text of single values: each may repeat the same."""

    numbers: Room
    left: int

    def fitting(self, table: pa.Table, tally: Tally) -> pa.Table:
        """Return the rows for which there is room; in memory each takes about as much."""
        import pyarrow as pa

        sizes = _text_bytes(table)
        fits = (np.cumsum(sizes) <= self.left) | (sizes == 0)
        self.left -= int(sizes[fits].sum())
        for path in table["attribute_path"].filter(pa.array(~fits)):
            tally.add(LONG_TEXTS, name=clean_name(path.as_py()))
        return table.filter(pa.array(fits))


@dataclass
class _Run:
    """What the parts hold of one run."""

    series: dict[str, list[tuple[np.ndarray, np.ndarray]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    config: dict[str, Any] = field(default_factory=dict)


def claim(path: str) -> Claim | None:
    """Claim the parts of a run for that run, and those without its name for their folder."""
    match = _FILE.fullmatch(path)
    return Claim((match[1] + (match[2] or "")).rstrip("/")) if match else None


def holds(path: Path) -> bool:
    """Say whether a file has the columns of such an export.

    Raises
    ------
    NotMine
        If it is no Parquet file.
    """
    with opened(path) as file:
        return _fits(file.schema_arrow)


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read the parts; series of numbers become the history, single values the config.

    Raises
    ------
    NotMine
        If none of them is such an export.
    """
    runs: dict[Key, _Run] = defaultdict(_Run)
    tally, room = Tally(next(iter(files))), _Room(Room(), limits.SINGLE_BYTES)
    reasons: dict[str, str] = {}
    for name in sorted(files, key=_number):
        of_file = Tally(name)
        try:
            _read_part(files[name], runs, of_file, room)
        except (NotMine, OSError) as error:
            reasons[name] = str(error) if isinstance(error, NotMine) else "it cannot be read"
        else:
            tally.take(of_file)
    if len(reasons) == len(files):
        raise NotMine("; ".join(dict.fromkeys(reasons.values())))
    numbers = {_number(name) for name in files}
    if missing := max(numbers) + 1 - len(numbers):
        tally.add(MISSING, count=missing)
    told = [
        Problem(*parted(f"The part was left out: {why}."), name) for name, why in reasons.items()
    ]
    used = tuple(name for name in files if name not in reasons)
    pieces = [
        _parsed(run, used, name) for run, name in zip(runs.values(), _names(runs), strict=True)
    ]
    first = Parsed(
        problems=(*tally.problems(), *told), used=used, name=pieces[0].name if pieces else ""
    )
    return [first, *pieces]


def _names(keys: Collection[Key]) -> list[str]:
    """Return the id of each run, with its project where others have it too; empty for one run."""
    times = Counter(run for _, run in keys)
    if times.total() == 1:
        return [""]
    return [run if times[run] == 1 else f"{project}/{run}" for project, run in keys]


def _number(name: str) -> int:
    match = _FILE.fullmatch(name)
    return int(match[3]) if match else 0


def _fits(schema: pa.Schema) -> bool:
    once = all(schema.names.count(name) < 2 for name in COLUMNS)
    return once and {*KEYS, "step", "float_value"} <= set(schema.names)


def _read_part(path: Path, runs: dict[Key, _Run], tally: Tally, room: _Room) -> None:
    import pyarrow as pa

    with opened(path) as file:
        if not _fits(file.schema_arrow):
            raise NotMine(f"it has no columns {', '.join(KEYS)}, step and float_value")
        columns, texts = readable(file, tally, COLUMNS, ("string_set_value",))
    if not {*KEYS, "step", "float_value"} <= {*columns}:
        raise NotMine("it has columns that hold more than those of such an export")
    with opened(path, dictionaries=texts) as file:
        check_size(file, len(columns))
        left = limits.SINGLE_VALUES
        for group in batches(file, columns, tally):
            kinds = _Coded(group["attribute_type"])
            series = group.filter(pa.array(kinds.are(SERIES)))
            series = _with_numbers(series, tally)
            if room.numbers.take(5 * len(series)):  # each value has its own step
                _add_series(series, runs, tally)
            elif len(series):
                tally.add(NO_ROOM, count=len(series))
            single = group.filter(pa.array(kinds.are(*VALUES)))
            if len(single) > left:
                tally.add(TOO_MANY_VALUES, count=len(single) - left)
            _add_values(room.fitting(single.slice(0, left), tally), runs, tally)
            left -= min(left, len(single))
            for kind in kinds.texts:
                count = int(kinds.are(kind).sum())
                if count and kind != SERIES and kind not in VALUES:
                    tally.add(NOT_READ, count=count, name=str(kind))


def _text_bytes(table: pa.Table) -> np.ndarray:
    """Return how much the text of each row takes, given out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = np.zeros(len(table), np.int64)
    for column in table.select([name for name in VALUES.values() if name in table.column_names]):
        if is_text(column.type):
            sizes += _lengths(column)
        elif pa.types.is_list(column.type):
            each = np.cumsum(np.append(0, _lengths(pc.list_flatten(column)) + STRING))
            ends = np.cumsum(np.append(0, pc.list_value_length(column).fill_null(0).to_numpy()))
            sizes += np.diff(each[ends])
    return sizes


def _lengths(column: pa.ChunkedArray) -> np.ndarray:
    texts, codes = coded(column)
    return np.array([len(text or "") for text in texts])[codes]


class _Coded:
    """A column of text as numbers: `codes` of shape (n,) into `texts`."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self.texts: list[str | None]
        self.texts, self.codes = coded(column)

    def are(self, *texts: str | None) -> np.ndarray:
        """Say which rows hold one of some texts."""
        return np.isin(self.codes, [at for at, text in enumerate(self.texts) if text in texts])


def _with_numbers(table: pa.Table, tally: Tally) -> pa.Table:
    """Return the values of series that are there: what was logged in an empty cell nobody knows."""
    import pyarrow as pa

    there = table["float_value"].is_valid().to_numpy(zero_copy_only=False).astype(bool)
    if there.all():
        return table
    paths = _Coded(table["attribute_path"].filter(pa.array(~there)))
    for code, count in zip(*np.unique(paths.codes, return_counts=True), strict=True):
        name = clean_name(paths.texts[code])
        tally.add(NO_NUMBER, count=int(count), name=name)
    return table.filter(pa.array(there))


def _add_series(table: pa.Table, runs: dict[Key, _Run], tally: Tally) -> None:
    """Part the values of series by run and attribute, in the order of the file."""
    import pyarrow as pa

    if not len(table):
        return
    projects, ids, paths = (_Coded(table[name]) for name in KEYS[:3])
    steps = table["step"].cast(pa.float64()).to_numpy()
    values = table["float_value"].cast(pa.float64()).to_numpy()
    code = (projects.codes * len(ids.texts) + ids.codes) * len(paths.texts) + paths.codes
    order = np.argsort(code, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        at = rows[0]
        key = (str(projects.texts[projects.codes[at]]), str(ids.texts[ids.codes[at]]))
        if _is_beyond(key, runs):
            tally.add(TOO_MANY_RUNS, count=len(rows))
            continue
        path = str(paths.texts[paths.codes[at]])
        runs[key].series[path].append((steps[rows], values[rows]))


def _is_beyond(key: Key, runs: Mapping[Key, _Run]) -> bool:
    return key not in runs and len(runs) >= limits.RUNS


def _add_values(table: pa.Table, runs: dict[Key, _Run], tally: Tally) -> None:
    columns = {name: _python(table[name], tally) for name in table.column_names}
    for row in (
        dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
    ):
        if str(row["attribute_path"]).startswith("sys/"):
            # Runs that are equal but for their ids and times are repetitions.
            tally.add(SYSTEM, name=row["attribute_path"])
            continue
        key = (str(row["project_id"]), str(row["run_id"]))
        if _is_beyond(key, runs):
            tally.add(TOO_MANY_RUNS)
            continue
        value: Any = row.get(VALUES[row["attribute_type"]])
        if isinstance(value, list):
            value = sorted(map(str, value))
        elif hasattr(value, "isoformat"):
            value = value.isoformat()
        runs[key].config[str(row["attribute_path"])] = value


def _python(column: pa.ChunkedArray, tally: Tally) -> list[Any]:
    """Return the values of a column; Python has no year 300,000, nor every time zone."""
    if is_text(column.type):
        texts, codes = coded(column)
        return [texts[code] for code in codes]
    wrong = (ArithmeticError, ValueError, LookupError)
    with suppress(*wrong):
        return column.to_pylist()
    values = []
    for value in column:
        try:
            values.append(value.as_py())
        except wrong:
            tally.add(NO_TIME)
            values.append(None)
    return values


def _parsed(run: _Run, used: Sequence[str], name: str) -> Parsed:
    tally = Tally(used[0])
    paths = list(run.series)[: limits.METRICS]
    for path in list(run.series)[limits.METRICS :]:
        tally.add(TOO_MANY, count=sum(len(steps) for steps, _ in run.series[path]))
    parts = {
        path: [np.concatenate(both) for both in zip(*run.series.pop(path), strict=True)]
        for path in paths
    }
    every = np.unique(np.concatenate([np.empty(0), *(steps for steps, _ in parts.values())]))
    columns = {"step": Cells(np.arange(len(every)), every)}
    for path in paths:
        steps, values = parts.pop(path)
        order = np.argsort(steps, kind="stable")
        metric = clean_name(path)
        # A metric may be called "step"; that column is ours.
        metric = metric if metric != "step" else "step (logged)"
        if metric in columns:
            tally.add(ALIKE, count=len(steps), name=metric)
        cells = Cells(np.searchsorted(every, steps[order]), values[order])
        columns[metric] = beside(columns.get(metric), cells)
    rows = to_rows(Table(len(every), columns), tally, ("step",))
    return Parsed(
        rows=rows, config=run.config, problems=tally.problems(), used=tuple(used), name=name
    )
