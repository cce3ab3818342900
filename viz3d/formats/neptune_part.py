"""One part of a Neptune export: a row per value, of one run or several."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.arrow_text import coded, is_text
from viz3d.formats.neptune_room import NeptuneRoom
from viz3d.formats.neptune_run import Key, NeptuneRun
from viz3d.formats.neptune_schema import COLUMNS, KEYS, SERIES, VALUES, fits
from viz3d.formats.numbers import clean_name
from viz3d.formats.parquet import batches, check_size, opened, readable
from viz3d.formats.room import NO_ROOM
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa

NOT_READ = (
    "{n} value{|s} of series of text, of histograms and of files {was|were} not read ({names})."
)
TOO_MANY_VALUES = "{n} single value{|s} beyond the first {limit:SINGLE_VALUES} {was|were} left out."
TOO_MANY_RUNS = "{n} value{|s} of runs beyond the first {limit:RUNS} {was|were} left out."
NO_NUMBER = "{n} value{|s} of series without a number {was|were} left out ({names})."
SYSTEM = "{n} value{|s} that Neptune notes of itself {was|were} left out ({names})."
NO_TIME = "{n} value{|s} that {is|are} no time of any calendar {was|were} left out."


def read_part(path: Path, runs: dict[Key, NeptuneRun], tally: Tally, room: NeptuneRoom) -> None:
    """Read a part.

    Parameters
    ----------
    path : pathlib.Path
    runs : dict of {Key: NeptuneRun}
        What was read before, to which this is added.
    tally : Tally
    room : NeptuneRoom
        Of all parts together.

    Raises
    ------
    NotMine
        If it is no such export.
    OSError
    """
    import pyarrow as pa

    with opened(path) as file:
        if not fits(file.schema_arrow):
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


def _add_series(table: pa.Table, runs: dict[Key, NeptuneRun], tally: Tally) -> None:
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


def _is_beyond(key: Key, runs: Mapping[Key, NeptuneRun]) -> bool:
    return key not in runs and len(runs) >= limits.RUNS


def _add_values(table: pa.Table, runs: dict[Key, NeptuneRun], tally: Tally) -> None:
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
