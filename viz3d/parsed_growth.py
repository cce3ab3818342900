"""A log of JSON lines that has grown: only what was added is parsed.

That is done where it gives what parsing the whole gives, which a few rules make sure of: what was
parsed before held nothing odd and ended at the end of a line, and what was added has no new metric,
nothing odd either, and steps beyond all earlier ones that do not go back. Everything else, restarts
and late rows too, is parsed as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import FORMATS, jsonl, limits, text, viz3d_run
from viz3d.formats.attempts import goes_back
from viz3d.formats.names import file_name
from viz3d.formats.reading import Contents
from viz3d.formats.rows import Joined, Rows, join_rows
from viz3d.formats.steps import to_rows
from viz3d.formats.tally import Tally
from viz3d.run import Columns, Origin

if TYPE_CHECKING:
    import pandas as pd

# They add no rows to a history.
BESIDE = frozenset({"run.json", "layers.jsonl"})
HEAD_BYTES = 64 * 1024


def can_grow(files: Mapping[str, Path], name: str) -> bool:
    """Say whether a file is the only one with rows, and read by a format that takes line by line.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
        All of the run.
    name : str
        The file in question.
    """
    others = {file_name(path) for path in files if path != name}
    claims = (form for form in FORMATS if form.claim(name))
    return next(claims, None) in (jsonl, viz3d_run) and others <= BESIDE


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
    added = _added(columns.metrics, name, path, start)
    old = columns.read(columns.metrics)
    if added is None or not len(old) or added.step[0] <= old.index[-1]:
        return None
    new = join_rows(added)
    if new.restarts or new.replaced or not _fits(old, new.history):
        return None
    return replace(
        contents,
        joined=_joined(old, contents.joined.nonfinite, new),
        origins=tuple(_longer(origin, added) for origin in contents.origins),
    )


def _fits(old: pd.DataFrame, new: pd.DataFrame) -> bool:
    """Say whether both together are within the caps; beyond them the whole is parsed, and cut."""
    n, gaps, logged = len(old) + len(new), 0, 0
    for metric in old:
        there = sum(int(each[metric].notna().sum()) for each in (old, new) if metric in each)
        logged += there
        gaps += there if there < n else 0
    numbers = n + logged + 4 * (n + gaps)  # the steps, and the rows of what has gaps
    return n * old.shape[1] <= limits.HISTORY_CELLS and numbers <= limits.NUMBERS


def _longer(origin: Origin, added: Rows) -> Origin:
    """Return where the rows come from; the file that gave the first ones gave those too."""
    if not origin.rows or not len(added.step):
        return origin
    rows = origin.rows + len(added.step)
    return replace(origin, rows=rows, last_step=int(added.step[-1]))


def _added(metrics: Sequence[str], name: str, path: Path, start: int) -> Rows | None:
    """Return the rows from a byte on, where nothing is odd about them."""
    tally, step = Tally(name), _step_name(path, start, metrics)
    try:
        table = jsonl.read_table(path, tally, start)
    except NotMine:
        return None
    if step not in table.columns or table.labels or not {*table.columns} <= {*metrics, step}:
        return None
    rows = to_rows(table, tally)
    if tally.problems() or step in rows.columns or goes_back(rows.step).any():
        return None
    in_order = {metric: rows.columns[metric] for metric in metrics if metric in rows.columns}
    return Rows(rows.step, in_order)


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


def _step_name(path: Path, start: int, metrics: Sequence[str]) -> str | None:
    """Return the column that was taken for the step: of the first lines' it is no metric.

    None where that is not plain, the file did not end with a line then, or where another name
    could stand for a step with what was added.
    """
    with path.open("rb") as file:
        head = file.read(min(HEAD_BYTES, start)).removeprefix(text.BOM)
        file.seek(start - 1)
        around = file.read(1 + len(text.BOM))
    table = jsonl.read_fast(head[: head.rfind(b"\n") + 1], Tally("")) if b"\n" in head else None
    steps = {*table.columns} - {*metrics} if table else set()
    different = {metric.lower() for metric in (*metrics, *steps)}
    if len(steps) != 1 or len(different) <= len(metrics) or around[1:] == text.BOM:
        return None
    return steps.pop() if around[:1] == b"\n" else None
