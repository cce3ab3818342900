"""Difference: group A minus group B on their common grid, only where both are supported."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.difference_data import KIND, OF, TITLE, DifferenceResult, compute, ends
from viz3d.figures.difference_tidy import tidy
from viz3d.figures.difference_traces import (
    INK,
    band,
    flat_hatch_trace,
    hatch_trace,
    heat_traces,
    name,
    run_traces,
    surface_traces,
    unit,
    zero_plane,
)
from viz3d.figures.difference_words import notes, numbers, subtitle, summary, table
from viz3d.figures.frame import Range, padded
from viz3d.figures.text import scene_text
from viz3d.figures.ticks import even_ticks, log_ticks
from viz3d.run import Run

__all__ = [
    "KIND",
    "OF",
    "TITLE",
    "DifferenceResult",
    "chart",
    "compare",
    "compute",
    "draw",
    "draw_curve",
    "draw_flat",
    "finish",
]


def draw(result: DifferenceResult) -> go.Figure:
    """Draw the scene: the difference as a surface, hatched where undecided, and a net at zero."""
    x, y, z = _ranges(result)
    log = result.lower_is_better
    traces: list[Any] = [
        *surface_traces(result),
        *hatch_trace(result, x, y, z),
        zero_plane(x, y, log=log),
    ]
    titles = result.titles
    second = style.axis(scene_text(titles[1]), range=padded(y, log=log))
    scene = style.scene(
        style.axis(titles[0], range=padded(x, share=0.02)),
        {**second, **(log_ticks(y) if log else even_ticks(y))},
        style.axis(name(result), range=padded(z), **even_ticks(z)),
    )
    words = subtitle(result, numbers(result))
    return style.figure(traces, style.layout(TITLE, words, scene=scene))


def draw_flat(result: DifferenceResult) -> go.Figure:
    """Draw the difference as a heat map, hatched where undecided, and where the runs lie."""
    x, y, _ = _ranges(result)
    log = result.lower_is_better
    traces = heat_traces(result) + flat_hatch_trace(result, x, y)
    if log:
        traces += run_traces(result.sides, y)
    second = style.axis(result.titles[1], range=padded(y, log=log), zeroline=False)
    layout = style.flat_layout(
        TITLE,
        subtitle(result, numbers(result)),
        style.axis(result.titles[0], range=padded(x, share=0.02), zeroline=False),
        {**second, **(log_ticks(y) if log else {})},
    )
    return style.figure(traces, layout)


def draw_curve(result: DifferenceResult) -> go.Figure:
    """Draw the difference along a line: a curve over the step with its band."""
    found = result.found
    lower, upper = (edge[0] for edge in band(result))
    d = result.drawn(found.d)[0]
    said = np.stack([found.a[0], found.b[0], lower, upper], -1)
    value, u = result.titles[2], unit(result)
    lines = [
        go.Scatter(x=compact(found.x), y=compact(upper), mode="lines", line={"width": 0}),
        go.Scatter(
            x=compact(found.x),
            y=compact(lower),
            mode="lines",
            line={"width": 0},
            fill="tonexty",
            fillcolor="rgba(118,118,118,0.25)",
        ),
    ]
    for line in lines:
        line.update(hoverinfo="skip", showlegend=False)
    undecided = found.undecided[0]
    looks = (("decided", ~undecided, "#0072B2", "solid"), ("undecided", undecided, INK, "dot"))
    for label, shown, color, dash in looks:
        lines.append(
            go.Scatter(
                x=compact(found.x),
                y=compact(np.where(_joined(shown), d, np.nan)),
                customdata=compact(said),
                mode="lines",
                name=label,
                line={"color": color, "width": 3, "dash": dash},
                hovertemplate=f"step %{{x:,.0f}}<br>{value} of A %{{customdata[0]:.4~g}}, of B "
                f"%{{customdata[1]:.4~g}}<br>A − B %{{y:+.3~g}}{u}<br>95 % band "
                f"%{{customdata[2]:+.3~g}} to %{{customdata[3]:+.3~g}}{u}<extra></extra>",
            )
        )
    layout = style.flat_layout(
        TITLE,
        subtitle(result, numbers(result)),
        style.axis("step", zeroline=False),
        style.axis(name(result), zeroline=True),
    )
    return style.figure(lines, layout)


def finish(result: DifferenceResult) -> Chart:
    """Put scene, flat twin, table and words together; a curve has no scene."""
    said = numbers(result)
    words = Words(table(result), summary(result, said), said, notes(result, said))
    if result.found.along:
        curve = draw_curve(result)
        pictures = curve, curve
    else:
        pictures = draw(result), draw_flat(result)
    data = partial(tidy, result)
    return assemble(KIND, TITLE, pictures, words, result.origins, result.settings, data)


def chart(a: Run | Sequence[Run], b: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the difference of two groups of runs; see `compute` for settings and errors."""
    return finish(compute(a, b, **settings))


def compare(
    a: Run | Sequence[Run], b: Run | Sequence[Run], kind: str = "loss-landscape", **settings: Any
) -> go.Figure:
    """Draw A minus B where both are supported.

    Parameters
    ----------
    a, b : Run or sequence of Run
    kind : {"loss-landscape", "reward-landscape"}
        Which surfaces to subtract.
    **settings
        `rate`, `strictness` and `axis`; see `viz3d.figures.difference_data.compute`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    BadArgument
        If there is no difference of that kind, or a run is on both sides.
    MissingMetric
        If a side lacks a metric.
    ChartError
        If nothing can be compared.
    """
    return chart(a, b, of=kind, **settings).figure


def _joined(shown: np.ndarray) -> np.ndarray:
    """Widen stretches by a point, so that two that touch leave no gap."""
    return shown | np.r_[False, shown[:-1]]


def _ranges(result: DifferenceResult) -> tuple[Range, Range, Range]:
    x, y = result.found.x, result.found.y
    return (float(x[0]), float(x[-1])), (float(y[0]), float(y[-1])), ends(result)
