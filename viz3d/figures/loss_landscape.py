"""Loss landscape: loss over step x learning rate, drawn only where runs support it.

It is a surface of training curves. It is not the loss over the weights of a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.analysis.valley import Valley
from viz3d.figures import style
from viz3d.figures.along import x_format
from viz3d.figures.budget import compact
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import Frame, padded
from viz3d.figures.loss_data import (
    KIND,
    TITLE,
    LossLandscapeResult,
    compute,
    compute_each,
    names,
)
from viz3d.figures.loss_numbers import numbers
from viz3d.figures.loss_pins import event_pins, pins
from viz3d.figures.loss_tidy import tidy
from viz3d.figures.loss_words import notes, subtitle, summary, table
from viz3d.figures.paths import flat_path_traces, path_traces
from viz3d.figures.pins import flat_pin_traces, in_order, pin_traces
from viz3d.figures.surface_traces import heat_traces, surface_traces
from viz3d.figures.text import Drawn
from viz3d.figures.ticks import even_ticks, log_ticks
from viz3d.run import Run

__all__ = [
    "KIND",
    "TITLE",
    "LossLandscapeResult",
    "chart",
    "compute",
    "compute_each",
    "draw",
    "draw_flat",
    "finish",
    "loss_landscape",
]


def draw(result: LossLandscapeResult, frame: Frame | None = None) -> go.Figure:
    """Draw the scene: surface, valley, paths and pins."""
    frame = frame or result.frame
    x, y, z = frame.known()
    titles = names(result)
    form = x_format(result.along)
    traces: list[Any] = [
        *surface_traces(result.surface, frame.color or z, titles, log=frame.log, x_format=form),
        *_valley_traces(result),
        *path_traces(result.paths, titles[1], result.along),
        *pin_traces(pins(result, z[1]), z, log=frame.log),
    ]
    height = log_ticks(z) if frame.log else even_ticks(z)
    scene = style.scene(
        style.axis(titles[0], range=padded(x, share=0.02)),
        style.axis(titles[1], range=padded(y, log=True), **log_ticks(y)),
        style.axis(titles[2], range=padded(z, log=frame.log), **height),
    )
    return style.figure(traces, style.layout(TITLE, subtitle(result), scene=scene))


def draw_flat(result: LossLandscapeResult, frame: Frame | None = None) -> go.Figure:
    """Draw the surface as a heat map with contour lines, and where the runs lie on it."""
    frame = frame or result.frame
    x, y, z = frame.known()
    titles = names(result)
    form = x_format(result.along)
    traces = heat_traces(result.surface, frame.color or z, titles, log=frame.log, x_format=form)
    traces += flat_path_traces(result.paths, titles[1], result.along)
    traces += _flat_valley(result)
    traces += flat_pin_traces(pins(result, z[1]))
    layout = style.flat_layout(
        TITLE,
        subtitle(result),
        style.axis(titles[0], range=padded(x, share=0.02), zeroline=False),
        style.axis(titles[1], range=padded(y, log=True), **log_ticks(y)),
    )
    return style.figure(traces, layout)


def finish(result: LossLandscapeResult, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together."""
    top = (frame or result.frame).known()[2][1]
    said = numbers(result, top)
    events = in_order(event_pins(result, top))
    words = Words(table(result), summary(result, said), said, notes(result, top), events)
    pictures = draw(result, frame), draw_flat(result, frame)
    data = partial(tidy, result)
    return assemble(KIND, TITLE, pictures, words, result.origins, result.settings, data)


def chart(runs: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the loss landscape of some runs; see `compute` for settings and errors."""
    return finish(compute(runs, **settings))


def loss_landscape(runs: Run | Sequence[Run], **settings: Any) -> go.Figure:
    """Draw loss over step x learning rate.

    Parameters
    ----------
    runs : Run or sequence of Run
        Runs with a loss and a learning rate.
    rate : {"auto", "current", "peak"}
        Which learning rate is the axis; "auto" takes the peak rate for a sweep of three or more.
    strictness : {"default", "strict", "loose"}
        Where the surface may be drawn.
    attempts : bool
        Whether to draw the rows that restarts superseded, dashed.
    along : {"step", "tokens", "flops", "time"}
        What stands in the step's place; runs that did not log it are left out.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    BadArgument
        If there is no such axis.
    MissingMetric
        If no run has both a loss and a learning rate.
    ChartError
        If no loss is finite, or no run logged its place along the axis.
    ValueError
        If a setting is none of its choices.
    """
    return chart(runs, **settings).figure


def _valley_traces(result: LossLandscapeResult) -> list[go.Scatter3d]:
    """Trace the best learning rate where it is resolved, a little above the surface."""
    valley = result.valley
    if valley is None or not valley.resolved.any():
        return []
    return [
        go.Scatter3d(
            x=compact(valley.x),
            y=compact(np.where(valley.resolved, valley.y, np.nan)),
            z=compact(np.where(valley.resolved, valley.z, np.nan)),
            customdata=compact(np.stack([valley.low, valley.high], -1)),
            **_lines_or_dots(valley, 8),
            name="best learning rate",
            line={"color": style.BEST, "width": 8},
            hovertemplate=f"{_best_hover(result)}<br>fitted loss %{{z:.4~g}}"
            "<br>not told apart from %{customdata[0]:.3~g} to %{customdata[1]:.3~g}"
            "<extra></extra>",
        )
    ]


def _best_hover(result: LossLandscapeResult) -> Drawn:
    return f"best learning rate %{{y:.3~g}}<br>{names(result)[0]} %{{x:{x_format(result.along)}}}"


def _lines_or_dots(valley: Valley, size: int) -> dict[str, Any]:
    """Draw a dot where the rate is resolved at one place alone, of which a line shows nothing."""
    there = np.pad(valley.resolved, 1)
    alone = there[1:-1] & ~there[:-2] & ~there[2:]
    if not alone.any():
        return {"mode": "lines"}
    sizes = compact(np.where(alone, size, 0))
    # Plotly makes markers of several sizes translucent and gives them an edge.
    marker = {"size": sizes, "color": style.BEST, "opacity": 1, "line": {"width": 0}}
    return {"mode": "lines+markers", "marker": marker}


def _flat_valley(result: LossLandscapeResult) -> list[go.Scatter]:
    valley = result.valley
    if valley is None or not valley.resolved.any():
        return []
    return [
        go.Scatter(
            x=compact(valley.x),
            y=compact(np.where(valley.resolved, valley.y, np.nan)),
            **_lines_or_dots(valley, 9),
            name="best learning rate",
            line={"color": style.BEST, "width": 4},
            hovertemplate=f"{_best_hover(result)}<extra></extra>",
        )
    ]
