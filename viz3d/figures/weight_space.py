"""Weight space: loss or reward measured on a plane, or along a line, through a network's weights.

It is measured, node by node, and never fitted: a separate thing from the surfaces of training
curves that the other charts draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import Frame, padded
from viz3d.figures.text import safe, scene_text
from viz3d.figures.ticks import even_ticks, nice_ticks
from viz3d.figures.weight_data import KIND, TITLE, WeightSpaceResult, compute, compute_each
from viz3d.figures.weight_notes import notes
from viz3d.figures.weight_path import (
    beside_frame,
    beside_traces,
    flat_path_traces,
    has_beside,
    path_traces,
    path_word,
)
from viz3d.figures.weight_tidy import tidy
from viz3d.figures.weight_traces import axis_meanings, flat_traces, line_traces, scene_traces
from viz3d.figures.weight_words import numbers, subtitle, summary, table
from viz3d.run import Run

__all__ = [
    "KIND",
    "TITLE",
    "WeightSpaceResult",
    "chart",
    "compute",
    "compute_each",
    "draw",
    "draw_flat",
    "finish",
    "weight_space",
]


def draw(result: WeightSpaceResult, frame: Frame | None = None) -> go.Figure:
    """Draw the nodes of a plane in 3D, joined by straight lines, and the path at its own heights.

    A line has no third axis: its picture is `draw_flat`'s.
    """
    frame = frame or result.frame
    x, y, _ = frame.known()
    scene = style.scene(
        style.axis("alpha", range=padded(x), **even_ticks(x)),
        style.axis("beta", range=padded(y), **even_ticks(y)),
        style.axis(scene_text(result.quantity), **_height(frame)),
    )
    traces = [*scene_traces(result, frame), *path_traces(result, frame)]
    return style.figure(traces, style.layout(TITLE, subtitle(result), scene=scene))


def draw_flat(result: WeightSpaceResult, frame: Frame | None = None) -> go.Figure:
    """Draw the cells with contour lines and the path; below, its own values beside the nodes'.

    Of a line, draw the values along it.
    """
    below = frame or beside_frame(result)
    frame = frame or result.frame
    x, y, _ = frame.known()
    name = safe(result.quantity)
    meaning = axis_meanings(result) if result.is_line else []
    across = style.axis(
        safe(next(iter(meaning), "alpha")), range=padded(x, share=0.02), zeroline=False
    )
    if result.is_line:
        up = style.axis(name, zeroline=False, **_height(frame))
        layout = style.flat_layout(TITLE, subtitle(result), across, up)
        return style.figure(line_traces(result, frame), layout)
    up = style.axis("beta", range=padded(y, share=0.02), zeroline=False)
    layout = style.flat_layout(TITLE, subtitle(result), across, up)
    traces = [*flat_traces(result, frame), *flat_path_traces(result)]
    if has_beside(result):
        traces += beside_traces(result)
        layout["yaxis"] = {**layout["yaxis"], "domain": [0.42, 1]}
        layout["xaxis2"] = {**style.axis(path_word(result)), "anchor": "y2", "zeroline": False}
        layout["yaxis2"] = {
            **style.axis(name, zeroline=False, **_height(below, 4, 0.15)), "domain": [0, 0.27],
            "automargin": True,
        }  # fmt: skip
    return style.figure(traces, layout)


def _height(frame: Frame, most: int = 7, share: float = 0.04) -> dict[str, Any]:
    """Return the axis of the values; `share` of its range is left free on both sides."""
    z = frame.known()[2]
    ticks = nice_ticks(z, log=frame.log, most=most)
    return {
        "type": "log" if frame.log else "linear",
        "range": padded(z, log=frame.log, share=share),
        "tickmode": "array",
        "tickvals": [value for value, _ in ticks],
        "ticktext": [text for _, text in ticks],
    }


def finish(result: WeightSpaceResult, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together; of a line the two pictures are one."""
    said = numbers(result)
    words = Words(table(result), summary(result, said), said, notes(result, said))
    flat = draw_flat(result, frame)
    pictures = (flat, flat) if result.is_line else (draw(result, frame), flat)
    data = partial(tidy, result)
    return assemble(KIND, TITLE, pictures, words, result.origins, result.settings, data)


def chart(runs: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the chart of one landscape; see `compute` for settings and errors."""
    return finish(compute(runs, **settings))


def weight_space(run: Run, **settings: Any) -> go.Figure:
    """Draw a landscape that was measured on a plane, or along a line, through the weights.

    Parameters
    ----------
    run : Run
        With a landscape.
    landscape : str
        Its name, by default the first.
    quantity : str
        Such as ``"loss"``, by default the first that was measured.
    scale : {"auto", "linear", "log"}

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    MissingMetric
        If the run has no landscape.
    ChartError
        If nothing of it is finite, or it has no logarithm.
    ValueError
        If there is no such landscape, quantity or scale.
    """
    return chart(run, **settings).figure
