"""Draw the paths of the PCA view of training dynamics: of each run, or in the colours of groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.analysis.embedding import Trajectory
from viz3d.analysis.stretches import stretch_medians
from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.crowd import crowd, stretches
from viz3d.figures.dynamics_data import DynamicsResult, coordinates
from viz3d.figures.text import Drawn, safe


def _each(result: DynamicsResult) -> list[tuple[Trajectory, Drawn]]:
    return list(zip(result.embedding.trajectories, result.labels, strict=True))


def flat_path(result: DynamicsResult, i: int) -> list[go.Scatter]:
    """Draw one run in the plane: faint as it is, and the medians of its stretches."""
    path, label = _each(result)[i]
    color = result.colors[i]
    median = stretch_medians(np.column_stack([path.scores[:, :2], path.step]))
    hover = f"{label}<br>step %{{customdata:,.0f}}<extra></extra>"
    whole = go.Scatter(
        x=compact(path.scores[:, 0]),
        y=compact(path.scores[:, 1]),
        customdata=compact(path.step),
        mode="lines",
        opacity=0.3,
        showlegend=False,
        line={"color": color, "width": 1},
        hovertemplate=hover,
        **_together(result, i),
    )
    line = go.Scatter(
        x=compact(median[:, 0]),
        y=compact(median[:, 1]),
        customdata=compact(median[:, 2]),
        mode="lines",
        **_entry(result, i),
        line={"color": color, "width": 2.5},
        hovertemplate=hover,
    )
    return [whole, line]


def paths(result: DynamicsResult) -> list[go.Scatter3d]:
    """Draw each run faint as it is, dashed where rows are missing, and bold as medians."""
    n = len(result.labels)
    if n > style.MOST_NAMED:
        return _crowd(result)
    traces = []
    for i, (path, label) in enumerate(_each(result)):
        points, color = coordinates(path), result.colors[i]
        own = [_line(points, ~path.gap, path, label, {"color": color, "width": 1.5})]
        if path.gap.any():
            dashed = {"color": style.FAINT, "width": 3, "dash": "dash"}
            own.append(_line(points, path.gap, path, f"{label}, no rows", dashed))
        for trace in own:
            trace.update(_together(result, i))
        traces += [*own, _median(result, i)]
    return traces


def _crowd(result: DynamicsResult) -> list[go.Scatter3d]:
    """Draw many runs in two traces, or in two for each group."""
    if not result.groups:
        return _crowd_of(result, range(len(result.labels)))
    found = []
    for title in dict.fromkeys(result.groups):
        some = [i for i, group in enumerate(result.groups) if group == title]
        faint, bold = _crowd_of(result, some)
        for trace in (faint, bold):
            trace.line = {"color": result.colors[some[0]], "width": trace.line.width}
        faint.update(_together(result, some[0]))
        bold.update(_entry(result, some[0]))
        found += [faint, bold]
    return found


def _crowd_of(result: DynamicsResult, some: Sequence[int]) -> list[go.Scatter3d]:
    paths = [result.embedding.trajectories[i] for i in some]
    rows = [
        np.column_stack([np.where(path.gap[:, None], np.nan, coordinates(path)), path.step])
        for path in paths
    ]
    medians = [
        stretch_medians(
            np.column_stack([coordinates(path), path.step]), stretches(len(result.labels))
        )
        for path in paths
    ]
    hover = "%{text}, median of a stretch<br>about step %{customdata:,.0f}<extra></extra>"
    labels = [result.labels[i] for i in some]
    return [
        crowd(rows, [], "", width=1, opacity=0.3),
        crowd(medians, labels, hover, width=4, bar=not result.groups),
    ]


def _entry(result: DynamicsResult, i: int) -> dict[str, Any]:
    """Name a run in the legend, or its group once."""
    if not result.groups:
        return {"name": result.labels[i], "showlegend": style.named(len(result.labels))}
    title = result.groups[i]
    shown = result.groups.index(title) == i
    return {"name": safe(title), "showlegend": shown, **_together(result, i)}


def _together(result: DynamicsResult, i: int) -> dict[str, Any]:
    """Let the entry of a group in the legend switch all lines of its runs."""
    return (
        {"legendgroup": f"group {result.groups.index(result.groups[i]):d}"} if result.groups else {}
    )


def _median(result: DynamicsResult, i: int) -> go.Scatter3d:
    path, label = _each(result)[i]
    points, n = coordinates(path), len(result.labels)
    x, y, z, step = stretch_medians(np.column_stack([points, path.step])).T
    look: dict[str, Any] = {"color": result.colors[i], "width": 6}
    if n == 1:
        look = {"color": compact(step), "colorscale": style.STEPS, "width": 6}
        look |= {"showscale": True, "colorbar": style.color_bar("step")}
    return go.Scatter3d(
        x=compact(x),
        y=compact(y),
        z=compact(z),
        customdata=compact(step),
        mode="lines",
        **_entry(result, i),
        line=look,
        hovertemplate=f"{label}, median of a stretch<br>about step %{{customdata:,.0f}}"
        "<extra></extra>",
    )


def _line(
    points: np.ndarray, shown: np.ndarray, path: Trajectory, label: Drawn, look: dict[str, Any]
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
        opacity=0.4,
        showlegend=False,
        hovertemplate=f"{label}<br>step %{{customdata[0]:,.0f}}<br>"
        "%{customdata[1]:.0f} % of the distance lies outside the axes<extra></extra>",
    )


def ends(result: DynamicsResult) -> list[go.Scatter3d]:
    """Mark where the paths start and end."""
    traces = []
    for name, at, symbol in (("start", 0, "circle-open"), ("end", -1, "circle")):
        points = np.array([coordinates(path)[at] for path, _ in _each(result)])
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
