"""Explore: any three of step, metrics and settings on three axes, coloured by a fourth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.explore_data import (
    KIND,
    ExploreResult,
    compute,
    compute_each,
)
from viz3d.figures.explore_rows import TITLE, default_axes
from viz3d.figures.explore_tidy import tidy
from viz3d.figures.explore_traces import (
    axis_settings,
    draws_lines,
    flat_traces,
    ground_traces,
    scene_traces,
)
from viz3d.figures.explore_words import notes, numbers, subtitle, summary, table
from viz3d.figures.frame import Frame
from viz3d.figures.surface_traces import heat_traces, surface_traces
from viz3d.figures.text import safe
from viz3d.run import Run

__all__ = [
    "KIND",
    "TITLE",
    "ExploreResult",
    "chart",
    "compute",
    "compute_each",
    "default_axes",
    "draw",
    "draw_flat",
    "explore",
    "finish",
]


def draw(result: ExploreResult, frame: Frame | None = None) -> go.Figure:
    """Draw the rows as paths or points, on a surface where one is supported."""
    frame = frame or result.frame
    limits = frame.known()
    traces: list[Any] = []
    if result.surface is not None:
        traces += surface_traces(result.surface, frame.z or limits[2], **_names(result))
    if result.color is not None:
        for trace in traces:
            # There is room for one colour bar, and the height says what the surface's would.
            trace.showscale = False
    traces += scene_traces(result, line=draws_lines(result))
    scene = style.scene(
        *(axis_settings(axis, of) for axis, of in zip(result.axes, limits, strict=True))
    )
    return style.figure(traces, style.layout(TITLE, subtitle(result), scene=scene))


def draw_flat(result: ExploreResult, frame: Frame | None = None) -> go.Figure:
    """Draw a surface as a map, with the rows on it; else z over x, coloured by y.

    The second reads as the curve that people know, and its colour keeps the third number.
    """
    frame = frame or result.frame
    limits = frame.known()
    upright = 2
    if result.surface is not None and result.is_map:
        upright = 1
        traces: list[Any] = heat_traces(result.surface, limits[2], **_names(result))
        traces += ground_traces(result)
    else:
        traces = flat_traces(result, result.axes[1], limits[1])
    layout = style.flat_layout(
        TITLE,
        subtitle(result),
        axis_settings(result.axes[0], limits[0], flat=True),
        axis_settings(result.axes[upright], limits[upright], flat=True),
    )
    return style.figure(traces, layout)


def finish(result: ExploreResult, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together."""
    said = numbers(result)
    words = Words(table(result), summary(result, said), said, notes(result, said))
    pictures = draw(result, frame), draw_flat(result, frame)
    data = partial(tidy, result)
    return assemble(KIND, TITLE, pictures, words, result.origins, result.settings, data)


def chart(runs: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the explore chart; see `compute_each` for settings and errors."""
    return finish(compute(runs, **settings))


def explore(runs: Run | Sequence[Run], **settings: Any) -> go.Figure:
    """Draw any three of step, metrics, roles and settings on three axes.

    Parameters
    ----------
    runs : Run or sequence of Run
    x, y, z : str, optional
        ``"step"``, a metric, a role, or a key of the config such as ``"outer.inner"``.
    color : str, optional
        A fourth.
    draw : {"path", "points", "surface"}
    x_scale, y_scale, z_scale : {"auto", "linear", "log"}
    strictness : {"default", "strict", "loose"}
        Where a surface may be drawn.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ChartError
        If the runs do not hold what stands on the axes at common steps.
    ValueError
        If a setting is none of its choices.
    """
    return chart(runs, **settings).figure


def _names(result: ExploreResult) -> dict[str, Any]:
    x, y, z = result.axes
    whole = x.what.kind == "step"
    return {
        "titles": (safe(x.title), safe(y.title), safe(z.title)),
        "log": z.log,
        "x_format": ",.0f" if whole else ".4~g",
    }
