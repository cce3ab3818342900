"""Draw a difference: surface, map and runs, in diverging colours about zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import get_colorscale

from viz3d.analysis.difference import BAND
from viz3d.figures import style
from viz3d.figures.along import x_format
from viz3d.figures.budget import compact, thin
from viz3d.figures.difference_data import DifferenceResult, color_range
from viz3d.figures.difference_sides import Side
from viz3d.figures.frame import Range, padded
from viz3d.figures.surface_traces import FADED, color_scale, edge, only
from viz3d.figures.text import Drawn, safe, scene_text
from viz3d.figures.ticks import nice_ticks, ratio_ticks

Floats = NDArray[np.float64]

PER_SIDE = 2_000
"""Points that show where the runs of one side lie."""

SIDES = (style.PATH, "#E69F00")
"""Colours of the runs of A and of B, which go beyond the map: neither is white or black."""


def diverging(result: DifferenceResult) -> list[tuple[float, str]]:
    """Return the colours: blue where A is better, whichever sign that has."""
    scale = [(float(at), str(color)) for at, color in get_colorscale(style.DIVERGING)]
    if result.lower_is_better:
        return scale
    return [(1 - at, color) for at, color in reversed(scale)]


def unit(result: DifferenceResult) -> Drawn:
    """Return what follows a difference: per cent where it is a ratio."""
    return " %" if result.found.log else ""


def name(result: DifferenceResult) -> str:
    """Return the title of the axis and of the colours."""
    value = result.titles[2]
    return f"{value} of A / {value} of B" if result.found.log else f"{value} of A − B"


def height_axis(result: DifferenceResult, ends: Range, *, flat: bool = False) -> dict[str, Any]:
    """Return the settings of the axis of the difference; a ratio has ticks in per cent."""
    log = result.found.log
    values = ratio_ticks(ends) if log else nice_ticks(ends, log=False)
    return style.axis(
        (safe if flat else scene_text)(name(result)),
        type="log" if log else "linear",
        range=padded(ends, log=log),
        tickvals=[value for value, _ in values],
        ticktext=[text for _, text in values],
        zeroline=False,
    )


def said(result: DifferenceResult) -> Floats:
    """Return what hover labels tell: A, B, the difference and the ends of its band, (..., 5)."""
    found = result.found
    half = BAND * found.deviation
    told = (result.told(d) for d in (found.d, found.d - half, found.d + half))
    return np.stack([found.a, found.b, *told], -1)


def hover(result: DifferenceResult) -> Drawn:
    """Return the hover label of a point whose `said` is its customdata."""
    x, y, value = map(safe, result.titles)
    u = unit(result)
    second = "" if result.found.along else f"{y} %{{y:.3~g}}<br>"
    return (
        f"{x} %{{x:{x_format(result.along)}}}<br>{second}{value} of A %{{customdata[0]:.4~g}}, "
        f"of B %{{customdata[1]:.4~g}}<br>A − B %{{customdata[2]:+.3~g}}{u}<br>"
        f"95 % band %{{customdata[3]:+.3~g}} to %{{customdata[4]:+.3~g}}{u}<extra></extra>"
    )


def surface_traces(result: DifferenceResult) -> list[go.Surface]:
    """Return the two layers of the surface of a difference: solid, and where support fades."""
    found = result.found
    solid = found.support >= 1
    traces: list[go.Surface] = []
    for shown, opacity in ((solid, 1.0), (edge(solid, found.shown), FADED)):
        if not shown.any():
            continue
        traces.append(
            go.Surface(
                x=compact(found.x),
                y=compact(found.y),
                z=compact(only(shown, result.drawn(found.d))),
                surfacecolor=compact(only(shown, _tone(result))),
                customdata=compact(only(shown, said(result))),
                hovertemplate=hover(result),
                opacity=opacity,
                **_colors(result, prefix="c", bar=not traces),
                lighting={"ambient": 0.85, "diffuse": 0.4, "specular": 0.02, "roughness": 0.9},
            )
        )
    return traces


def heat_traces(result: DifferenceResult) -> list[Any]:
    """Return the difference as a heat map."""
    found = result.found
    return [
        go.Heatmap(
            x=compact(found.x),
            y=compact(found.y),
            z=compact(only(found.shown, _tone(result))),
            customdata=compact(said(result)),
            hovertemplate=hover(result),
            **_colors(result, prefix="z", bar=True),
        ),
    ]


def zero_plane(result: DifferenceResult, x: Range, y: Range) -> go.Scatter3d:
    """Return a faint net at zero; a half-transparent plane would hide what lies behind it."""
    xs = np.linspace(*x, 9)
    ys = np.geomspace(*y, 9) if result.log_y else np.linspace(*y, 9)
    parts = [np.column_stack([np.r_[xs[[0, -1]], np.nan], np.full(3, v)]) for v in ys]
    parts += [np.column_stack([np.full(3, v), np.r_[ys[[0, -1]], np.nan]]) for v in xs]
    net = np.vstack(parts)
    return go.Scatter3d(
        x=compact(net[:, 0]),
        y=compact(net[:, 1]),
        z=compact(result.drawn(np.zeros(len(net)))),
        mode="lines",
        name="no difference",
        line={"color": style.FAINT, "width": 1},
        hoverinfo="skip",
    )


def run_traces(sides: Sequence[Side], y: Range) -> list[go.Scatter]:
    """Return where the runs of each side lie in the plane."""
    traces = []
    for side, letter, color in zip(sides, "AB", SIDES, strict=True):
        lines = _thinned(side)
        inside = (lines[:, 1] >= y[0]) & (lines[:, 1] <= y[1])
        lines[~inside] = np.nan
        traces.append(
            go.Scatter(
                x=compact(lines[:, 0]),
                y=compact(lines[:, 1]),
                mode="lines",
                name=f"runs of {letter}",
                line={"color": color, "width": 1.5, "dash": "dot" if letter == "B" else "solid"},
                hoverinfo="skip",
            )
        )
    return traces


def _thinned(side: Side) -> Floats:
    gap = np.full((1, 2), np.nan)
    each = max(8, PER_SIDE // len(side.runs))
    parts = []
    for number in range(len(side.runs)):
        own = np.flatnonzero(side.run == number)
        kept = own[thin(side.x[own], side.y[own], each)]
        parts += [np.column_stack([side.x[kept], side.y[kept]]), gap]
    return np.vstack(parts)


def _tone(result: DifferenceResult) -> Floats:
    """Return what the colours are of: even about zero on both sides."""
    return result.found.d / np.log(10) if result.found.log else result.found.d


def _colors(result: DifferenceResult, *, prefix: str, bar: bool) -> dict[str, Any]:
    title, ends = f"{safe(name(result))}; blue: A better", color_range(result)
    log = result.found.log
    colors = color_scale(ends, title, log=log, prefix=prefix, bar=bar, scale=diverging(result))
    if bar and log:
        colors["colorbar"]["ticktext"] = [text for _, text in ratio_ticks(ends)]
    return colors
