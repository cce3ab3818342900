"""The numbers of the plain view of training dynamics: rows that hold three metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from viz3d.analysis.downsample import FEWEST
from viz3d.analysis.event import Event
from viz3d.analysis.events import find_events
from viz3d.analysis.stretches import stretch_medians
from viz3d.errors import MissingMetric
from viz3d.figures.budget import shares, thin
from viz3d.figures.crowd import stretches
from viz3d.figures.dynamics_data import TITLE
from viz3d.figures.frame import Frame, span
from viz3d.figures.needs import RECORD, as_runs
from viz3d.figures.pins import Pin, event_pin
from viz3d.figures.provenance import origins
from viz3d.figures.text import Drawn, in_words, listed, safe, short_names
from viz3d.run import Run

AXES = ("loss", "grad_norm", "reward")

Floats = NDArray[np.float64]
Rows = tuple[pd.DataFrame, int]
"""Whole rows of a run, and how many were not."""


@dataclass(frozen=True)
class PlainPath:
    """Rows of one run in which all three metrics are finite, thinned.

    Attributes
    ----------
    run, label : str
    step : ndarray of int64, shape (n,)
    points : ndarray of float64, shape (n, 3)
    median : ndarray of float64, shape (b, 4)
        Medians of stretches of all rows: the three metrics and the step.
    total : int
        Rows before thinning.
    unjoined : int
        Rows that hold some of the three metrics, but not all, or one that is not finite.
    events : tuple of (int, Event)
        Events of the three metrics, with the number of the axis.
    whole : pandas.DataFrame
        All rows, before thinning: a column per metric, the step as index.
    """

    run: str
    label: Drawn
    step: NDArray[np.int64]
    points: Floats
    median: Floats
    total: int
    unjoined: int
    events: tuple[tuple[int, Event], ...]
    whole: pd.DataFrame


@dataclass(frozen=True)
class PlainResult:
    """Paths in the space of three metrics.

    Attributes
    ----------
    axes : tuple of 3 str
        Roles or metrics.
    paths : tuple of PlainPath
    unused : tuple of str
        Runs that lack one of the metrics.
    settings, origins : as in every chart
    """

    axes: tuple[str, ...]
    paths: tuple[PlainPath, ...]
    unused: tuple[str, ...]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]
    view: ClassVar[str] = "plain"

    @property
    def frame(self) -> Frame:
        """Range of each axis."""
        points = np.concatenate([path.points for path in self.paths])
        return Frame(x=span(points[:, 0]), y=span(points[:, 1]), z=span(points[:, 2]))


def compute(runs: Run | Sequence[Run], *, axes: Sequence[str] = AXES) -> PlainResult:
    """Join three metrics of each run on the step.

    Parameters
    ----------
    runs : Run or sequence of Run
    axes : sequence of 3 str
        Roles or metrics.

    Raises
    ------
    MissingMetric
        If no run logged all three at common steps.
    ValueError
        If there are not three axes.
    """
    if len(axes) != 3:
        raise ValueError(f"axes names {len(axes)} metrics; the plain view has three axes.")
    chosen = as_runs(runs, TITLE)
    joined = [(run, _join(run, axes)) for run in chosen]
    used = [(run, rows) for run, rows in joined if rows is not None and len(rows[0])]
    if not used:
        raise _missing(chosen, axes)
    labels = [safe(name, 24) for name in short_names([run.name for run, _ in used])]
    # Three metrics, each with extremes of its own, share a run's points.
    allowed = shares([len(rows[0]) for _, rows in used])
    return PlainResult(
        axes=tuple(axes),
        paths=tuple(
            _thinned(run, label, rows, n, stretches(len(used)))
            for (run, rows), label, n in zip(used, labels, allowed, strict=True)
        ),
        unused=tuple(run.name for run, rows in joined if rows is None or not len(rows[0])),
        settings={"view": "plain", "axes": list(axes)},
        origins=origins([run for run, _ in used]),
    )


def compute_each(groups: Sequence[Sequence[Run]], **settings: Any) -> list[PlainResult]:
    """Compute several groups, each by itself."""
    return [compute(group, **settings) for group in groups]


def column_of(run: Run, axis: str) -> str | None:
    """Return the metric that a role or a metric's own name stands for; None if there is none."""
    metric = run.roles.get(axis, axis)
    return metric if metric in run.metrics else None


def _join(run: Run, axes: Sequence[str]) -> Rows | None:
    columns = [name for axis in axes if (name := column_of(run, axis)) is not None]
    if len(columns) < len(axes):
        return None
    rows = run.columns(columns).dropna(how="all")
    whole = rows[np.isfinite(rows.to_numpy(np.float64)).all(axis=1)]
    return whole, len(rows) - len(whole)


def event_pins(result: PlainResult) -> list[list[Pin]]:
    """Return the events of each run, each at the drawn point of its step or the last before it."""
    names = [safe(in_words(axis)) for axis in result.axes]
    return [
        [
            event_pin(path.run, path.label, event, path.points[_row(path, event)], names[axis])
            for axis, event in path.events
        ]
        for path in result.paths
    ]


def _row(path: PlainPath, event: Event) -> int:
    """Place of the drawn point at the step of an event, or of the last one before it."""
    return max(0, int(np.searchsorted(path.step, event.step, side="right")) - 1)


def _thinned(run: Run, label: Drawn, rows: Rows, n_out: int, most: int) -> PlainPath:
    whole, unjoined = rows
    step = whole.index.to_numpy(np.int64)
    points = whole.to_numpy(np.float64)
    each = n_out if len(step) <= n_out else max(FEWEST, n_out // 3)
    kept = np.unique(np.concatenate([thin(step, points[:, k], each) for k in range(3)]))
    median = stretch_medians(np.column_stack([points, step]), most)
    events = tuple(
        (k, event)
        for k, metric in enumerate(whole.columns)
        for event in find_events(run, str(metric))
    )
    drawn = step[kept], points[kept]
    return PlainPath(run.name, label, *drawn, median, len(whole), unjoined, events, whole)


def _missing(runs: Sequence[Run], axes: Sequence[str]) -> MissingMetric:
    lacking = [axis for axis in axes if all(column_of(run, axis) is None for run in runs)] or list(
        axes
    )
    metrics = list(dict.fromkeys(metric for run in runs for metric in run.metrics))
    names = [in_words(axis) for axis in lacking]
    role = listed(names) if len(lacking) < 3 else f"{listed(names)} at the same steps"
    remedy = RECORD.get(lacking[0]) or (
        f"Record it with `viz3d.Recorder(path).log(step, {lacking[0]}=...)`."
    )
    return MissingMetric(f"{TITLE} in plain axes", role, metrics, remedy)
