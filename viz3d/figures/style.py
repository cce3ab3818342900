"""Looks that all charts share: colours, fonts, axes, margins.

Backgrounds are transparent and the ink is a mid grey that reads on white and on black, so that one
figure serves light and dark pages. Colour maps are perceptually uniform, run colours are those of
Okabe and Ito; both stay apart for colour-blind readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from viz3d.figures.text import Drawn

INK = "#767676"
"""Contrast of 4.5 to 1 on white and 4.6 to 1 on black."""

GRID = "#b4b4b4"
FAINT = "#b0b0b0"
PAPER = "rgba(255,255,255,0.75)"
"""Lines on top of a heat map, whose dark and light colours both carry it."""

PATH = "#8c8c8c"
BEST = "#E6308A"
"""The valley of the best learning rate: a hue that Viridis does not have."""

ALARM = "#D55E00"
"""Pins of bad steps; the vermilion of Okabe and Ito."""

ODD = "#CC79A7"
"""Pins of spikes and drops; their reddish purple."""

CALM = "#56B4E9"
"""Pins of plateaus and restarts; their sky blue."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SEQUENTIAL = "Viridis"
STEPS = "Cividis"
DIVERGING = "balance"
"""Blue to red through a pale grey, of cmocean (Thyng and others 2016): even to the eye on both
sides, and told apart by colour-blind readers."""

RUNS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A700")

GROUPS = (*RUNS, INK)
"""Colours of up to eight groups in one scene."""

SHADES = (0.2, 0.9)
"""Part of the scale for runs: its ends are lost on a dark page and on a white one."""

MOST_NAMED = 12
"""Runs that are drawn one by one, each with an entry in the legend; more share their traces."""

CAMERA = {"eye": {"x": -1.46, "y": -1.58, "z": 0.95}, "center": {"x": 0, "y": 0, "z": -0.16}}


def run_color(i: int, n: int) -> str:
    """Colour of run `i` of `n`: a hue of its own while there are few, else a shade by its place."""
    if n <= len(RUNS):
        return RUNS[i]
    first, last = SHADES
    return str(sample_colorscale(SEQUENTIAL, [first + (last - first) * i / (n - 1)])[0])


def named(n: int) -> bool:
    """Whether `n` runs get a legend entry each; a single one needs none."""
    return 1 < n <= MOST_NAMED


def axis(title: Drawn, **more: Any) -> dict[str, Any]:
    """Return an axis of a scene or of a flat chart."""
    return {
        "title": {"text": title, "font": {"size": 13}},
        "color": INK,
        "gridcolor": GRID,
        "zerolinecolor": GRID,
        "tickfont": {"size": 11},
        **more,
    }


def scene(x: dict[str, Any], y: dict[str, Any], z: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a 3D scene with the common camera and no painted walls."""
    walls = {"showbackground": False, "showspikes": False}
    return {
        "xaxis": {**x, **walls},
        "yaxis": {**y, **walls},
        "zaxis": {**z, **walls},
        "camera": CAMERA,
        "aspectmode": "manual",
        "aspectratio": {"x": 1.25, "y": 1.1, "z": 0.75},
        **more,
    }


def color_bar(title: Drawn, **more: Any) -> dict[str, Any]:
    """Return a slim bar above the plot, where it takes no width from it, on a phone either."""
    return {
        "title": {"text": title, "side": "top", "font": {"size": 12}},
        "orientation": "h",
        "thickness": 8,
        "len": 0.9,
        "x": 0.5,
        "xanchor": "center",
        "y": 1.0,
        "yanchor": "bottom",
        "outlinewidth": 0,
        "tickfont": {"size": 11, "color": INK},
        "ypad": 2,
        "nticks": 7,
        **more,
    }


def layout(title: Drawn, subtitle: Drawn = "", **more: Any) -> dict[str, Any]:
    """Return the layout that all charts start from.

    The legend lies below the plot, in as many rows as it needs, so that it covers nothing.
    """
    return {
        "title": {
            "text": f'{title}<br><span style="font-size:12px">{subtitle}</span>',
            "font": {"size": 16},
            "x": 0.01,
            "xanchor": "left",
            # Measured from the plot, so that the distance stays when the page sets the height.
            "yref": "paper",
            "y": 1,
            "yanchor": "bottom",
            "pad": {"b": 76},
        },
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 8, "t": 130, "b": 8},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -0.02,
            "yanchor": "top",
            "font": {"size": 11},
            "itemsizing": "constant",
        },
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "align": "left", "namelength": -1},
        "height": 540,
        **more,
    }


def flat_layout(
    title: Drawn, subtitle: Drawn, x: dict[str, Any], y: dict[str, Any]
) -> dict[str, Any]:
    """Return the layout of a 2D twin: the same, with room for ticks."""
    line = {"automargin": True, "showline": False, "ticks": "outside", "ticklen": 4}
    shared = layout(title, subtitle, xaxis={**line, **x}, yaxis={**line, **y})
    return {
        **shared,
        "margin": {"l": 56, "r": 12, "t": 130, "b": 48},
        "legend": {**shared["legend"], "y": -0.18},
    }


def figure(traces: Sequence[Any], layout: dict[str, Any]) -> go.Figure:
    """Build a figure without Plotly's default template, which would paint backgrounds."""
    built = go.Figure(layout={"template": "none", **layout})
    built.add_traces(list(traces))
    return built
