"""Charts exported from the pages of Weights & Biases: a CSV with a column per run and metric.

The columns are called ``RUN - METRIC``, and ``RUN - METRIC__MIN`` and ``__MAX`` for the bounds of
what a point of the chart stands for; the first one is the axis.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.delimited import read_table
from viz3d.formats.dialect import HEAD_BYTES, sniff
from viz3d.formats.names import suffix
from viz3d.formats.patterns import any_case
from viz3d.formats.rows import Cells
from viz3d.formats.steps import STEP_NAMES, counts_steps, to_rows
from viz3d.formats.table import Table
from viz3d.formats.tally import Tally

NAME = "W&B chart"
KIND = "CSV"
NAMES: tuple[str, ...] = (any_case("*.csv"),)

BETWEEN = " - "
_COLUMN = re.compile(r"(?P<base>.*?)(?P<bound>__MIN|__MAX)?(?P<twin> \(\d+\))?")

NOT_ONE = "its columns are not an axis and `RUN - METRIC` with `__MIN` and `__MAX`"
EQUAL = "{n} __MIN or __MAX column{|s} {is|are} the metric itself and {was|were} left out."
SAMPLED = (
    "W&B's page drew a sample: a point stands for several values, whose bounds are in {names}."
)
NO_STEP = "The axis of the chart ({names}) is not called like a step, so it is a metric beside."
AMBIGUOUS = (
    "{n} column name{|s} hold{s|} ' - ' more than once and {was|were} parted at the last one that "
    "agrees with the others ({names})."
)


@dataclass(frozen=True)
class _Column:
    """What the name of a column says."""

    name: str
    run: str
    metric: str
    bound: str


def claim(path: str) -> Claim | None:
    """Claim ``.csv``."""
    return Claim(path) if suffix(path) == ".csv" else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file; each run in it has a name where there are several.

    Raises
    ------
    NotMine
        If the header has not the shape of such an export.
    """
    ((name, path),) = files.items()
    with path.open("rb") as file:
        if BETWEEN.encode() not in file.readline(HEAD_BYTES):
            raise NotMine(NOT_ONE)
    tally = Tally(name)
    table = read_table(path, tally)
    # A column without a value is in the header alone.
    dialect = sniff(path, Tally(name))
    axis, columns = _columns(table, frozenset(dialect.names if dialect else ()), tally)
    runs: dict[str, list[_Column]] = defaultdict(list)
    for column in columns:
        runs[column.run].append(column)
    named = len(runs) > 1
    return [_parsed(table, axis, found, tally, run if named else "") for run, found in runs.items()]


def _columns(table: Table, header: Collection[str], tally: Tally) -> tuple[str, list[_Column]]:
    """Return the axis, and run and metric of every other column with a value."""
    axis, *others = table.columns or [""]
    parts = {name: _parts(name, header) for name in others}
    bounds = any(bound for _, bound, _ in (_parts(name, header) for name in header))
    if (
        BETWEEN in axis
        or not others
        or not bounds
        or any(BETWEEN not in p[0] for p in parts.values())
    ):
        raise NotMine(NOT_ONE)
    splits = {base: list(_splits(base)) for base, _, _ in parts.values()}
    runs = Counter(run for found in splits.values() for run, _ in found)
    metrics = Counter(metric for found in splits.values() for _, metric in found)
    chosen = {
        base: max(found, key=lambda split: (metrics[split[1]] + runs[split[0]], len(split[0])))
        for base, found in splits.items()
    }
    for base, found in splits.items():
        if len(found) > 1:
            tally.add(AMBIGUOUS, name=base)
    named = _named((chosen[base][0], twin) for base, _, twin in parts.values())
    return axis, [
        _Column(name, named[chosen[base][0], twin], chosen[base][1], bound)
        for name, (base, bound, twin) in parts.items()
    ]


def _parts(name: str, header: Collection[str]) -> tuple[str, str, str]:
    """Return a name without its ends: which bound it is, and which of runs of one name."""
    found = _COLUMN.fullmatch(name)
    base, bound, twin = found.groups(default="") if found else (name, "", "")
    # A metric itself may end in a number in brackets.
    return (base, bound, twin) if not twin or base + bound in header else (name, "", "")


def _named(runs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return a name for each run of the chart, of which a twin's is no other run's."""
    found = dict.fromkeys(runs, "")
    names = {run for run, twin in found if not twin}
    for run, twin in found:
        name, count = run + twin, 2
        while twin and name in names:
            count += 1
            name = f"{run} ({count})"
        names.add(name)
        found[run, twin] = name
    return found


def _splits(base: str) -> Iterator[tuple[str, str]]:
    """Yield every way to part a name into run and metric."""
    for found in re.finditer(BETWEEN, base):
        yield base[: found.start()], base[found.end() :]


def _parsed(
    table: Table, axis: str, columns: Sequence[_Column], of_file: Tally, run: str
) -> Parsed:
    tally = Tally(of_file.file)
    tally.take(of_file)
    cells = {column.metric: table.columns[column.name] for column in columns if not column.bound}
    for column in columns:
        bound = table.columns[column.name]
        if not column.bound:
            continue
        if column.metric in cells and _same(bound, cells[column.metric]):
            tally.add(EQUAL)
        else:
            cells[column.metric + column.bound] = bound
            tally.add(SAMPLED, name=column.metric + column.bound)
    used = np.unique(np.concatenate([found.row for found in cells.values()]))
    # A metric may be called like the axis.
    own = {
        name if name != axis else f"{name} (logged)": Cells(
            np.searchsorted(used, found.row), found.value
        )
        for name, found in cells.items()
    }
    whole = table.columns[axis]
    there = np.isin(whole.row, used)
    at_axis = Cells(np.searchsorted(used, whole.row[there]), whole.value[there])
    if not counts_steps(axis):
        tally.add(NO_STEP, name=axis)
    names = (axis, *STEP_NAMES) if counts_steps(axis) else STEP_NAMES
    rows = to_rows(Table(len(used), {axis: at_axis, **own}), tally, names)
    return Parsed(rows=rows, problems=tally.problems(), used=(tally.file,), name=run)


def _same(one: Cells, other: Cells) -> bool:
    return np.array_equal(one.row, other.row) and np.array_equal(
        one.value, other.value, equal_nan=True
    )
