"""Several groups of runs in one scene, each with a colour of its own on one frame.

Half-transparent surfaces that cross are drawn in the wrong order by WebGL, so these are opaque:
where two cross, the one in front hides the other, as in the world. The edge of support is paler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from viz3d.errors import BadArgument, ChartError
from viz3d.figures import style
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import Frame, padded, union
from viz3d.figures.kinds import SURFACES, module_of
from viz3d.figures.overlay_layers import Layer, layer
from viz3d.figures.overlay_traces import flat_trace, scene_traces
from viz3d.figures.text import count, scene_text, with_names
from viz3d.figures.ticks import even_ticks, log_ticks
from viz3d.run import Run

MOST_GROUPS = 8
COLORS = (*style.RUNS, style.INK)

Groups = Mapping[str, Sequence[Run]]


def chart(groups: Groups, kind: str = "loss-landscape", **settings: Any) -> Chart:
    """Draw several groups of runs over one another.

    Parameters
    ----------
    groups : mapping of str to sequence of Run
        Two to eight groups by title. One without a surface is drawn as its paths.
    kind : {"loss-landscape", "reward-landscape"}
    **settings
        Those of the kind.

    Returns
    -------
    Chart

    Raises
    ------
    BadArgument
        If there are too few or too many groups.
    ChartError
        If this kind is not overlaid, or a group does not hold what it needs.
    """
    if kind not in SURFACES:
        raise ChartError(
            f"A {kind} chart is not laid over another: choose the view side by side, or one of: "
            f"{', '.join(SURFACES)}."
        )
    if not 2 <= len(groups) <= MOST_GROUPS:
        raise BadArgument(
            f"{count(len(groups), 'group')} cannot be overlaid; choose 2 to {MOST_GROUPS}."
        )
    module = module_of(kind)
    results = module.compute_each(list(groups.values()), **settings)
    frame = union([result.frame for result in results])
    charts = [module.finish(result, frame) for result in results]
    top = frame.known()[2][1]
    layers = [layer(*known, top) for known in zip(groups, COLORS, results, strict=False)]
    title = f"{module.TITLE}, overlaid"
    events = sorted((pin for c in charts for pin in c.events), key=lambda pin: pin.event.step)
    words = Words(
        pd.concat(_by_group(groups, [c.table for c in charts]), ignore_index=True),
        _summary(module.TITLE, layers),
        {"groups": {t: dict(c.numbers) for t, c in zip(groups, charts, strict=True)}},
        (*map(_note, layers), *_event_notes(len(events))),
        tuple(events),
    )
    return assemble(
        kind,
        title,
        (draw(title, layers, frame), draw_flat(title, layers, frame)),
        words,
        [origin for result in results for origin in result.origins],
        {
            **results[0].settings,
            "overlaid": {t: [run.name for run in runs] for t, runs in groups.items()},
        },
        partial(_data, list(groups), charts),
    )


def draw(title: str, layers: Sequence[Layer], frame: Frame) -> go.Figure:
    """Draw the scene: an opaque surface and the paths of each group."""
    x, y, z = frame.known()
    x_name, y_name, z_name = layers[0].axes
    log_y = layers[0].log_y
    traces = [
        trace for one in layers for trace in scene_traces(one, frame.color or z, log=frame.log)
    ]
    scene = style.scene(
        style.axis(x_name, range=padded(x, share=0.02)),
        style.axis(
            scene_text(y_name),
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


def draw_flat(title: str, layers: Sequence[Layer], frame: Frame) -> go.Figure:
    """Draw contour lines of each group in its colour, at the same levels for all."""
    x, y, z = frame.known()
    x_name, y_name, _ = layers[0].axes
    log_y = layers[0].log_y
    ticks = log_ticks(y) if log_y else {}
    layout = style.flat_layout(
        title,
        "Contour lines at the same levels for each group; dotted: no surface.",
        style.axis(x_name, range=padded(x, share=0.02), zeroline=False),
        style.axis(y_name, range=padded(y, log=log_y), zeroline=False, **ticks),
    )
    levels = frame.color or z
    return style.figure([flat_trace(one, levels, log=frame.log) for one in layers], layout)


def _by_group(
    titles: Groups | Sequence[str], tables: Sequence[pd.DataFrame], place: int = 0
) -> list[pd.DataFrame]:
    """Put the group among the columns of each table."""
    parts = [table.copy() for table in tables]
    for title, part in zip(titles, parts, strict=True):
        part.insert(place, "group", title)
    return parts


def _data(titles: Sequence[str], charts: Sequence[Chart]) -> pd.DataFrame:
    """Return the long tables of all groups below each other, ``group`` after ``part``."""
    tables = [c.data() for c in charts]
    return pd.concat(_by_group(titles, tables, place=1), ignore_index=True)


def _note(one: Layer) -> str:
    said = f"{one.title}: {' '.join(one.notes)}"
    if one.bare:
        return f"{said} There is no surface. {with_names(one.surface.reason, *one.axes)}"
    return f"{said} A surface over {100 * one.surface.share:.0f} % of the group's own box."


def _event_notes(found: int) -> list[str]:
    return [f"{count(found, 'event')} in the list, none pinned."] if found else []


def _summary(chart_title: str, layers: Sequence[Layer]) -> str:
    parts = [
        f"{one.title} has no surface and is drawn as its paths"
        if one.bare
        else f"the surface of {one.title} covers {100 * one.surface.share:.0f} % of its own box"
        for one in layers
    ]
    return f"{chart_title} of {count(len(layers), 'group')} in one scene: {'; '.join(parts)}."
