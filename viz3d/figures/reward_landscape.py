"""Reward landscape: reward over step x loss, along the path that training took.

Both axes but the step are outcomes, so this is an association along the run. It does not say what
the reward would be at another loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.along import x_format
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import Frame, padded
from viz3d.figures.pins import event_notes, flat_pin_traces, in_order, mark_traces, pinned
from viz3d.figures.reward_data import (
    KIND,
    TITLE,
    RewardLandscapeResult,
    compute,
    compute_each,
    event_pins,
    other_axes,
)
from viz3d.figures.reward_tidy import tidy
from viz3d.figures.reward_traces import curtains, flat_paths, flat_points, names, paths, points
from viz3d.figures.reward_words import notes, numbers, subtitle, summary, table
from viz3d.figures.surface_traces import heat_traces, surface_traces
from viz3d.figures.text import in_words, scene_text
from viz3d.figures.ticks import even_ticks
from viz3d.run import Run

__all__ = [
    "KIND",
    "TITLE",
    "RewardLandscapeResult",
    "chart",
    "compute",
    "compute_each",
    "draw",
    "draw_flat",
    "finish",
    "other_axes",
    "reward_landscape",
]


def draw(result: RewardLandscapeResult, frame: Frame | None = None) -> go.Figure:
    """Draw rows as points, paths with curtains below them, and a surface where one is supported."""
    frame = frame or result.frame
    x, y, z = frame.known()
    floor = padded(z)[0]
    colors = frame.color or z
    titles = names(result)
    form = x_format(result.along)
    surfaces = surface_traces(result.surface, colors, titles, log=False, x_format=form)
    for trace in surfaces:
        trace.opacity = 0.55 * trace.opacity
        trace.showscale = False
    traces: list[Any] = [*surfaces, *points(result, colors), *curtains(result, floor)]
    traces += [*paths(result), *mark_traces(pinned(event_pins(result, frame)))]
    scene = style.scene(
        style.axis(titles[0], range=padded(x, share=0.02)),
        style.axis(scene_text(in_words(result.against)), range=padded(y), **even_ticks(y)),
        style.axis(titles[2], range=padded(z), **even_ticks(z)),
    )
    return style.figure(traces, style.layout(TITLE, subtitle(result), scene=scene))


def draw_flat(result: RewardLandscapeResult, frame: Frame | None = None) -> go.Figure:
    """Draw rows and paths in the plane of step and the other metric, coloured by reward."""
    frame = frame or result.frame
    x, y, z = frame.known()
    colors = frame.color or z
    titles = names(result)
    form = x_format(result.along)
    traces = heat_traces(result.surface, colors, titles, log=False, x_format=form)
    for trace in traces:
        trace.showscale = False
    traces += [*flat_points(result, colors), *flat_paths(result)]
    traces += flat_pin_traces(pinned(event_pins(result, frame)))
    layout = style.flat_layout(
        TITLE,
        subtitle(result),
        style.axis(titles[0], range=padded(x, share=0.02), zeroline=False),
        style.axis(titles[1], range=padded(y), zeroline=False),
    )
    return style.figure(traces, layout)


def finish(result: RewardLandscapeResult, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together."""
    said = numbers(result)
    events = event_pins(result, frame or result.frame)
    said_of = (*notes(result, said), *event_notes(events))
    words = Words(table(result), summary(result, said), said, said_of, in_order(events))
    pictures = draw(result, frame), draw_flat(result, frame)
    data = partial(tidy, result)
    return assemble(KIND, TITLE, pictures, words, result.origins, result.settings, data)


def chart(runs: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the reward landscape; see `compute` for settings and errors."""
    return finish(compute(runs, **settings))


def reward_landscape(runs: Run | Sequence[Run], **settings: Any) -> go.Figure:
    """Draw reward over step and loss, with the paths that the runs took.

    Parameters
    ----------
    runs : Run or sequence of Run
        Runs with a reward.
    against : str
        Role or metric on the second axis, default ``"loss"``.
    strictness : {"default", "strict", "loose"}
        Where a fitted surface may be drawn.
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
        If no run has a reward, or none has the other metric at the same steps.
    ChartError
        If no run logged its place along the axis.
    ValueError
        If a setting is none of its choices.
    """
    return chart(runs, **settings).figure
