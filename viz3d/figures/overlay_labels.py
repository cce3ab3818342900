"""Label the contour lines of an overlay's 2D twin with their values.

plotly.js can only write the number that it contours, which on a logarithmic scale is a logarithm,
and would write it in the colour of the line, of which few reach a contrast of 4.5 to 1. These
labels have the colour of the page's text and a halo that contrasts with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.figures.budget import compact
from viz3d.figures.frame import Range
from viz3d.figures.overlay_layers import Layer, heights
from viz3d.figures.text import safe, say

ROOM = (0.12, 0.055)
"""Least distance of two labels along x or y, as shares of the axes: a label on a phone."""

EDGE = 0.05
"""Share of each axis at its ends in which a label would be cut off."""

Floats = NDArray[np.float64]


def label_traces(
    layers: Sequence[Layer], ends: tuple[Range, Range], levels: Range, *, log: bool
) -> list[go.Scatter]:
    """Return one label on each line of each surface, where there is room: a trace per surface.

    Parameters
    ----------
    layers : sequence of Layer
    ends : (x, y)
        Ranges of the axes in data units.
    levels : Range
        Of the lines, as in `heights`.
    log : bool
        Whether the lines are even on a logarithmic scale.
    """
    surfaces = [one for one in layers if not one.bare]
    labels: list[list[tuple[Floats, float]]] = [[] for _ in surfaces]
    taken = np.empty((0, 2))
    line = heights(levels, log=log)
    for level in np.arange(line["start"], line["end"] + line["size"] / 2, line["size"]):
        for one, own in zip(surfaces, labels, strict=True):
            for place in _roomiest(_crossings(one, ends, level, log=log), taken):
                own.append((place, 10**level if log else level))
                taken = np.vstack([taken, place])
    return [_trace(one, own, ends) for one, own in zip(surfaces, labels, strict=True) if own]


def _trace(
    layer: Layer, labels: Sequence[tuple[Floats, float]], ends: tuple[Range, Range]
) -> go.Scatter:
    x, y = np.array([place for place, _ in labels]).T
    return go.Scatter(
        x=compact(_back(x, ends[0], log=False)),
        y=compact(_back(y, ends[1], log=layer.log_y)),
        mode="text",
        text=[say(float(f"{value:.3g}")) for _, value in labels],
        # Without a colour it is that of the page's text.
        textfont={"size": 11, "shadow": "auto"},
        legendgroup=safe(layer.title),
        hoverinfo="skip",
        showlegend=False,
    )


def _crossings(layer: Layer, ends: tuple[Range, Range], level: float, *, log: bool) -> Floats:
    """Return where the surface crosses a level between points of its grid, in shares."""
    surface = layer.surface
    x = _share(surface.x, ends[0], log=False)
    y = _share(surface.y, ends[1], log=layer.log_y)
    off = (np.log10(surface.z) if log else surface.z) - level
    found = []
    for over, other, values, swap in ((y, x, off, False), (x, y, off.T, True)):
        low, high = values[:-1], values[1:]
        row, column = np.nonzero((low * high <= 0) & (low != high))
        part = low[row, column] / (low[row, column] - high[row, column])
        place = np.column_stack([other[column], over[row] + part * (over[row + 1] - over[row])])
        found.append(place[:, ::-1] if swap else place)
    places = np.vstack(found)
    return places[((places > EDGE) & (places < 1 - EDGE)).all(axis=1)]


def _roomiest(places: Floats, taken: Floats) -> Floats:
    """Return the place that is farthest from those taken, shape (1, 2); (0, 2) without room."""
    if not len(places):
        return places
    if not len(taken):
        return places[[len(places) // 2]]
    apart = np.abs(places[:, None] - taken) / ROOM
    least = apart.max(axis=2).min(axis=1)
    best = int(least.argmax())
    return places[[best]] if least[best] >= 1 else places[:0]


def _share(values: Floats, ends: Range, *, log: bool) -> Floats:
    low, high = np.log10(ends) if log else ends
    return ((np.log10(values) if log else values) - low) / ((high - low) or 1.0)


def _back(shares: Floats, ends: Range, *, log: bool) -> Floats:
    low, high = np.log10(ends) if log else ends
    values = low + shares * (high - low)
    return 10**values if log else values
