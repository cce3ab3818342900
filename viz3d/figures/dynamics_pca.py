"""The PCA view of training dynamics, with its null of random walks beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.dynamics_data import (
    DynamicsResult,
    compute,
    compute_each,
    event_pins,
)
from viz3d.figures.dynamics_paths import ends, flat_path, paths
from viz3d.figures.dynamics_tidy import tidy
from viz3d.figures.dynamics_words import notes, numbers, percent, subtitle, summary, table
from viz3d.figures.frame import Frame, padded
from viz3d.figures.pins import flat_pin_traces, mark_traces, pinned
from viz3d.figures.text import Drawn, scene_text
from viz3d.figures.ticks import even_ticks

__all__ = [
    "DynamicsResult",
    "compute",
    "compute_each",
    "draw",
    "draw_flat",
    "event_pins",
    "notes",
    "numbers",
    "summary",
    "table",
    "tidy",
]

ARROWS = 6
"""Most loadings that are drawn: those of the metrics that the axes describe best."""

ALIKE = 0.95
"""Of loadings that point the same way, by cosine, one is drawn, or their names would overlap."""

REACH = 0.75
"""Length of an arrow of correlation one, as share of the largest score."""


def draw(result: DynamicsResult, frame: Frame | None = None) -> go.Figure:
    """Draw paths with start and end, and the loadings as arrows."""
    ranges = (frame or result.frame).known()
    traces = [*paths(result), *ends(result), *_arrows(result)]
    traces += mark_traces(pinned(event_pins(result)))
    axes = [
        style.axis(title, range=padded(limits, share=0.08), **even_ticks(limits), **_ink(result, i))
        for i, (title, limits) in enumerate(zip(_titles(result), ranges, strict=True))
    ]
    scene = style.scene(*axes)
    return style.figure(traces, style.layout(result.heading, subtitle(result), scene=scene))


def draw_flat(result: DynamicsResult, frame: Frame | None = None) -> go.Figure:
    """Draw the first two axes, and below them what the axes explain beside random walks."""
    x, y, _ = (frame or result.frame).known()
    titles = _titles(result)
    traces = [trace for i in range(len(result.labels)) for trace in flat_path(result, i)]
    layout = style.flat_layout(
        result.heading,
        subtitle(result),
        style.axis(titles[0], range=padded(x, share=0.08), anchor="y"),
        style.axis(titles[1], range=padded(y, share=0.08), domain=[0.48, 1.0]),
    )
    below = {
        "xaxis2": style.axis("", anchor="y2", showgrid=False),
        "yaxis2": style.axis("variance, %", domain=[0.0, 0.32], anchor="x2", rangemode="tozero"),
    }
    traces += flat_pin_traces(pinned(event_pins(result)))
    return style.figure([*traces, *_bars(result)], {**layout, **below, "height": 640})


def _titles(result: DynamicsResult) -> list[Drawn]:
    """Name the axes, short enough that three of them fit around a scene on a phone."""
    shares = [f"PC{i + 1:d}, {percent(s)}" for i, s in enumerate(result.embedding.explained)]
    return [*shares, "step"][:3]


def _ink(result: DynamicsResult, i: int) -> dict[str, Any]:
    """Grey out an axis that explains less than the same axis of random walks."""
    above = result.embedding.above_null
    return {} if i >= len(above) or above[i] else {"color": style.FAINT}


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
    names = [scene_text(e.metrics[i], 20) for i in chosen]
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
            # Where groups have the colours, the bars have none.
            marker={"color": style.INK if result.groups else style.RUNS[0]},
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
