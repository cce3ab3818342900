"""Landscapes of several groups in one scene, each in its colour.

Half-transparent surfaces that cross are drawn in the wrong order by WebGL, so these are opaque:
where two cross, the one in front hides the other, as in the world. The edge of support is paler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from viz3d.analysis.alignment import AXES
from viz3d.figures import style
from viz3d.figures.along import left_out_sentence
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import WIDE, Frame, padded, union
from viz3d.figures.grouped import Groups, by_group, overlaid
from viz3d.figures.kinds import module_of
from viz3d.figures.overlay_labels import label_traces
from viz3d.figures.overlay_layers import Layer, layer
from viz3d.figures.overlay_traces import flat_traces, scene_traces
from viz3d.figures.pins import Pin, event_notes, flat_pin_traces, in_order, pin_traces, pinned
from viz3d.figures.text import Drawn, count, safe, scene_text, with_names
from viz3d.figures.ticks import even_ticks, log_ticks
from viz3d.run import Run


def check(runs: Sequence[Run], kind: str, **settings: Any) -> None:
    """Raise the `ChartError` that keeps a group of runs out of the chart, if there is one."""
    module_of(kind).compute(runs, **settings)


def overlay(groups: Groups, kind: str, **settings: Any) -> Chart:
    """Draw the landscapes of groups; see `viz3d.figures.overlay.chart`."""
    module = module_of(kind)
    results = module.compute_each(list(groups.values()), **settings)
    frame = _opened(union([result.frame for result in results]), log=kind == "loss-landscape")
    charts = [module.finish(result, frame) for result in results]
    known = zip(groups, style.GROUPS, results, strict=False)
    layers = [layer(*one, frame) for one in known]
    title = f"{module.TITLE}, overlaid"
    events = [some for one in layers for some in one.events]
    words = Words(
        by_group(list(groups), [c.table for c in charts]),
        _summary(module.TITLE, layers, results),
        {"groups": {t: dict(c.numbers) for t, c in zip(groups, charts, strict=True)}},
        (*map(_note, layers), *event_notes(events)),
        in_order(events),
    )
    return assemble(
        kind,
        title,
        (draw(title, layers, frame), draw_flat(title, layers, frame)),
        words,
        [origin for result in results for origin in result.origins],
        {**results[0].settings, **overlaid(groups)},
        partial(_data, list(groups), charts),
    )


def draw(title: Drawn, layers: Sequence[Layer], frame: Frame) -> go.Figure:
    """Draw the scene: an opaque surface and the paths of each group."""
    x, y, z = frame.known()
    x_name, y_name, z_name = map(scene_text, layers[0].axes)
    log_y = layers[0].log_y
    traces = [
        trace for one in layers for trace in scene_traces(one, frame.color or z, log=frame.log)
    ]
    traces += pin_traces(_pins(layers), z, log=frame.log)
    scene = style.scene(
        style.axis(x_name, range=padded(x, share=0.02)),
        style.axis(
            y_name,
            range=padded(y, log=log_y),
            **(log_ticks(y) if log_y else even_ticks(y)),
        ),
        style.axis(
            z_name,
            range=padded(z, log=frame.log),
            **(log_ticks(z) if frame.log else even_ticks(z)),
        ),
    )
    said = f"{count(len(layers), 'group')} on the same axes. Paler: support ends."
    return style.figure(traces, style.layout(title, said, scene=scene))


def draw_flat(title: Drawn, layers: Sequence[Layer], frame: Frame) -> go.Figure:
    """Draw contour lines of each group in its colour, at the same levels for all."""
    x, y, z = frame.known()
    x_name, y_name, _ = map(safe, layers[0].axes)
    log_y = layers[0].log_y
    ticks = log_ticks(y) if log_y else {}
    layout = style.flat_layout(
        title,
        "Contour lines at the same levels on the area of each group; dotted: no surface.",
        style.axis(x_name, range=padded(x, share=0.02), zeroline=False),
        style.axis(y_name, range=padded(y, log=log_y), zeroline=False, **ticks),
    )
    levels = frame.color or z
    traces = [trace for one in layers for trace in flat_traces(one, levels, log=frame.log)]
    labels = label_traces(layers, (x, y), levels, log=frame.log)
    return style.figure([*traces, *labels, *flat_pin_traces(_pins(layers))], layout)


def _opened(frame: Frame, *, log: bool) -> Frame:
    """Make the axis of losses logarithmic where one group would flatten the others."""
    low, high = frame.known()[2]
    positive = low > 0 and (frame.color or (low, high))[0] > 0
    return replace(frame, log=frame.log or (log and positive and high > WIDE * low))


def _pins(layers: Sequence[Layer]) -> list[Pin]:
    """Return the pins that are drawn: as many of each run as in a chart of all of them."""
    drawn = pinned([some for one in layers for some in one.events])
    return drawn + [pin for one in layers for pin in one.above]


def _data(titles: Sequence[str], charts: Sequence[Chart]) -> pd.DataFrame:
    """Return the long tables of all groups below each other, ``group`` after ``part``."""
    tables = [c.data() for c in charts]
    return by_group(titles, tables, place=1)


def _note(one: Layer) -> str:
    said = f"{one.title}: {' '.join(one.notes)}"
    if one.bare:
        return f"{said} There is no surface. {with_names(one.surface.reason, *one.axes)}"
    return f"{said} A surface over {100 * one.surface.share:.0f} % of the group's own box."


def _summary(chart_title: str, layers: Sequence[Layer], results: Sequence[Any]) -> str:
    parts = [
        f"{one.title} has no surface and is drawn as its paths"
        if one.bare
        else f"the surface of {one.title} covers {100 * one.surface.share:.0f} % of its own box"
        for one in layers
    ]
    along = results[0].along
    scene = "in one scene" if along == "step" else f"in one scene along {AXES[along]}"
    said = f"{chart_title} of {count(len(layers), 'group')} {scene}: {'; '.join(parts)}."
    left_out = [pair for result in results for pair in result.left_out]
    return f"{said} {left_out_sentence(along, tuple(left_out))}".strip()
