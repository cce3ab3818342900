"""Axes and rows of the explore chart: what stands on the axes, joined on the logged step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from viz3d.analysis.downsample import FEWEST
from viz3d.analysis.quantities import (
    CONFIG,
    Quantity,
    category,
    metric_of,
    quantities,
    quantity,
    setting,
)
from viz3d.errors import ChartError, MissingMetric
from viz3d.figures.budget import PER_CROWD, shares, thin
from viz3d.figures.frame import WIDE, skewed
from viz3d.figures.needs import RECORD
from viz3d.figures.text import Drawn, in_words, listed, safe, short_names
from viz3d.run import Run

TITLE = "Explore"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ExploreAxis:
    """One axis, or the colour.

    Attributes
    ----------
    what : Quantity
    title : str
        In words.
    log : bool
    """

    what: Quantity
    title: str
    log: bool = False


@dataclass(frozen=True)
class ExploreRows:
    """Rows of one run that hold everything asked for, sorted by step.

    Attributes
    ----------
    run : str
    label : str
    step : ndarray of int64, shape (n,)
    points : ndarray of float64, shape (n, 3 or 4)
        Values of x, y, z and of the colour where one was asked for; a category is its number.
    drawn : ndarray of int64, shape (m,)
        Indices of the rows that are drawn.
    unjoined : int
        Rows that lack at least one of the metrics.
    nonfinite : int
        Rows that have all of them, one of them as NaN or infinity.
    below : int
        Rows with a value that a log axis cannot show.
    """

    run: str
    label: Drawn
    step: NDArray[np.int64]
    points: Floats
    drawn: NDArray[np.int64]
    unjoined: int
    nonfinite: int
    below: int


def default_axes(runs: Sequence[Run]) -> tuple[str, str, str]:
    """Return what stands on x, y and z unless someone says otherwise: the first that there is."""
    found = quantities(runs)
    numbers = [one.name for one in found if not one.categories]
    x = "step"
    z = next((n for n in ("loss", "reward", *numbers) if n in numbers and n != x), "loss")
    names = [one.name for one in found]
    wanted = ("learning_rate", "grad_norm", "lr_multiplier", *numbers, *names)
    y = next((n for n in wanted if n in names and n not in (x, z)), "learning_rate")
    return x, y, z


def read_axes(
    runs: Sequence[Run], names: Sequence[str], scales: Sequence[str]
) -> tuple[ExploreAxis, ...]:
    """Find what stands on x, y and z in these runs.

    Raises
    ------
    MissingMetric
        If one of them is in no run.
    ChartError
        If a text would be a height or have a log scale.
    """
    axes = []
    for place, (name, scale) in enumerate(zip(names, scales, strict=True)):
        what = quantity(runs, name)
        if what is None:
            raise missing(runs, [name])
        log = scale == "log" or (scale == "auto" and _is_wide(runs, what))
        axis = ExploreAxis(what, _title(name), log)
        if what.categories and place == 2:
            raise ChartError(f"{axis.title!r} is text and cannot be a height; put it on x or y.")
        if what.categories and axis.log:
            raise ChartError(f"{axis.title!r} is text and has no log scale; switch it off.")
        axes.append(axis)
    return tuple(axes)


def _is_wide(runs: Sequence[Run], what: Quantity) -> bool:
    """Whether the values of all runs want a logarithmic axis; steps never do."""
    if what.kind == "step" or what.categories:
        return False
    if what.constant:
        values = [setting(run, what.name) for run in runs]
        return skewed([value for value in values if value is not None], WIDE)
    logged = [run.column(metric) for run in runs if (metric := metric_of(run, what.name))]
    return skewed(np.concatenate(logged), WIDE)


def _title(name: str) -> str:
    key = name.removeprefix(CONFIG)
    return in_words(name) if key == name else f"{key} (config)"


def read_rows(run: Run, axes: Sequence[ExploreAxis]) -> ExploreRows | None:
    """Join one run's rows; None when it lacks something."""
    metrics = [metric_of(run, a.what.name) if a.what.kind == "metric" else "" for a in axes]
    values: list[Any] = [setting(run, a.what.name) if a.what.constant else "" for a in axes]
    if None in metrics or None in values:
        return None
    varying = list(dict.fromkeys(metric for metric in metrics if metric))
    table, logged = _logged(run, varying)
    step = table.index.to_numpy(np.int64)
    if all(axis.what.constant for axis in axes):
        # A point for a run without a history too.
        step = step[-1:] if len(step) else np.zeros(1, np.int64)
        logged = np.ones((1, 0), dtype=bool)
    whole, partly = logged.all(axis=1), logged.any(axis=1)
    points = np.empty((len(step), len(axes)))
    for k, (axis, metric, value) in enumerate(zip(axes, metrics, values, strict=True)):
        if axis.what.categories:
            points[:, k] = axis.what.categories.index(category(value))
        else:
            points[:, k] = table[metric] if metric else value if axis.what.constant else step
    finite = np.isfinite(points).all(axis=1)
    logs = [k for k, axis in enumerate(axes) if axis.log]
    fits = (points[:, logs] > 0).all(axis=1)
    kept = np.flatnonzero(whole & finite & fits)
    if axes[0].what.constant and axes[1].what.constant:
        kept = kept[-1:]
    return ExploreRows(
        run=run.name,
        label="",
        step=step[kept],
        points=points[kept],
        drawn=np.arange(len(kept)),
        unjoined=int((partly & ~whole).sum()),
        nonfinite=int((whole & ~finite).sum()),
        below=int((whole & finite & ~fits).sum()),
    )


def _logged(run: Run, metrics: Sequence[str]) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Columns of these metrics, and where each was logged, be it as NaN."""
    table = run.columns(metrics)
    logged = table.notna().to_numpy(copy=True)
    if run.nonfinite is not None:
        for k, metric in enumerate(metrics):
            bad = run.nonfinite.loc[run.nonfinite["metric"] == metric, "step"]
            logged[:, k] |= table.index.isin(bad)
    return table, logged


def thinned(rows: Sequence[ExploreRows], axes: Sequence[ExploreAxis]) -> tuple[ExploreRows, ...]:
    """Give every metric the points for extremes of its own, within the budget of all runs."""
    varying = [k for k, axis in enumerate(axes) if axis.what.kind == "metric"]
    labels = [safe(name, 24) for name in short_names([one.run for one in rows])]
    allowed = shares([len(one.step) for one in rows], PER_CROWD)
    found = []
    for one, label, n_out in zip(rows, labels, allowed, strict=True):
        each = max(FEWEST, n_out // max(1, len(varying)))
        kept = [thin(one.step, one.points[:, k], each) for k in varying] or [
            thin(one.step, one.step.astype(np.float64), each)
        ]
        drawn = np.unique(np.concatenate(kept)) if len(one.step) > n_out else one.drawn
        found.append(replace(one, label=label, drawn=drawn))
    return tuple(found)


def missing(runs: Sequence[Run], names: Sequence[str]) -> MissingMetric:
    """Return the error that says what no run has, or what none has at common steps."""
    absent = [name for name in names if quantity(runs, name) is None]
    words = [_title(name) for name in absent or dict.fromkeys(names)]
    needed = listed(words) if absent else f"{listed(words)} at the same steps of one run"
    remedy = RECORD.get(names[0]) if absent else ""
    return MissingMetric(
        TITLE,
        needed,
        [one.name for one in quantities(runs)],
        remedy or "Choose another axis, or log it at the steps of the others.",
    )
