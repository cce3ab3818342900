"""Difference: group A minus group B on their common grid, only where both are supported."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.difference_curve import band_ends, curve_traces
from viz3d.figures.difference_data import KIND, OF, DifferenceResult, compute, ends
from viz3d.figures.difference_hatching import flat_hatch_trace, hatch_trace
from viz3d.figures.difference_sides import TITLE
from viz3d.figures.difference_tidy import tidy
from viz3d.figures.difference_traces import (
    heat_traces,
    height_axis,
    run_traces,
    surface_traces,
    zero_plane,
)
from viz3d.figures.difference_words import notes, numbers, subtitle, summary, table
from viz3d.figures.frame import Range, padded
from viz3d.figures.text import safe, scene_text
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
    log = result.log_y
    traces: list[Any] = [
        *surface_traces(result),
        *hatch_trace(result, x, y),
        zero_plane(result, x, y),
    ]
    titles = result.titles
    second = style.axis(scene_text(titles[1]), range=padded(y, log=log))
    scene = style.scene(
        style.axis(scene_text(titles[0]), range=padded(x, share=0.02)),
        {**second, **(log_ticks(y) if log else even_ticks(y))},
        height_axis(result, z),
    )
    words = subtitle(result, numbers(result))
    return style.figure(traces, style.layout(TITLE, words, scene=scene))


def draw_flat(result: DifferenceResult) -> go.Figure:
    """Draw the difference as a heat map, hatched where undecided, and where the runs lie."""
    x, y, _ = _ranges(result)
    log = result.log_y
    traces = heat_traces(result) + flat_hatch_trace(result, x, y)
    if log:
        traces += run_traces(result.sides, y)
    second = style.axis(safe(result.titles[1]), range=padded(y, log=log), zeroline=False)
    layout = style.flat_layout(
        TITLE,
        subtitle(result, numbers(result)),
        style.axis(safe(result.titles[0]), range=padded(x, share=0.02), zeroline=False),
        {**second, **(log_ticks(y) if log else {})},
    )
    return style.figure(traces, layout)


def draw_curve(result: DifferenceResult) -> go.Figure:
    """Draw the difference along a line: a curve over the first axis with its band."""
    layout = style.flat_layout(
        TITLE,
        subtitle(result, numbers(result)),
        style.axis(safe(result.titles[0]), zeroline=False),
        height_axis(result, band_ends(result), flat=True),
    )
    return style.figure(curve_traces(result), layout)


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
        `rate`, `strictness`, `against` and `along`; see `viz3d.figures.difference_data.compute`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    BadArgument
        If a run is on both sides.
    MissingMetric
        If a side lacks a metric.
    ChartError
        If nothing can be compared, or there is no difference of that kind.
    """
    return chart(a, b, of=kind, **settings).figure


def _ranges(result: DifferenceResult) -> tuple[Range, Range, Range]:
    x, y = result.found.x, result.found.y
    return (float(x[0]), float(x[-1])), (float(y[0]), float(y[-1])), ends(result)
