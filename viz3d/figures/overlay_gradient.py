"""Gradient flows of several groups in one scene: each run a ribbon of its own beside the others.

The ribbons of one layer share its place along the axis and lie side by side, so that none hides or
crosses another. Nothing is drawn between layers, and nothing where a run has no such layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.alignment import AXES
from viz3d.figures import gradient_tidy, gradient_words, style
from viz3d.figures.along import x_hover
from viz3d.figures.budget import compact
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import padded
from viz3d.figures.gradient_data import TITLE
from viz3d.figures.gradient_flow import HALF_WIDTH, LABEL, layer_ticks
from viz3d.figures.grouped import Groups, by_group, in_group, overlaid
from viz3d.figures.overlay_gradient_data import Flow, GradientOverlay, compute
from viz3d.figures.overlay_gradient_words import notes, numbers, subtitle, summary
from viz3d.figures.text import Drawn, safe, say, scene_text, short_layers
from viz3d.figures.ticks import even_ticks
from viz3d.run import Run

OVERLAID = f"{TITLE}, overlaid"

MOST_RIBBONS = 16
"""Runs that are drawn as ribbons; more would be as thin as lines, and are lines."""

GAP = 0.1
"""Share of a ribbon's place that stays empty beside it."""

BAND = 0.42
"""Half the height of a layer's band in the 2D twin."""

EDGE = "rgba(118, 118, 118, 0.35)"
"""Lines between the bands, faint on white and on black."""

PER_LAYER = 26
"""Pixels of a layer's band at least."""

Floats = NDArray[np.floating[Any]]


def check(runs: Sequence[Run], kind: str, *, along: str = "step") -> None:
    """Raise the `ChartError` that keeps a group of runs out of the chart, if there is one."""
    compute({kind: runs}, along)


def overlay(groups: Groups, kind: str, *, along: str = "step") -> Chart:
    """Draw the gradient flows of groups; see `viz3d.figures.overlay.chart`."""
    result = compute(groups, along)
    origins = [origin for flow in result.flows for origin in flow.found.origins]
    words = Words(_table(result), summary(result), numbers(result), notes(result))
    pictures = draw(result), draw_flat(result)
    data = partial(_data, result)
    settings = {"along": along, **overlaid(groups)}
    return assemble(kind, OVERLAID, pictures, words, origins, settings, data)


def draw(result: GradientOverlay) -> go.Figure:
    """Draw one ribbon for each layer of each run in 3D."""
    x, _, z = result.frame.known()
    n = len(result.flows)
    ribbons = n <= MOST_RIBBONS
    traces: list[Any] = []
    for i, flow in enumerate(result.flows):
        place = HALF_WIDTH * ((2 * i + 1) / n - 1)
        if ribbons:
            traces.append(_ribbons(result, flow, flow.lane + place, HALF_WIDTH / n * (1 - GAP)))
        traces.append(_line(result, flow, flow.lane + place, bold=not ribbons))
        traces += _zeros(result, flow, flow.lane + place, padded(z)[0])
    scene = style.scene(
        style.axis(AXES[result.along], range=padded(x, share=0.02)),
        style.axis("layer", **layer_ticks(_labels(result), scene_text)),
        style.axis("log10 gradient norm", range=padded(z), **even_ticks(z)),
    )
    return style.figure(traces, style.layout(OVERLAID, subtitle(result), scene=scene))


def draw_flat(result: GradientOverlay) -> go.Figure:
    """Draw the same cells as curves in a band for each layer, all bands on one range of norms."""
    x, _, z = result.frame.known()
    low, high = z
    traces: list[Any] = []
    for flow in result.flows:
        share = (flow.found.log_norm - low) / ((high - low) or 1.0)
        at, height = _joined(flow, flow.lane[:, None] + BAND * (2 * share - 1))
        norm = _joined(flow, flow.found.log_norm)[1]
        curves = go.Scatter(
            x=compact(at),
            y=compact(height),
            customdata=compact(norm),
            mode="lines",
            line={"color": style.GROUPS[flow.group], "width": 1.8},
            text=_said(flow),
            hovertemplate=_hover(result, flow, "customdata"),
            **_entry(result, flow),
        )
        traces += [curves, *_flat_zeros(result, flow)]
    n = len(result.layers)
    ends = [say(float(f"{10**end:.2g}")) for end in z]
    axis = f"layer; in each, norms from {ends[0]} to {ends[1]}, log"
    edges = {"tickvals": np.arange(-0.5, n).tolist(), "showgrid": True, "gridcolor": EDGE}
    layers = style.axis(axis, showgrid=False, zeroline=False, minor=edges)
    layout = style.flat_layout(
        OVERLAID,
        subtitle(result),
        style.axis(AXES[result.along], range=padded(x, share=0.02), showgrid=False, zeroline=False),
        {**layers, **layer_ticks(_labels(result), safe)},
    )
    return style.figure(traces, {**layout, "height": max(layout["height"], 180 + PER_LAYER * n)})


def _ribbons(result: GradientOverlay, flow: Flow, place: Floats, half: float) -> go.Surface:
    """All ribbons of a run as one surface: two rows for each layer and an empty one between."""
    n_layers, n_bins = flow.found.log_norm.shape
    order = np.argsort(place)
    z = np.full((n_layers, 3, n_bins), np.nan)
    z[:, :2] = flow.found.log_norm[order, None, :]
    y = place[order, None] + np.array([-half, half, 1.5 * half])
    color = style.GROUPS[flow.group]
    return go.Surface(
        x=compact(flow.found.x),
        y=compact(y.ravel()),
        z=compact(z.reshape(-1, n_bins)),
        surfacecolor=np.zeros((3 * n_layers, n_bins), dtype=np.uint8),
        cmin=0,
        cmax=1,
        colorscale=[[0, color], [1, color]],
        showscale=False,
        lighting={"ambient": 0.75, "diffuse": 0.5, "specular": 0.02},
        hoverinfo="skip",
        **_entry(result, flow),
    )


def _line(result: GradientOverlay, flow: Flow, place: Floats, *, bold: bool) -> go.Scatter3d:
    """Trace the centre of every ribbon; it carries the hover labels."""
    x, norm = _joined(flow, flow.found.log_norm)
    entry = _entry(result, flow)
    return go.Scatter3d(
        x=compact(x),
        y=compact(np.repeat(place, flow.found.log_norm.shape[1] + 1)),
        z=compact(norm),
        mode="lines",
        line={"color": style.GROUPS[flow.group] if bold else "rgba(40,40,40,0.55)", "width": 1.5},
        text=_said(flow),
        hovertemplate=_hover(result, flow, "z"),
        **{**entry, "showlegend": entry["showlegend"] and bold},
    )


def _zeros(result: GradientOverlay, flow: Flow, place: Floats, floor: float) -> list[go.Scatter3d]:
    layer, column = np.nonzero(flow.found.grid.norm == 0)
    if not len(layer):
        return []
    z = compact(np.full(len(layer), floor))
    look = _zero_marks(result, flow, layer, column, 2.5)
    return [go.Scatter3d(y=compact(place[layer]), z=z, **look)]


def _flat_zeros(result: GradientOverlay, flow: Flow) -> list[go.Scatter]:
    layer, column = np.nonzero(flow.found.grid.norm == 0)
    if not len(layer):
        return []
    look = _zero_marks(result, flow, layer, column, 5)
    return [go.Scatter(y=compact(flow.lane[layer] - BAND), **look)]


def _zero_marks(
    result: GradientOverlay,
    flow: Flow,
    layer: NDArray[np.intp],
    column: NDArray[np.intp],
    size: float,
) -> dict[str, Any]:
    """Return what the marks of norms that are exactly zero share in both pictures."""
    names = [safe(label, LABEL) for label in flow.found.layer_names]
    return {
        "x": compact(flow.found.x[column]),
        "mode": "markers",
        "marker": {"size": size, "color": style.GROUPS[flow.group], "symbol": "x"},
        "text": [names[i] for i in layer],
        "hovertemplate": _hover(result, flow, ""),
        **_entry(result, flow),
        "name": "exactly zero",
        "showlegend": False,
    }


def _joined(flow: Flow, rows: Floats) -> tuple[Floats, Floats]:
    """Return place and value of all layers of a run as one line with gaps."""
    gap = np.full((len(rows), 1), np.nan)
    x = np.broadcast_to(flow.found.x, rows.shape)
    return np.hstack([x, gap]).ravel(), np.hstack([rows, gap]).ravel()


def _said(flow: Flow) -> list[Drawn]:
    n_bins = flow.found.log_norm.shape[1]
    return [safe(label, LABEL) for label in flow.found.layer_names for _ in range(n_bins + 1)]


def _hover(result: GradientOverlay, flow: Flow, norm: Drawn) -> Drawn:
    """Return the hover label; without a place of the norm it is exactly zero."""
    alone = len(result.of_group(flow.group)) == 1
    name = in_group(result.titles[flow.group], safe(flow.found.run, 24), alone)
    said = f"gradient norm 10^%{{{norm}:.2f}}" if norm else "exactly zero"
    return f"{name}<br>%{{text}}<br>{x_hover(result.along)}<br>{said}<extra></extra>"


def _entry(result: GradientOverlay, flow: Flow) -> dict[str, Any]:
    """Name the group in the legend once; its entry switches all of its runs."""
    return {
        "name": safe(result.titles[flow.group]),
        "legendgroup": f"group {flow.group:d}",
        "showlegend": flow is result.of_group(flow.group)[0],
    }


def _labels(result: GradientOverlay) -> list[str]:
    return short_layers(list(result.layers))


def _table(result: GradientOverlay) -> pd.DataFrame:
    tables = []
    for flow in result.flows:
        table = gradient_words.table(flow.found)
        table.insert(0, "run", flow.found.run)
        tables.append(table)
    return by_group([result.titles[flow.group] for flow in result.flows], tables)


def _data(result: GradientOverlay) -> pd.DataFrame:
    """Return the long tables of all runs below each other, ``group`` after ``part``."""
    titles = [result.titles[flow.group] for flow in result.flows]
    return by_group(titles, [gradient_tidy.tidy(flow.found) for flow in result.flows], place=1)
