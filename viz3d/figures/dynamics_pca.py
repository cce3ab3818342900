"""The PCA view of training dynamics, with its null of random walks beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from viz3d.analysis.embedding import Embedding, Trajectory, embed
from viz3d.analysis.walks import DRAWS
from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.frame import Frame, padded, span
from viz3d.figures.needs import as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.text import count, listed, safe, say, short_names, wrapped
from viz3d.run import Run

KIND = "training-dynamics"
TITLE = "Training dynamics"

ARROWS = 6
"""Most loadings that are drawn: those of the metrics that the axes describe best."""

ALIKE = 0.95
"""Of loadings that point the same way, by cosine, one is drawn, or their names would overlap."""

REACH = 0.75
"""Length of an arrow of correlation one, as share of the largest score."""


@dataclass(frozen=True)
class DynamicsResult:
    """The embedding of some runs and how to call them.

    Attributes
    ----------
    embedding : Embedding
    labels : tuple of str
        Safe, short name of each run.
    settings, origins : as in every chart
    """

    embedding: Embedding
    labels: tuple[str, ...]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, str], ...]
    view: ClassVar[str] = "pca"

    @property
    def frame(self) -> Frame:
        """Range of each axis; with two components the third axis is the step."""
        points = np.concatenate([_coordinates(path) for path in self.embedding.trajectories])
        return Frame(x=span(points[:, 0]), y=span(points[:, 1]), z=span(points[:, 2]))


def compute(runs: Run | Sequence[Run]) -> DynamicsResult:
    """Fit one basis to all runs; see `viz3d.analysis.embedding.embed` for the errors."""
    chosen = as_runs(runs, TITLE)
    labels = tuple(safe(name, 24) for name in short_names([run.name for run in chosen]))
    return DynamicsResult(embed(chosen), labels, {"view": "pca"}, origins(chosen))


def compute_each(groups: Sequence[Sequence[Run]]) -> list[DynamicsResult]:
    """Fit one basis to the runs of all groups, and hand each group its own paths in it."""
    whole = compute([run for group in groups for run in group])
    ends = np.cumsum([len(group) for group in groups]).tolist()
    parts = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]
    return [
        replace(
            whole,
            embedding=replace(whole.embedding, trajectories=whole.embedding.trajectories[part]),
            labels=whole.labels[part],
            origins=whole.origins[part],
        )
        for part in parts
    ]


def draw(result: DynamicsResult, frame: Frame | None = None) -> go.Figure:
    """Draw paths with start and end, and the loadings as arrows."""
    ranges = (frame or result.frame).known()
    traces = [*_paths(result), *_ends(result), *_arrows(result)]
    axes = [
        style.axis(title, range=padded(limits, share=0.08), **_ink(result, i))
        for i, (title, limits) in enumerate(zip(_titles(result), ranges, strict=True))
    ]
    scene = style.scene(*axes)
    return style.figure(traces, style.layout(TITLE, _subtitle(result), scene=scene))


def draw_flat(result: DynamicsResult, frame: Frame | None = None) -> go.Figure:
    """Draw the first two axes, and below them what the axes explain beside random walks."""
    x, y, _ = (frame or result.frame).known()
    titles = _titles(result)
    few = len(result.labels) <= style.MOST_NAMED
    paths = [
        go.Scatter(
            x=compact(path.scores[:, 0]),
            y=compact(path.scores[:, 1]),
            customdata=compact(path.step),
            mode="lines",
            name=label,
            showlegend=few,
            line={"color": style.run_color(i, len(result.labels)), "width": 1.8},
            hovertemplate=f"{label}<br>step %{{customdata:,.0f}}<extra></extra>",
        )
        for i, (path, label) in enumerate(_each(result))
    ]
    layout = style.flat_layout(
        TITLE,
        _subtitle(result),
        style.axis(titles[0], range=padded(x, share=0.08), anchor="y"),
        style.axis(titles[1], range=padded(y, share=0.08), domain=[0.48, 1.0]),
    )
    below = {
        "xaxis2": style.axis("", anchor="y2", showgrid=False),
        "yaxis2": style.axis("variance, %", domain=[0.0, 0.32], anchor="x2", rangemode="tozero"),
    }
    return style.figure([*paths, *_bars(result)], {**layout, **below, "height": 640})


def numbers(result: DynamicsResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    e = result.embedding
    return {
        "runs": len(e.trajectories),
        "metrics": list(e.metrics),
        "explained": e.explained,
        "random_walks_mean": e.null_mean,
        "random_walks_95": e.null_high,
        "tested_axes": e.tested,
        "explained_together": e.total,
        "random_walks_together_mean": e.null_total_mean,
        "random_walks_together_95": e.null_total_high,
        "p_value": e.p_value,
        "harmonic_r2": e.harmonic,
        "effective_points": e.effective,
        "outside_axes": float(np.mean(np.concatenate([t.outside for t in e.trajectories]))),
        "values": e.points,
        "interpolated": e.interpolated,
        "dropped": dict(e.dropped),
    }


def summary(result: DynamicsResult) -> str:
    """Return one paragraph that reads well aloud."""
    e = result.embedding
    axes = "The first axis explains" if e.tested == 1 else f"The first {e.tested} axes explain"
    verdict = (
        "more than chance would" if e.p_value <= 0.05 else "no more than random walks may well do"
    )
    dim = [f"PC{i + 1}" for i, above in enumerate(e.above_null) if not above]
    parts = [
        f"Paths of {count(len(e.trajectories), 'run')} through "
        f"{count(len(e.metrics), 'metric')}: {listed(list(e.metrics), 6)}.",
        f"{axes} {_percent(e.total)} of the variance; the same of random walks explain "
        f"{_percent(e.null_total_mean)} on average and {_percent(e.null_total_high)} at most in "
        f"95 of 100 cases, so this is {verdict} (p = {say(round(e.p_value, 3))}).",
        f"{listed(dim)} {'explains' if len(dim) == 1 else 'explain'} no more than in random walks; "
        "structure along it means little."
        if dim
        else "",
        *e.warnings,
        _leaders(e),
    ]
    return " ".join(part for part in parts if part)


def notes(result: DynamicsResult) -> tuple[str, ...]:
    """Return how the axes were made and what was left out, with counts."""
    e = result.embedding
    m = len(e.trajectories[0].step)
    return tuple(
        note
        for note in (
            f"Every run is resampled to {m:,} points, the medians of equally wide ranges of steps, "
            "so that all runs weigh the same in the one basis.",
            f"{e.interpolated:,} of {e.points:,} values lie between two logged rows and were "
            f"interpolated there, never beyond a metric's first or last row: {_ranges(e)}."
            if e.interpolated
            else "No value was interpolated.",
            "Metrics are put on a log scale where they are positive and skewed, then through "
            "asinh of their robust score, then standardised over all runs.",
            f"The random walks are {DRAWS} draws from the metrics' own steps, shifted and with "
            "random signs.",
            f"The paths amount to about {say(round(e.effective))} independent points.",
            *(f"Left out: {name}, {reason}." for name, reason in e.dropped.items()),
        )
        if note
    )


def table(result: DynamicsResult) -> pd.DataFrame:
    """Return the correlation of each metric with each axis."""
    e = result.embedding
    frame = pd.DataFrame({"metric": e.metrics})
    for i in range(e.loadings.shape[1]):
        frame[f"PC{i + 1}"] = e.loadings[:, i]
    frame["log scale"] = [e.scaling[name].log for name in e.metrics]
    return frame


def _each(result: DynamicsResult) -> list[tuple[Trajectory, str]]:
    return list(zip(result.embedding.trajectories, result.labels, strict=True))


def _coordinates(path: Trajectory) -> np.ndarray:
    """Three columns: the scores, and the step where there are only two of them."""
    return np.column_stack([path.scores, path.step])[:, :3]


def _titles(result: DynamicsResult) -> list[str]:
    e = result.embedding
    titles = [
        f"PC{i + 1} {_percent(share)} (null {_percent(e.null_mean[i])})"
        for i, share in enumerate(e.explained)
    ]
    return [*titles, "step"][:3]


def _ink(result: DynamicsResult, i: int) -> dict[str, Any]:
    """Grey out an axis that explains less than the same axis of random walks."""
    above = result.embedding.above_null
    return {} if i >= len(above) or above[i] else {"color": style.FAINT}


def _paths(result: DynamicsResult) -> list[go.Scatter3d]:
    traces = []
    for i, (path, label) in enumerate(_each(result)):
        points = _coordinates(path)
        look = {"color": style.run_color(i, len(result.labels)), "width": 2.5}
        if len(result.labels) == 1:
            look = {"color": compact(path.step), "colorscale": style.STEPS, "width": 3}
            look |= {"showscale": True, "colorbar": style.color_bar("step")}
        traces.append(_line(points, ~path.gap, path, label, look))
        if path.gap.any():
            dashed = {"color": style.FAINT, "width": 3, "dash": "dash"}
            traces.append(_line(points, path.gap, path, f"{label}, no rows", dashed))
    if not 1 < len(result.labels) <= style.MOST_NAMED:
        for trace in traces:
            trace.showlegend = False
    return traces


def _line(
    points: np.ndarray, shown: np.ndarray, path: Trajectory, label: str, look: dict[str, Any]
) -> go.Scatter3d:
    x, y, z = np.where(shown[:, None], points, np.nan).T
    return go.Scatter3d(
        x=compact(x),
        y=compact(y),
        z=compact(z),
        customdata=compact(np.column_stack([path.step, 100 * path.outside])),
        mode="lines",
        name=label,
        line=look,
        hovertemplate=f"{label}<br>step %{{customdata[0]:,.0f}}<br>"
        "%{customdata[1]:.0f} % of the distance lies outside the axes<extra></extra>",
    )


def _ends(result: DynamicsResult) -> list[go.Scatter3d]:
    traces = []
    for name, at, symbol in (("start", 0, "circle-open"), ("end", -1, "circle")):
        points = np.array([_coordinates(path)[at] for path, _ in _each(result)])
        traces.append(
            go.Scatter3d(
                x=compact(points[:, 0]),
                y=compact(points[:, 1]),
                z=compact(points[:, 2]),
                mode="markers",
                name=name,
                marker={"size": 5, "color": style.INK, "symbol": symbol},
                text=list(result.labels),
                hovertemplate=f"%{{text}}<br>{name}<extra></extra>",
            )
        )
    return traces


def _arrows(result: DynamicsResult) -> list[go.Scatter3d]:
    """Draw the loadings of the metrics that the axes describe best, as lines from the centre."""
    e = result.embedding
    if e.loadings.shape[1] < 3:
        return []
    largest = np.abs(np.concatenate([t.scores for t in e.trajectories])).max(axis=0)
    chosen = _apart(e.loadings[:, :3])
    tips = REACH * largest.min() * e.loadings[chosen, :3]
    gaps = np.full_like(tips, np.nan)
    lines = np.stack([np.zeros_like(tips), tips, gaps], axis=1).reshape(-1, 3)
    names = [safe(e.metrics[i], 20) for i in chosen]
    return [
        go.Scatter3d(
            x=compact(lines[:, 0]),
            y=compact(lines[:, 1]),
            z=compact(lines[:, 2]),
            mode="lines+text",
            name="loadings",
            line={"color": style.FAINT, "width": 3},
            text=[text for name in names for text in ("", name, "")],
            textfont={"size": 11, "color": style.INK},
            hoverinfo="skip",
        )
    ]


def _apart(loadings: np.ndarray) -> list[int]:
    """Return the metrics that the axes describe best, of those that point the same way one."""
    length = np.linalg.norm(loadings, axis=1)
    chosen: list[int] = []
    for i in np.argsort(-length, kind="stable"):
        close = [loadings[i] @ loadings[j] / (length[i] * length[j]) for j in chosen]
        if len(chosen) < ARROWS and length[i] > 0 and all(c < ALIKE for c in close):
            chosen.append(int(i))
    return chosen


def _bars(result: DynamicsResult) -> list[go.Bar]:
    e = result.embedding
    axes = [f"PC{i + 1}" for i in range(len(e.explained))]
    common = {"x": axes, "xaxis": "x2", "yaxis": "y2"}
    return [
        go.Bar(
            y=100 * e.explained,
            name="explained",
            marker={"color": style.RUNS[0]},
            hovertemplate="%{x} explains %{y:.1f} %<extra></extra>",
            **common,
        ),
        go.Bar(
            y=100 * e.null_mean,
            name="random walks, up to their 95 % quantile",
            marker={"color": style.FAINT},
            error_y={
                "array": 100 * (e.null_high - e.null_mean),
                "arrayminus": np.zeros(len(axes)),
                "type": "data",
                "color": style.INK,
                "thickness": 1.2,
            },
            hovertemplate="random walks: %{y:.1f} % on average<extra></extra>",
            **common,
        ),
    ]


def _subtitle(result: DynamicsResult) -> str:
    e = result.embedding
    return wrapped(
        f"{count(len(e.trajectories), 'run')}, {count(len(e.metrics), 'metric')}, one basis. "
        f"{e.tested} axes explain {_percent(e.total)} of the variance, of the null of random "
        f"walks {_percent(e.null_total_mean)}."
    )


def _leaders(e: Embedding) -> str:
    """Say what the first axis mostly is."""
    size = np.abs(e.loadings[:, 0])
    names = [e.metrics[i] for i in np.argsort(-size, kind="stable")[:3] if size[i] > 0.5]
    return f"PC1 goes mostly with {listed(names)}." if names else ""


def _ranges(e: Embedding) -> str:
    ends = {(round(t.step[0]), round(t.step[-1])) for t in e.trajectories}
    if len(ends) == 1:
        first, last = ends.pop()
        return f"steps {first:,} to {last:,}"
    return f"steps {min(a for a, _ in ends):,} to {max(b for _, b in ends):,}, by run"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
