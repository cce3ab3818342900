"""Draw the groups of an overlay: a surface and paths, or contour lines, in each one's colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.along import x_format
from viz3d.figures.budget import compact
from viz3d.figures.frame import Range
from viz3d.figures.overlay_layers import Layer, heights
from viz3d.figures.text import Drawn, safe

PALER, DARKER = 0.65, 0.45
"""How far the colour goes to white where support ends, and to black for the paths."""

TINT = 0.12
"""Opacity of the area of a surface in the 2D twin."""

SHADES = 20
"""Steps in which the colour becomes paler where support ends."""


def scene_traces(layer: Layer, levels: Range, *, log: bool) -> list[Any]:
    """Return the surface of a group, where it has one, and its paths."""
    paths = go.Scatter3d(
        x=compact(layer.lines[:, 0]),
        y=compact(layer.lines[:, 1]),
        z=compact(layer.lines[:, 2]),
        mode="lines",
        name=f"{safe(layer.title)}, runs",
        line={"color": _mixed(layer.color, 0 if layer.bare else DARKER, 0), "width": 2},
        showlegend=layer.bare,
        hovertemplate=_hover(layer, safe(layer.axes[2])),
        **_together(layer),
    )
    return [paths] if layer.bare else [_surface(layer, heights(levels, log=log)), paths]


def flat_traces(layer: Layer, levels: Range, *, log: bool) -> list[Any]:
    """Return the contour lines of a group on its tinted area, or its paths, dotted, without one."""
    if layer.bare:
        return [_flat_paths(layer)]
    return [_area(layer), _lines(layer, levels, log=log)]


def _flat_paths(layer: Layer) -> go.Scatter:
    return go.Scatter(
        x=compact(layer.lines[:, 0]),
        y=compact(layer.lines[:, 1]),
        customdata=compact(layer.lines[:, 2]),
        mode="lines",
        name=safe(layer.title),
        line={"color": layer.color, "width": 2, "dash": "dot"},
        hovertemplate=_hover(layer, safe(layer.axes[2]), "customdata"),
    )


def _area(layer: Layer) -> go.Heatmap:
    """Tint where the group has a surface: a flat one may lie between two levels."""
    tint = f"rgba{_mixed(layer.color, 0, 0)[3:-1]}, {TINT})"
    return go.Heatmap(
        x=compact(layer.surface.x),
        y=compact(layer.surface.y),
        z=np.isfinite(layer.surface.z).astype(np.uint8),
        zmin=0,
        zmax=1,
        colorscale=[[0, "rgba(0, 0, 0, 0)"], [1, tint]],
        showscale=False,
        hoverinfo="skip",
        **_together(layer),
    )


def _lines(layer: Layer, levels: Range, *, log: bool) -> go.Contour:
    z = layer.surface.z
    # What is contoured on a logarithmic scale is no loss, so the loss itself goes along.
    values = {"customdata": compact(z)} if log else {}
    return go.Contour(
        x=compact(layer.surface.x),
        y=compact(layer.surface.y),
        z=compact(np.log10(z) if log else z),
        contours={"coloring": "none", **heights(levels, log=log)},
        line={"color": layer.color, "width": 2},
        connectgaps=False,
        name=safe(layer.title),
        showlegend=True,
        showscale=False,
        hovertemplate=_hover(layer, f"fitted {safe(layer.axes[2])}", "customdata" if log else "z"),
        **values,
        **_together(layer),
    )


def _together(layer: Layer) -> dict[str, str]:
    """Let one entry of the legend switch all that is drawn of a group."""
    return {"legendgroup": safe(layer.title)}


def _surface(layer: Layer, levels: dict[str, float]) -> go.Surface:
    surface, color = layer.surface, layer.color
    lines = {"show": True, **levels, "color": style.PAPER, "width": 2}
    return go.Surface(
        x=compact(surface.x),
        y=compact(surface.y),
        z=compact(surface.z),
        surfacecolor=np.round(SHADES * surface.support).astype(np.uint8),
        cmin=0,
        cmax=SHADES,
        colorscale=[[0, _mixed(color, PALER, 255)], [1 - 1 / SHADES, color], [1, color]],
        showscale=False,
        name=safe(layer.title),
        showlegend=True,
        contours={"z": lines},
        lighting={"ambient": 0.65, "diffuse": 0.7, "specular": 0.05, "roughness": 0.9},
        hovertemplate=_hover(layer, f"fitted {safe(layer.axes[2])}"),
        **_together(layer),
    )


def _hover(layer: Layer, value: Drawn, place: Drawn = "z") -> Drawn:
    x, y, _ = map(safe, layer.axes)
    return (
        f"{safe(layer.title)}<br>{x} %{{x:{x_format(layer.along)}}}<br>{y} %{{y:.3~g}}"
        f"<br>{value} %{{{place}:.4~g}}<extra></extra>"
    )


def _mixed(color: str, share: float, level: int) -> str:
    """Mix a colour with a grey of that level, 0 to 255."""
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = (round(part + share * (level - part)) for part in parts)
    return f"rgb({', '.join(map(str, mixed))})"
