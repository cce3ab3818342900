"""Draw a fitted surface: solid where it is supported, half-transparent where support fades.

Plotly has one opacity per surface, not per point, hence two layers. Holes are NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.surface import Surface
from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.frame import Range
from viz3d.figures.text import Drawn
from viz3d.figures.ticks import nice_ticks

Floats = NDArray[np.float64]

FADED = 0.4
"""Opacity of the edge, where support is between none and full."""


def surface_traces(
    surface: Surface,
    colors: Range,
    titles: tuple[Drawn, Drawn, Drawn],
    *,
    log: bool,
    x_format: Drawn = ",.0f",
) -> list[go.Surface]:
    """Return the two layers of a surface.

    Parameters
    ----------
    surface : Surface
    colors : (low, high)
        Values of z at the ends of the colour scale.
    titles : (x, y, z)
        Names for the hover label.
    log : bool
        Whether the axis of z is logarithmic; the colours follow it.
    x_format : str
        How the hover label says x, by default as a whole number.
    """
    solid = surface.support >= 1
    x, y, z = titles
    hover = (
        f"{x} %{{x:{x_format}}}<br>{y} %{{y:.3~g}}<br>fitted {z} %{{z:.4~g}}<br>"
        "approximate 90 % band %{customdata[0]:.4~g} to %{customdata[1]:.4~g}<extra></extra>"
    )
    layers = [(solid, 1.0), (edge(solid, surface.support > 0), FADED)]
    bar = True
    traces = []
    for shown, opacity in layers:
        if not shown.any():
            continue
        traces.append(
            go.Surface(
                x=compact(surface.x),
                y=compact(surface.y),
                z=compact(only(shown, surface.z)),
                # The colours follow z by themselves, on a logarithmic axis its logarithm.
                customdata=compact(only(shown, np.stack([surface.lower, surface.upper], -1))),
                hovertemplate=hover,
                opacity=opacity,
                **color_scale(colors, z, log=log, prefix="c", bar=bar),
                lighting={"ambient": 0.8, "diffuse": 0.5, "specular": 0.04, "roughness": 0.9},
                contours={"z": {"show": False}},
            )
        )
        bar = False
    return traces


def heat_traces(
    surface: Surface,
    colors: Range,
    titles: tuple[Drawn, Drawn, Drawn],
    *,
    log: bool,
    x_format: Drawn = ",.0f",
) -> list[Any]:
    """Return the same surface as a heat map of its solid part below pale filled contours of all.

    The band stands in the hover label of the scene alone, which halves what is sent.
    """
    solid = surface.support >= 1
    if not (surface.support > 0).any():
        return []
    x, y, z = titles
    fitted = "customdata" if log else "z"
    tone = _tone(surface.z, log)
    grid = {"x": compact(surface.x), "y": compact(surface.y)}
    return [
        go.Heatmap(
            **grid,
            z=compact(only(solid, tone)),
            hoverinfo="skip",
            **color_scale(colors, z, log=log, prefix="z", bar=True),
        ),
        go.Contour(
            **grid,
            z=compact(tone),
            customdata=compact(surface.z) if log else None,
            contours={"coloring": "heatmap"},
            ncontours=14,
            # Plotly fades the filling twice, as a picture and as a part of the trace.
            opacity=FADED**0.5,
            line={"width": 0.8, "color": "rgba(255,255,255,0.6)"},
            showlegend=False,
            connectgaps=False,
            hovertemplate=f"{x} %{{x:{x_format}}}<br>{y} %{{y:.3~g}}<br>"
            f"fitted {z} %{{{fitted}:.4~g}}<extra></extra>",
            **color_scale(colors, z, log=log, prefix="z", bar=False),
        ),
    ]


def color_scale(
    colors: Range,
    title: Drawn,
    *,
    log: bool,
    prefix: str,
    bar: bool,
    scale: str | Sequence[tuple[float, str]] = style.SEQUENTIAL,
) -> dict[str, Any]:
    """Return colour settings of a trace; `prefix` is "c" for surfaces, "z" for heat maps."""
    values = nice_ticks(colors, log=log)
    low, high = np.log10(colors) if log else colors
    ticks = {
        "tickmode": "array",
        "tickvals": [float(np.log10(v)) if log else v for v, _ in values],
        "ticktext": [text for _, text in values],
    }
    return {
        "colorscale": scale,
        f"{prefix}min": float(low),
        f"{prefix}max": float(high),
        "showscale": bar,
        "colorbar": style.color_bar(title, **ticks) if bar else None,
    }


def _tone(z: Floats, log: bool) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(z) if log else z


def only(shown: NDArray[np.bool_], values: Floats) -> Floats:
    """Return the values, of shape (ny, nx) or (ny, nx, n), with NaN where they are not shown."""
    mask = shown[..., None] if values.ndim == 3 else shown
    return np.where(mask, values, np.nan)


def edge(solid: NDArray[np.bool_], shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Grid points of all quads that are shown and not wholly solid.

    A quad is drawn when its four corners are there, so the edge shares its inner corners with the
    solid layer; leaving them out would open a gap of one cell between the two.
    """
    quad = ~(solid[:-1, :-1] & solid[1:, :-1] & solid[:-1, 1:] & solid[1:, 1:])
    touched = np.zeros_like(solid)
    for rows in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            touched[rows, columns] |= quad
    return touched & shown
