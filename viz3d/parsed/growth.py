"""A log of JSON lines or a CSV that has grown: only what was added is parsed.

That is done where it gives what parsing the whole gives, which a few rules make sure of: what was
parsed before held nothing odd and ended at the end of a line, and what was added has no new metric,
nothing odd either, and steps beyond all earlier ones that do not go back. A CSV must also look to
be written as it did before. Everything else, restarts and late rows too, is parsed as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import FORMATS, csv_any, jsonl, limits, text, viz3d_run, wandb_chart
from viz3d.formats.attempts import goes_back
from viz3d.formats.delimited import read_rows
from viz3d.formats.dialect import sniff
from viz3d.formats.joining import Joined, join_rows
from viz3d.formats.names import file_name
from viz3d.formats.reading import Contents
from viz3d.formats.rows import Rows
from viz3d.formats.steps import to_rows
from viz3d.formats.table import Table
from viz3d.formats.tally import Tally
from viz3d.run import Columns, Origin

if TYPE_CHECKING:
    import pandas as pd

# They add no rows to a history.
BESIDE = frozenset({"run.json", "layers.jsonl"})
# Formats of lines, or asked before one: which of them read a file is known once it was parsed.
FIRST_ASKED = (jsonl, viz3d_run, wandb_chart, csv_any)
HEAD_BYTES = 64 * 1024


def can_grow(files: Mapping[str, Path], name: str) -> bool:
    """Say whether a file is the only one with rows, and may be of a format of lines.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
        All of the run.
    name : str
        The file in question.
    """
    others = {file_name(path) for path in files if path != name}
    claims = (form for form in FORMATS if form.claim(name))
    return next(claims, None) in FIRST_ASKED and others <= BESIDE


def extended(
    before: Sequence[tuple[Contents, Columns]], name: str, path: Path, start: int
) -> Contents | None:
    """Return what parsing the whole file would give, or None where that is not certain.

    Parameters
    ----------
    before : sequence of (Contents, Columns)
        What the first `start` bytes gave.
    name : str
        Of the file, in the source.
    path : pathlib.Path
    start : int
    """
    if len(before) != 1 or before[0][0].problems or len(before[0][0].joined.attempts):
        return None
    contents, columns = before[0]
    old = columns.read(columns.metrics)
    forms = {origin.format for origin in contents.origins if origin.rows}
    read = READERS.get(forms.pop()) if len(forms) == 1 else None
    added = _added(read, columns.metrics, name, path, start) if read else None
    if added is None or not len(old) or added.step[0] <= old.index[-1]:
        return None
    new = join_rows(added)
    if new.restarts or new.replaced or not _fits(contents.joined.nonfinite, old, new):
        return None
    return replace(
        contents,
        joined=_joined(old, contents.joined.nonfinite, new),
        origins=tuple(_longer(origin, added) for origin in contents.origins),
    )


def _fits(nonfinite: pd.DataFrame, old: pd.DataFrame, new: Joined) -> bool:
    """Say whether both together are within the caps; beyond them the whole is parsed, and cut."""
    n, gaps, logged = len(old) + len(new.history), 0, 0
    for metric in old:
        both = (each[metric] for each in (old, new.history) if metric in each)
        there = sum(int(each.notna().sum()) for each in both)
        logged += there
        gaps += there if there < n else 0
    numbers = n + logged + 4 * (n + gaps)  # the steps, and the rows of what has gaps
    return (
        numbers <= limits.NUMBERS
        and n * old.shape[1] <= limits.HISTORY_CELLS
        and len(nonfinite) + len(new.nonfinite) <= limits.NONFINITE
    )


def _longer(origin: Origin, added: Rows) -> Origin:
    """Return where the rows come from; the file that gave the first ones gave those too."""
    if not origin.rows or not len(added.step):
        return origin
    rows = origin.rows + len(added.step)
    return replace(origin, rows=rows, last_step=int(added.step[-1]))


def _added(read: Reader, metrics: Sequence[str], name: str, path: Path, start: int) -> Rows | None:
    """Return the rows from a byte on, where nothing is odd about them."""
    with path.open("rb") as file:
        head = file.read(min(HEAD_BYTES, start))
        file.seek(start - 1)
        around = file.read(1 + len(text.BOM))
    if around[:1] != b"\n" or around[1:] == text.BOM:
        return None
    tally = Tally(name)
    try:
        first, table = read(path, tally, start, head[: head.rfind(b"\n") + 1])
    except NotMine:
        return None
    step = _step_name(first, metrics)
    if step not in table.columns or table.labels or not {*table.columns} <= {*metrics, step}:
        return None
    rows = to_rows(table, tally)
    if tally.problems() or step in rows.columns or goes_back(rows.step).any():
        return None
    in_order = {metric: rows.columns[metric] for metric in metrics if metric in rows.columns}
    return Rows(rows.step, in_order)


def _jsonl(path: Path, tally: Tally, start: int, head: bytes) -> tuple[Table, Table]:
    """Return rows of the first lines, and those that were added."""
    first = jsonl.read_fast(head.removeprefix(text.BOM), Tally("")) if head else None
    return first or Table(0), jsonl.read_table(path, tally, start)


def _csv(path: Path, tally: Tally, start: int, head: bytes) -> tuple[Table, Table]:
    """Return the same, or none where the file looks to be written in another way now."""
    text.check(path)
    dialect = sniff(path, tally)
    if dialect is None or dialect != sniff(path, Tally(""), start):
        return Table(0), Table(0)
    first = read_rows(path, dialect, Tally(""), stop=len(head))
    return first, read_rows(path, dialect, tally, start)


Reader = Callable[[Path, Tally, int, bytes], tuple[Table, Table]]
READERS: Mapping[str, Reader] = {
    jsonl.NAME: _jsonl, viz3d_run.NAME: _jsonl, csv_any.NAME: _csv,
}  # fmt: skip


def _joined(old: pd.DataFrame, nonfinite: pd.DataFrame, new: Joined) -> Joined:
    import pandas as pd

    gaps = np.full(len(new.history), np.nan)
    columns = {
        metric: np.concatenate([old[metric].to_numpy(), new.history.get(metric, gaps)])
        for metric in old.columns
    }
    steps = np.concatenate([old.index.to_numpy(), new.history.index.to_numpy()])
    frames = [frame for frame in (nonfinite, new.nonfinite) if len(frame)]
    return Joined(
        pd.DataFrame(columns, index=pd.Index(steps, name="step", copy=False), copy=False),
        new.attempts,
        pd.concat(frames, ignore_index=True) if frames else nonfinite,
    )


def _step_name(first: Table, metrics: Sequence[str]) -> str | None:
    """Return the column that was taken for the step: of the first rows' it is no metric.

    None where that is not plain, or where another name could stand for a step with what was added.
    """
    steps = {*first.columns} - {*metrics}
    different = {metric.lower() for metric in (*metrics, *steps)}
    return steps.pop() if len(steps) == 1 and len(different) > len(metrics) else None
