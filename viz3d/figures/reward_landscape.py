"""Reward landscape: reward over step x loss, along the path that training took.

Both axes but the step are outcomes, so this is an association along the run. It does not say what
the reward would be at another loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.crowd import crowd
from viz3d.figures.frame import Frame, Range, padded
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
from viz3d.figures.reward_words import notes, numbers, subtitle, summary, table
from viz3d.figures.surface_traces import color_scale, heat_traces, surface_traces
from viz3d.figures.text import in_words, safe, scene_text, short_names
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
    titles = _titles(result)
    surfaces = surface_traces(result.surface, colors, titles, log=False)
    for trace in surfaces:
        trace.opacity = 0.55 * trace.opacity
        trace.showscale = False
    traces: list[Any] = [*surfaces, *_points(result, colors), *_curtains(result, floor)]
    traces += [*_paths(result), *mark_traces(pinned(event_pins(result, frame)))]
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
    titles = _titles(result)
    traces = heat_traces(result.surface, colors, titles, log=False)
    for trace in traces:
        trace.showscale = False
    traces += [*_flat_points(result, colors), *_flat_paths(result)]
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

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    MissingMetric
        If no run has a reward, or none has the other metric at the same steps.
    ValueError
        If a setting is none of its choices.
    """
    return chart(runs, **settings).figure


def _titles(result: RewardLandscapeResult) -> tuple[str, str, str]:
    return "step", safe(in_words(result.against)), "reward"


def _labels(result: RewardLandscapeResult) -> list[str]:
    return [safe(name, 24) for name in short_names([rows.run for rows in result.rows])]


def _hover(result: RewardLandscapeResult, label: str, reward: str) -> str:
    name = _titles(result)[1]
    return f"{label}<br>step %{{x:,.0f}}<br>{name} %{{y:.4~g}}<br>reward {reward}<extra></extra>"


def _points(result: RewardLandscapeResult, colors: Range) -> list[go.Scatter3d]:
    if len(result.rows) > style.MOST_NAMED:
        return [_all_points(result, colors)]
    return [
        go.Scatter3d(
            x=compact(rows.step[rows.drawn]),
            y=compact(rows.other[rows.drawn]),
            z=compact(rows.reward[rows.drawn]),
            mode="markers",
            name=label,
            showlegend=False,
            marker={
                "size": 2.5,
                "color": compact(rows.reward[rows.drawn]),
                **color_scale(colors, "reward", log=False, prefix="c", bar=i == 0),
            },
            hovertemplate=_hover(result, label, "%{z:.4~g}"),
        )
        for i, (rows, label) in enumerate(zip(result.rows, _labels(result), strict=True))
    ]


def _all_points(result: RewardLandscapeResult, colors: Range) -> go.Scatter3d:
    """Draw the points of many runs as one trace."""
    reward = np.concatenate([rows.reward[rows.drawn] for rows in result.rows])
    look = color_scale(colors, "reward", log=False, prefix="c", bar=True)
    return go.Scatter3d(
        x=compact(np.concatenate([rows.step[rows.drawn] for rows in result.rows])),
        y=compact(np.concatenate([rows.other[rows.drawn] for rows in result.rows])),
        z=compact(reward),
        mode="markers",
        showlegend=False,
        marker={"size": 2, "color": compact(reward), **look},
        hovertemplate=_hover(result, f"one of {len(result.rows):,} runs", "%{z:.4~g}"),
    )


def _curtains(result: RewardLandscapeResult, floor: float) -> list[go.Surface]:
    """Hang a curtain from each path to the floor, so that its place in the plane can be seen."""
    n = len(result.rows)
    if n > style.MOST_NAMED:
        return []
    traces = []
    for i, rows in enumerate(result.rows):
        step, other, reward = rows.path.T
        color = style.run_color(i, n)
        traces.append(
            go.Surface(
                x=compact(np.vstack([step, step])),
                y=compact(np.vstack([other, other])),
                z=compact(np.vstack([np.full_like(reward, floor), reward])),
                surfacecolor=np.zeros((2, len(step)), dtype=np.float32),
                colorscale=[[0, color], [1, color]],
                opacity=0.18,
                showscale=False,
                hoverinfo="skip",
            )
        )
    return traces


def _paths(result: RewardLandscapeResult) -> list[go.Scatter3d]:
    n = len(result.rows)
    if n > style.MOST_NAMED:
        parts = [np.column_stack([rows.path, rows.path[:, 0]]) for rows in result.rows]
        said = _hover(result, "%{text}, median of a stretch", "%{z:.4~g}")
        return [crowd(parts, _labels(result), said, width=4)]
    return [
        go.Scatter3d(
            x=compact(rows.path[:, 0]),
            y=compact(rows.path[:, 1]),
            z=compact(rows.path[:, 2]),
            mode="lines",
            name=f"{label}, median" if n > 1 else "median of stretches",
            line={"color": style.run_color(i, n), "width": 5},
            showlegend=n == 1 or style.named(n),
            hovertemplate=_hover(result, f"{label}, median of a stretch", "%{z:.4~g}"),
        )
        for i, (rows, label) in enumerate(zip(result.rows, _labels(result), strict=True))
    ]


def _flat_points(result: RewardLandscapeResult, colors: Range) -> list[go.Scatter]:
    """Draw the rows of each run as points; of many runs all in one trace."""
    parts = list(zip(result.rows, _labels(result), strict=True))
    groups = [([rows], label) for rows, label in parts]
    if len(parts) > style.MOST_NAMED:
        groups = [(list(result.rows), f"one of {len(parts):,} runs")]
    return [
        go.Scatter(
            x=compact(np.concatenate([rows.step[rows.drawn] for rows in some])),
            y=compact(np.concatenate([rows.other[rows.drawn] for rows in some])),
            mode="markers",
            name=label,
            showlegend=False,
            marker={
                "size": 5,
                "color": compact(np.concatenate([rows.reward[rows.drawn] for rows in some])),
                "line": {"width": 0.5, "color": style.PAPER},
                **color_scale(colors, "reward", log=False, prefix="c", bar=i == 0),
            },
            hovertemplate=_hover(result, label, "%{marker.color:.4~g}"),
        )
        for i, (some, label) in enumerate(groups)
    ]


def _flat_paths(result: RewardLandscapeResult) -> list[go.Scatter]:
    n = len(result.rows)
    return [
        go.Scatter(
            x=compact(rows.path[:, 0]),
            y=compact(rows.path[:, 1]),
            mode="lines",
            name=f"{label}, median" if n > 1 else "median of stretches",
            line={"color": style.run_color(i, n), "width": 2.5},
            showlegend=n == 1 or style.named(n),
            hoverinfo="skip",
        )
        for i, (rows, label) in enumerate(zip(result.rows, _labels(result), strict=True))
    ]
