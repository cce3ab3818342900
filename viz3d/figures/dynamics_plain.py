"""The plain view of training dynamics: three metrics on three axes, joined on the step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.crowd import crowd
from viz3d.figures.dynamics_data import TITLE
from viz3d.figures.frame import Frame, padded
from viz3d.figures.pins import flat_pin_traces, mark_traces, pinned
from viz3d.figures.plain_data import PlainResult, compute, compute_each, event_pins
from viz3d.figures.plain_tidy import tidy
from viz3d.figures.plain_words import notes, numbers, subtitle, summary, table
from viz3d.figures.text import Drawn, in_words, safe, scene_text
from viz3d.figures.ticks import even_ticks

__all__ = [
    "PlainResult",
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


def draw(result: PlainResult, frame: Frame | None = None) -> go.Figure:
    """Draw the paths in the space of the three metrics."""
    ranges = (frame or result.frame).known()
    n = len(result.paths)
    names = [in_words(axis) for axis in result.axes]
    hover = "".join(f"<br>{safe(name)} %{{{c}:.4~g}}" for name, c in zip(names, "xyz", strict=True))
    if n > style.MOST_NAMED:
        traces = _crowd(result, hover)
    else:
        traces = [trace for i in range(n) for trace in _lines(result, i, hover)]
    traces += mark_traces(pinned(event_pins(result)))
    scene = style.scene(
        *(
            style.axis(scene_text(name), range=padded(r), **even_ticks(r))
            for name, r in zip(names, ranges, strict=True)
        )
    )
    return style.figure(traces, style.layout(TITLE, subtitle(result), scene=scene))


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
    traces += _flat_pins(result)
    domains = ([0.7, 1.0], [0.35, 0.65], [0.0, 0.3])
    axes = [
        style.axis(safe(in_words(axis)), range=padded(r), domain=domain, zeroline=False)
        for axis, r, domain in zip(result.axes, ranges, domains, strict=True)
    ]
    layout = style.flat_layout(
        TITLE, subtitle(result), style.axis("step", anchor="y3", zeroline=False), axes[0]
    )
    more = {"yaxis2": {**axes[1], "automargin": True}, "yaxis3": {**axes[2], "automargin": True}}
    return style.figure(traces, {**layout, **more, "height": 640})


def _flat_pins(result: PlainResult) -> list[go.Scatter]:
    """Draw each pin over its step, in the panel of its metric."""
    traces: list[go.Scatter] = []
    axis = {id(event): k for path in result.paths for k, event in path.events}
    pins = pinned(event_pins(result))
    for k, panel in enumerate(("y", "y2", "y3")):
        some = [
            replace(pin, place=(float(pin.event.step), pin.place[k], 0.0))
            for pin in pins
            if axis[id(pin.event)] == k
        ]
        named = {trace.name for trace in traces}
        for trace in flat_pin_traces(some, yaxis=panel):
            trace.showlegend = trace.name not in named
            traces.append(trace)
    return traces


def _crowd(result: PlainResult, hover: Drawn) -> list[go.Scatter3d]:
    rows = [np.column_stack([path.points, path.step]) for path in result.paths]
    labels = [path.label for path in result.paths]
    said = f"%{{text}}, median of a stretch<br>step %{{customdata:,.0f}}{hover}<extra></extra>"
    return [
        crowd(rows, [], "", width=1, opacity=0.3),
        crowd([path.median for path in result.paths], labels, said, width=4, bar=True),
    ]


def _lines(result: PlainResult, i: int, hover: Drawn) -> list[go.Scatter3d]:
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
