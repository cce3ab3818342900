"""Draw a difference: diverging colours about zero, hatched where it is undecided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import get_colorscale

from viz3d.analysis.difference import BAND
from viz3d.figures import style
from viz3d.figures.budget import compact, thin
from viz3d.figures.difference_data import DifferenceResult, color_range
from viz3d.figures.difference_sides import Side
from viz3d.figures.frame import Range
from viz3d.figures.surface_traces import FADED, color_scale, edge, only
from viz3d.figures.text import safe

Floats = NDArray[np.float64]

HATCHES, ALONG = 60, 240
"""Lines of the hatching, and points along each."""

LIFT = 0.006
"""The lines of the hatching float above the surface by this share of the height of the scene."""

PER_SIDE = 2_000
"""Points that show where the runs of one side lie."""

SIDES = ("#000000", "#E69F00")
INK = "rgba(30,30,30,0.85)"
"""Hatching: dark on all colours of the middle of the scale, where undecided differences lie."""


def diverging(result: DifferenceResult) -> list[tuple[float, str]]:
    """Return the colours: blue where A is better, whichever sign that has."""
    scale = [(float(at), str(color)) for at, color in get_colorscale(style.DIVERGING)]
    if result.lower_is_better:
        return scale
    return [(1 - at, color) for at, color in reversed(scale)]


def unit(result: DifferenceResult) -> str:
    """Return what follows a difference: per cent where it is a ratio."""
    return " %" if result.found.log else ""


def name(result: DifferenceResult) -> str:
    """Return the title of the axis and of the colours."""
    value = result.titles[2]
    return f"{value} of A − B, % of B" if result.found.log else f"{value} of A − B"


def band(result: DifferenceResult) -> tuple[Floats, Floats]:
    """Return the ends of the 95 % band, as drawn."""
    found = result.found
    half = BAND * found.deviation
    return result.drawn(found.d - half), result.drawn(found.d + half)


def _hover(result: DifferenceResult, z: str) -> str:
    x, y, value = result.titles
    u = unit(result)
    return (
        f"{x} %{{x:,.0f}}<br>{safe(y)} %{{y:.3~g}}<br>{value} of A %{{customdata[0]:.4~g}}, "
        f"of B %{{customdata[1]:.4~g}}<br>A − B {z}{u}<br>"
        f"95 % band %{{customdata[2]:+.3~g}} to %{{customdata[3]:+.3~g}}{u}<extra></extra>"
    )


def surface_traces(result: DifferenceResult) -> list[go.Surface]:
    """Return the two layers of the surface of a difference: solid, and where support fades."""
    found = result.found
    drawn = result.drawn(found.d)
    said = np.stack([found.a, found.b, *band(result)], -1)
    solid = found.support >= 1
    traces: list[go.Surface] = []
    for shown, opacity in ((solid, 1.0), (edge(solid, found.shown), FADED)):
        if not shown.any():
            continue
        traces.append(
            go.Surface(
                x=compact(found.x),
                y=compact(found.y),
                z=compact(only(shown, drawn)),
                customdata=compact(only(shown, said)),
                hovertemplate=_hover(result, "%{z:+.3~g}"),
                opacity=opacity,
                **_colors(result, prefix="c", bar=not traces),
                lighting={"ambient": 0.85, "diffuse": 0.4, "specular": 0.02, "roughness": 0.9},
            )
        )
    return traces


def heat_traces(result: DifferenceResult) -> list[Any]:
    """Return the difference as a heat map."""
    found = result.found
    drawn = compact(only(found.shown, result.drawn(found.d)))
    grid = {"x": compact(found.x), "y": compact(found.y), "z": drawn}
    said = compact(np.stack([found.a, found.b, *band(result)], -1))
    return [
        go.Heatmap(
            **grid,
            customdata=said,
            hovertemplate=_hover(result, "%{z:+.3~g}"),
            **_colors(result, prefix="z", bar=True),
        ),
    ]


def hatching(result: DifferenceResult, x_range: Range, y_range: Range) -> Floats:
    """Lay slanting lines over the undecided area, even in the picture.

    Parameters
    ----------
    result : DifferenceResult
    x_range, y_range : (low, high)
        Ends of the axes, of which the second is logarithmic for a loss landscape.

    Returns
    -------
    ndarray, shape (n, 3)
        Step, second axis and drawn difference of points on the lines; NaN between stretches.
    """
    from scipy.interpolate import RegularGridInterpolator

    found = result.found
    log = result.log_y
    ys = np.log(found.y) if log else found.y
    low, high = np.log(y_range) if log else y_range
    across = np.linspace(0, 1, ALONG)
    start = np.linspace(-1, 1, HATCHES + 1)[:, None]
    u, v = np.broadcast_arrays(across, start + across)
    x, y = x_range[0] + u * (x_range[1] - x_range[0]), low + v * (high - low)
    inside = (x >= found.x[0]) & (x <= found.x[-1]) & (y >= ys[0]) & (y <= ys[-1])
    points = np.stack([np.where(inside, y, ys[0]), np.where(inside, x, found.x[0])], -1)
    axes = (ys, found.x)
    within = found.undecided.astype(np.float64)
    undecided = RegularGridInterpolator(axes, within, method="nearest")(points) > 0
    z = RegularGridInterpolator(axes, result.drawn(found.d))(points)
    shown = inside & undecided & np.isfinite(z)
    lines = np.stack([x, np.exp(y) if log else y, z], -1)
    lines[~shown] = np.nan
    gap = np.full((len(lines), 1, 3), np.nan)
    return _dense(np.concatenate([lines, gap], axis=1).reshape(-1, 3))


def _dense(points: Floats) -> Floats:
    """Drop all but the first of neighbouring gaps."""
    gap = np.isnan(points[:, 0])
    return points[~(gap & np.r_[True, gap[:-1]])]


def hatch_trace(result: DifferenceResult, x: Range, y: Range, z: Range) -> list[go.Scatter3d]:
    """Return the hatching on the surface."""
    lines = hatching(result, x, y)
    if not len(lines):
        return []
    return [
        go.Scatter3d(
            x=compact(lines[:, 0]),
            y=compact(lines[:, 1]),
            z=compact(lines[:, 2] + LIFT * (z[1] - z[0])),
            mode="lines",
            name="undecided (hatched)",
            line={"color": INK, "width": 2},
            hoverinfo="skip",
        )
    ]


def flat_hatch_trace(result: DifferenceResult, x: Range, y: Range) -> list[go.Scatter]:
    """Return the hatching on the heat map."""
    lines = hatching(result, x, y)
    if not len(lines):
        return []
    return [
        go.Scatter(
            x=compact(lines[:, 0]),
            y=compact(lines[:, 1]),
            mode="lines",
            name="undecided (hatched)",
            line={"color": INK, "width": 1},
            hoverinfo="skip",
        )
    ]


def zero_plane(x: Range, y: Range, *, log: bool) -> go.Scatter3d:
    """Return a faint net at zero; a half-transparent plane would hide what lies behind it."""
    xs = np.linspace(*x, 9)
    ys = np.geomspace(*y, 9) if log else np.linspace(*y, 9)
    parts = [np.column_stack([np.r_[xs[[0, -1]], np.nan], np.full(3, v)]) for v in ys]
    parts += [np.column_stack([np.full(3, v), np.r_[ys[[0, -1]], np.nan]]) for v in xs]
    net = np.vstack(parts)
    return go.Scatter3d(
        x=compact(net[:, 0]),
        y=compact(net[:, 1]),
        z=compact(np.zeros(len(net))),
        mode="lines",
        name="no difference",
        line={"color": style.FAINT, "width": 1},
        hoverinfo="skip",
    )


def run_traces(sides: Sequence[Side], y: Range) -> list[go.Scatter]:
    """Return where the runs of each side lie in the plane."""
    traces = []
    for side, color in zip(sides, SIDES, strict=True):
        lines = _thinned(side)
        inside = (lines[:, 1] >= y[0]) & (lines[:, 1] <= y[1])
        lines[~inside] = np.nan
        traces.append(
            go.Scatter(
                x=compact(lines[:, 0]),
                y=compact(lines[:, 1]),
                mode="lines",
                name=f"runs of {side.name}",
                line={"color": color, "width": 1.5, "dash": "dot" if side.name == "B" else "solid"},
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
        kept = own[thin(side.x[own].astype(np.int64), side.y[own], each)]
        parts += [np.column_stack([side.x[kept], side.y[kept]]), gap]
    return np.vstack(parts)


def _colors(result: DifferenceResult, *, prefix: str, bar: bool) -> dict[str, Any]:
    title = f"{name(result)}; blue: A better"
    return color_scale(
        color_range(result), title, log=False, prefix=prefix, bar=bar, scale=diverging(result)
    )
