"""The plain view of training dynamics: three metrics on three axes, joined on the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.downsample import FEWEST
from viz3d.analysis.stretches import stretch_medians
from viz3d.errors import MissingMetric
from viz3d.figures import style
from viz3d.figures.budget import compact, shares, thin, told
from viz3d.figures.crowd import crowd, stretches
from viz3d.figures.frame import Frame, padded, span
from viz3d.figures.needs import RECORD, as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.text import count, listed, safe, say, short_names, wrapped
from viz3d.figures.ticks import even_ticks
from viz3d.run import Run

KIND = "training-dynamics"
TITLE = "Training dynamics"
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
    """

    run: str
    label: str
    step: NDArray[np.int64]
    points: Floats
    median: Floats
    total: int
    unjoined: int


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
    origins: tuple[Mapping[str, str], ...]
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


def draw(result: PlainResult, frame: Frame | None = None) -> go.Figure:
    """Draw the paths in the space of the three metrics."""
    ranges = (frame or result.frame).known()
    n = len(result.paths)
    names = [axis_name(axis) for axis in result.axes]
    hover = "".join(f"<br>{safe(name)} %{{{c}:.4~g}}" for name, c in zip(names, "xyz", strict=True))
    if n > style.MOST_NAMED:
        traces = _crowd(result, hover)
    else:
        traces = [trace for i in range(n) for trace in _lines(result, i, hover)]
    scene = style.scene(
        *(
            style.axis(safe(name), range=padded(r), **even_ticks(r))
            for name, r in zip(names, ranges, strict=True)
        )
    )
    return style.figure(traces, style.layout(TITLE, _subtitle(result), scene=scene))


def draw_flat(result: PlainResult, frame: Frame | None = None) -> go.Figure:
    """Draw the three metrics over the step, one below the other."""
    ranges = (frame or result.frame).known()
    n = len(result.paths)
    traces = [
        go.Scatter(
            x=compact(path.step),
            y=compact(path.points[:, k]),
            mode="lines",
            name=path.label,
            yaxis=("y", "y2", "y3")[k],
            line={"color": style.run_color(i, n), "width": 1.2},
            showlegend=k == 0 and style.named(n),
            hovertemplate=f"{path.label}<br>step %{{x:,d}}<br>%{{y:.4~g}}<extra></extra>",
        )
        for i, path in enumerate(result.paths)
        for k in range(3)
    ]
    domains = ([0.7, 1.0], [0.35, 0.65], [0.0, 0.3])
    axes = [
        style.axis(safe(axis_name(axis)), range=padded(r), domain=domain, zeroline=False)
        for axis, r, domain in zip(result.axes, ranges, domains, strict=True)
    ]
    layout = style.flat_layout(
        TITLE, _subtitle(result), style.axis("step", anchor="y3", zeroline=False), axes[0]
    )
    more = {"yaxis2": {**axes[1], "automargin": True}, "yaxis3": {**axes[2], "automargin": True}}
    return style.figure(traces, {**layout, **more, "height": 640})


def numbers(result: PlainResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    last = {path.run: path.points[-1] for path in result.paths}
    return {
        "runs": len(result.paths),
        "axes": list(result.axes),
        "points_drawn": sum(len(path.step) for path in result.paths),
        "points_total": sum(path.total for path in result.paths),
        "last": {run: dict(zip(result.axes, point, strict=True)) for run, point in last.items()},
    }


def summary(result: PlainResult) -> str:
    """Return one paragraph that reads well aloud."""
    names = [axis_name(axis) for axis in result.axes]
    ends = [
        f"{path.run} goes from "
        + ", ".join(
            f"{name} {say(a)} to {say(b)}"
            for name, a, b in zip(names, path.points[0], path.points[-1], strict=True)
        )
        for path in result.paths[:3]
    ]
    more = len(result.paths) - len(ends)
    text = f"Paths of {count(len(result.paths), 'run')} through {listed(names)}. "
    return text + "; ".join(ends) + (f"; and {more:,} more." if more else ".")


def notes(result: PlainResult) -> tuple[str, ...]:
    """Return what was left out or thinned, with counts."""
    drawn = sum(len(path.step) for path in result.paths)
    unjoined = sum(path.unjoined for path in result.paths)
    said = [
        f"Faint paths show {told(drawn, sum(path.total for path in result.paths))}; bold ones are "
        "medians of stretches."
    ]
    if unjoined:
        said.append(
            f"{count(unjoined, 'row')} without a finite value of all three metrics left out."
        )
    if result.unused:
        said.append(f"Not drawn, for want of a metric: {listed(list(result.unused))}.")
    return tuple(said)


def table(result: PlainResult) -> pd.DataFrame:
    """Return the last point of each run."""
    rows = [
        {"run": path.run, "step": int(path.step[-1])}
        | dict(zip(result.axes, path.points[-1].tolist(), strict=True))
        for path in result.paths
    ]
    return pd.DataFrame(rows)


def _crowd(result: PlainResult, hover: str) -> list[go.Scatter3d]:
    rows = [np.column_stack([path.points, path.step]) for path in result.paths]
    labels = [path.label for path in result.paths]
    said = f"%{{text}}, median of a stretch<br>step %{{customdata:,.0f}}{hover}<extra></extra>"
    return [
        crowd(rows, [], "", width=1, opacity=0.3),
        crowd([path.median for path in result.paths], labels, said, width=4),
    ]


def _lines(result: PlainResult, i: int, hover: str) -> list[go.Scatter3d]:
    """Draw one run faint as it is and bold as medians of stretches."""
    path, n = result.paths[i], len(result.paths)
    color = style.run_color(i, n)
    bold: dict[str, Any] = {"color": color, "width": 6}
    if n == 1:
        bold = {"color": compact(path.median[:, 3]), "colorscale": style.STEPS, "width": 6}
        bold |= {"showscale": True, "colorbar": style.color_bar("step")}
    faint = {"color": color, "width": 1.5}
    rows = np.column_stack([path.points, path.step])
    looks = ((rows, path.label, faint), (path.median, f"{path.label}, median of a stretch", bold))
    return [
        go.Scatter3d(
            x=compact(points[:, 0]),
            y=compact(points[:, 1]),
            z=compact(points[:, 2]),
            customdata=compact(points[:, 3]),
            mode="lines",
            name=path.label,
            line=look,
            opacity=0.4 if look is faint else 1.0,
            showlegend=look is bold and style.named(n),
            hovertemplate=f"{title}<br>step %{{customdata:,.0f}}{hover}<extra></extra>",
        )
        for points, title, look in looks
    ]


def _subtitle(result: PlainResult) -> str:
    drawn = sum(len(path.step) for path in result.paths)
    total = sum(path.total for path in result.paths)
    return wrapped(f"{count(len(result.paths), 'run')}, {told(drawn, total)}.")


def axis_name(axis: str) -> str:
    """Return a role in words: ``"gradient norm"``; a metric as it is."""
    words = {"grad_norm": "gradient norm", "learning_rate": "learning rate"}
    return words.get(axis, axis)


def column_of(run: Run, axis: str) -> str | None:
    """Return the metric that a role or a metric's own name stands for; None if there is none."""
    metric = run.roles.get(axis, axis)
    return metric if metric in run.history.columns else None


def _join(run: Run, axes: Sequence[str]) -> Rows | None:
    columns = [column_of(run, axis) for axis in axes]
    if None in columns:
        return None
    rows = run.history[columns].dropna(how="all")
    whole = rows[np.isfinite(rows.to_numpy(np.float64)).all(axis=1)]
    return whole, len(rows) - len(whole)


def _thinned(run: Run, label: str, rows: Rows, n_out: int, most: int) -> PlainPath:
    whole, unjoined = rows
    step = whole.index.to_numpy(np.int64)
    points = whole.to_numpy(np.float64)
    each = n_out if len(step) <= n_out else max(FEWEST, n_out // 3)
    kept = np.unique(np.concatenate([thin(step, points[:, k], each) for k in range(3)]))
    median = stretch_medians(np.column_stack([points, step]), most)
    return PlainPath(run.name, label, step[kept], points[kept], median, len(whole), unjoined)


def _missing(runs: Sequence[Run], axes: Sequence[str]) -> MissingMetric:
    lacking = [axis for axis in axes if all(column_of(run, axis) is None for run in runs)] or list(
        axes
    )
    metrics = list(dict.fromkeys(metric for run in runs for metric in run.metrics))
    names = [axis_name(axis) for axis in lacking]
    role = listed(names) if len(lacking) < 3 else f"{listed(names)} at the same steps"
    remedy = RECORD.get(lacking[0]) or (
        f"Record it with `viz3d.Recorder(path).log(step, {lacking[0]}=...)`."
    )
    return MissingMetric(f"{TITLE} in plain axes", role, metrics, remedy)
