"""The numbers of the explore chart: rows in which what stands on the axes meets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from viz3d.analysis.surface import Surface, fit_surface
from viz3d.errors import BadArgument, ChartError, MissingMetric
from viz3d.figures.budget import PER_CROWD, shares, thin
from viz3d.figures.frame import Frame, span
from viz3d.figures.needs import RECORD, as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.text import in_words, listed, safe, short_names
from viz3d.run import Run

KIND = "explore"
TITLE = "Explore"

DRAWINGS = ("path", "points", "surface")
SCALES = ("linear", "log")

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
    run, label : str
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
    label: str
    step: NDArray[np.int64]
    points: Floats
    drawn: NDArray[np.int64]
    unjoined: int
    nonfinite: int
    below: int


@dataclass(frozen=True)
class ExploreResult:
    """Everything that the chart draws and says.

    Attributes
    ----------
    axes : tuple of 3 ExploreAxis
    color : ExploreAxis or None
    draw : {"path", "points", "surface"}
        What is drawn; `instead` says why where it is not what was asked for.
    instead : str
    rows : tuple of ExploreRows
    surface : Surface or None
        None unless a surface was asked for and can be fitted.
    frame : Frame
    unused : tuple of str
        Runs that lack something or have no whole row.
    settings, origins : as in every chart
    """

    axes: tuple[ExploreAxis, ...]
    color: ExploreAxis | None
    draw: str
    instead: str
    rows: tuple[ExploreRows, ...]
    surface: Surface | None
    frame: Frame
    unused: tuple[str, ...]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, str], ...]


def compute(
    runs: Run | Sequence[Run],
    *,
    x: str | None = None,
    y: str | None = None,
    z: str | None = None,
    color: str | None = None,
    draw: str = "path",
    x_scale: str = "linear",
    y_scale: str = "linear",
    z_scale: str = "linear",
    strictness: str = "default",
) -> ExploreResult:
    """Join what stands on the axes on the logged step, and fit a surface if one is asked for.

    Parameters
    ----------
    runs : Run or sequence of Run
    x, y, z : str, optional
        ``"step"``, a metric, a role, or a key of the config (``"outer.inner"``, with ``"config."``
        before it where a metric has the same name). By default those of `default_axes`.
    color : str, optional
        A fourth, likewise; by default the colour tells the runs apart.
    draw : {"path", "points", "surface"}
    x_scale, y_scale, z_scale : {"linear", "log"}
    strictness : {"default", "strict", "loose"}
        How near the data and how sure a point of the surface must be.

    Raises
    ------
    MissingMetric
        If no run has one of the quantities, or none has all of them at common steps.
    ChartError
        If z is text, a text has a log axis, or no row is left on the log axes.
    BadArgument
        If `draw` or a scale is none of its choices.
    ValueError
        If `strictness` is none of its choices.
    """
    chosen = as_runs(runs, TITLE)
    names = [name or found for name, found in zip((x, y, z), default_axes(chosen), strict=True)]
    scales = (x_scale, y_scale, z_scale)
    _check(draw, scales)
    axes = _axes(chosen, names, scales)
    shade = _axes(chosen, [color], ("linear",))[0] if color else None
    shown = (*axes, shade) if shade else axes
    read = [(run, _read(run, shown)) for run in chosen]
    used = [(run, rows) for run, rows in read if rows is not None and len(rows.step)]
    if not used:
        raise _nothing(chosen, shown, [rows for _, rows in read if rows is not None])
    rows = _thinned([rows for _, rows in used], shown)
    drawing, instead = _drawing(draw, axes)
    return ExploreResult(
        axes=axes,
        color=shade,
        draw=drawing,
        instead=instead,
        rows=rows,
        surface=_fit(rows, axes, strictness) if drawing == "surface" else None,
        frame=_frame(rows, axes, shade),
        unused=tuple(run.name for run, rows in read if rows is None or not len(rows.step)),
        settings={
            **dict(zip("xyz", names, strict=True)), "color": color, "draw": draw,
            **{f"{letter}_scale": scale for letter, scale in zip("xyz", scales, strict=True)},
            "strictness": strictness,
        },
        origins=origins([run for run, _ in used]),
    )  # fmt: skip


def default_axes(runs: Sequence[Run]) -> tuple[str, str, str]:
    """Return what stands on x, y and z unless someone says otherwise: the first that there is."""
    numbers = [one.name for one in quantities(runs) if not one.categories]
    x = "step"
    z = next((n for n in ("loss", "reward", *numbers) if n in numbers and n != x), "loss")
    wanted = ("learning_rate", "grad_norm", "lr_multiplier", *numbers)
    y = next((n for n in wanted if n in numbers and n not in (x, z)), "learning_rate")
    return x, y, z


def _check(draw: str, scales: Sequence[str]) -> None:
    if draw not in DRAWINGS:
        raise BadArgument(f"draw is {draw!r}; choose one of: {', '.join(DRAWINGS)}.")
    for letter, scale in zip("xyz", scales, strict=True):
        if scale not in SCALES:
            raise BadArgument(f"{letter}_scale is {scale!r}; choose one of: {', '.join(SCALES)}.")


def _axes(
    runs: Sequence[Run], names: Sequence[str], scales: Sequence[str]
) -> tuple[ExploreAxis, ...]:
    axes = []
    for place, (name, scale) in enumerate(zip(names, scales, strict=True)):
        what = quantity(runs, name)
        if what is None:
            raise _missing(runs, [name])
        axis = ExploreAxis(what, _title(name), scale == "log")
        if what.categories and place == 2:
            raise ChartError(f"{axis.title!r} is text and cannot be a height; put it on x or y.")
        if what.categories and axis.log:
            raise ChartError(f"{axis.title!r} is text and has no log scale; switch it off.")
        axes.append(axis)
    return tuple(axes)


def _title(name: str) -> str:
    key = name.removeprefix(CONFIG)
    return in_words(name) if key == name else f"{key} (config)"


def _read(run: Run, axes: Sequence[ExploreAxis]) -> ExploreRows | None:
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
    table = run.history[list(metrics)]
    logged = table.notna().to_numpy(copy=True)
    if run.nonfinite is not None:
        for k, metric in enumerate(metrics):
            bad = run.nonfinite.loc[run.nonfinite["metric"] == metric, "step"]
            logged[:, k] |= table.index.isin(bad)
    return table, logged


def _thinned(rows: Sequence[ExploreRows], axes: Sequence[ExploreAxis]) -> tuple[ExploreRows, ...]:
    """Give every metric the points for extremes of its own, within the budget of all runs."""
    varying = [k for k, axis in enumerate(axes) if axis.what.kind == "metric"]
    labels = [safe(name, 24) for name in short_names([one.run for one in rows])]
    allowed = shares([len(one.step) for one in rows], PER_CROWD)
    thinned = []
    for one, label, n_out in zip(rows, labels, allowed, strict=True):
        each = max(FEWEST, n_out // max(1, len(varying)))
        kept = [thin(one.step, one.points[:, k], each) for k in varying] or [
            thin(one.step, one.step.astype(np.float64), each)
        ]
        drawn = np.unique(np.concatenate(kept)) if len(one.step) > n_out else one.drawn
        thinned.append(replace(one, label=label, drawn=drawn))
    return tuple(thinned)


def _drawing(wanted: str, axes: Sequence[ExploreAxis]) -> tuple[str, str]:
    """Return what can be drawn, and why it is not what was asked for."""
    x, y, z = axes
    if wanted == "points":
        return wanted, ""
    noun = "paths are" if wanted == "path" else "surface is"
    for axis in (x, y):
        if axis.what.categories:
            return "points", f"Points, because {axis.title} is text and no {noun} drawn over text."
    if x.what.constant and y.what.constant:
        return "points", (
            f"Points, because {x.title} and {y.title} are one number per run: each run is its last "
            f"row of {z.title}, and no {noun} drawn between runs."
        )
    if wanted == "surface" and x.what == y.what:
        return "path", f"A path, because x and y are both {x.title}."
    return wanted, ""


def _fit(rows: Sequence[ExploreRows], axes: Sequence[ExploreAxis], strictness: str) -> Surface:
    x, y, z = np.concatenate([one.points[:, :3] for one in rows]).T
    scales = ["log" if axis.log else "linear" for axis in axes]
    if axes[0].what.kind == "step" and not axes[0].log:
        scales[0] = "log1p"
    if axes[1].what.kind == "step" and not axes[1].log:
        scales[1] = "log1p"
    return fit_surface(
        x,
        y,
        z,
        run=np.repeat(np.arange(len(rows)), [len(one.step) for one in rows]),
        x_scale=scales[0],
        y_scale=scales[1],
        z_scale="log" if axes[2].log else "auto",
        strictness=strictness,
    )


def _frame(
    rows: Sequence[ExploreRows], axes: Sequence[ExploreAxis], color: ExploreAxis | None
) -> Frame:
    points = np.concatenate([one.points for one in rows])
    x, y, z = (span(points[:, k]) for k in range(3))
    return Frame(x, y, z, span(points[:, 3]) if color else None, log=axes[2].log)


def _nothing(
    runs: Sequence[Run], axes: Sequence[ExploreAxis], read: Sequence[ExploreRows]
) -> ChartError:
    """Say why no run has a row."""
    below, nonfinite = sum(one.below for one in read), sum(one.nonfinite for one in read)
    if below:
        logs = listed([axis.title for axis in axes if axis.log])
        return ChartError(
            f"No row is left: {below:,} have a value of {logs} that is not above 0, which a log "
            "axis cannot show; switch the log scale off."
        )
    if nonfinite:
        return ChartError(
            f"No row is left: in {nonfinite:,} a value is NaN or infinity; choose another metric."
        )
    return _missing(runs, [axis.what.name for axis in axes])


def _missing(runs: Sequence[Run], names: Sequence[str]) -> MissingMetric:
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
