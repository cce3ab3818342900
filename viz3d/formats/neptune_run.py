"""One run of a Neptune export: its series as a history, its single values as the config."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from viz3d.formats import limits
from viz3d.formats.base import Parsed
from viz3d.formats.numbers import ALIKE, TOO_MANY, clean_name
from viz3d.formats.rows import Cells, interleaved
from viz3d.formats.steps import to_rows
from viz3d.formats.table import Table
from viz3d.formats.tally import Tally

# Of a project and of a run in it.
Key = tuple[str, str]
# The steps and the values of an attribute, of each part by itself.
Series = dict[str, list[tuple[np.ndarray, np.ndarray]]]


@dataclass
class NeptuneRun:
    """What the parts hold of one run."""

    series: Series = field(default_factory=lambda: defaultdict(list))
    config: dict[str, Any] = field(default_factory=dict)


def to_parsed(run: NeptuneRun, used: Sequence[str], name: str) -> Parsed:
    """Return what is read of a run, whose series are given up meanwhile.

    Parameters
    ----------
    run : NeptuneRun
    used : sequence of str
        Names of the parts.
    name : str
        As `viz3d.formats.base.Parsed` has it.
    """
    tally = Tally(used[0])
    for path in list(run.series)[limits.METRICS :]:
        tally.add(TOO_MANY, count=sum(len(steps) for steps, _ in run.series.pop(path)))
    rows = to_rows(_table(run.series, tally), tally, ("step",))
    return Parsed(
        rows=rows, config=run.config, problems=tally.problems(), used=tuple(used), name=name
    )


def _table(series: Series, tally: Tally) -> Table:
    """Put series beside each other: a row for each step that any of them has."""
    whole = {
        path: [np.concatenate(both) for both in zip(*series.pop(path), strict=True)]
        for path in list(series)
    }
    every = np.unique(np.concatenate([np.empty(0), *(steps for steps, _ in whole.values())]))
    columns = {"step": Cells(np.arange(len(every)), every)}
    for path in list(whole):
        steps, values = whole.pop(path)
        order = np.argsort(steps, kind="stable")
        metric = _metric(path)
        if metric in columns:
            tally.add(ALIKE, count=len(steps), name=metric)
        cells = Cells(np.searchsorted(every, steps[order]), values[order])
        columns[metric] = interleaved(columns.get(metric), cells)
    return Table(len(every), columns)


def _metric(path: str) -> str:
    """Return the name of a metric; it may be called "step", and that column is ours."""
    name = clean_name(path)
    return name if name != "step" else "step (logged)"
