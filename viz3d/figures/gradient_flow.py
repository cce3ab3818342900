"""Gradient flow: log10 gradient norm over step x layer, one ribbon for each layer.

Layers are separate things, so they are drawn apart: nothing is interpolated between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.analysis.alignment import AXES
from viz3d.figures import style
from viz3d.figures.along import x_hover
from viz3d.figures.budget import compact
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import Frame, padded
from viz3d.figures.gradient_data import KIND, TITLE, GradientFlowResult, compute, compute_each
from viz3d.figures.gradient_tidy import tidy
from viz3d.figures.gradient_words import notes, numbers, subtitle, summary, table
from viz3d.figures.text import Drawn, safe, scene_text
from viz3d.figures.ticks import even_ticks
from viz3d.run import Run

__all__ = [
    "KIND",
    "TITLE",
    "GradientFlowResult",
    "chart",
    "compute",
    "compute_each",
    "draw",
    "draw_flat",
    "finish",
    "gradient_flow",
]

HALF_WIDTH = 0.36
"""Half the width of a ribbon, in layers: wide enough to see, with a gap to its neighbours."""

MOST_TICKS = 24
"""Layer names along an axis before they run into each other."""

LABEL = 24
"""Characters of a layer's name in ticks and hover labels."""

MARKS = {"vanishing": " ▼", "exploding": " ▲", "": ""}


def draw(result: GradientFlowResult, frame: Frame | None = None) -> go.Figure:
    """Draw one ribbon per layer in 3D."""
    frame = frame or result.frame
    x, _, z = frame.known()
    floor, _ = padded(z)
    traces = [_ribbons(result, frame), _lines(result)]
    if (result.grid.norm == 0).any():
        traces.append(_zeros(result, floor))
    scene = style.scene(
        style.axis(AXES[result.along], range=padded(x, share=0.02)),
        style.axis("layer", **_layer_ticks(result, scene_text)),
        style.axis("log10 gradient norm", range=padded(z), **even_ticks(z)),
    )
    return style.figure(traces, style.layout(TITLE, subtitle(result), scene=scene))


def draw_flat(result: GradientFlowResult, frame: Frame | None = None) -> go.Figure:
    """Draw the same cells as a heat map: one row per layer."""
    frame = frame or result.frame
    rows = np.arange(len(result.grid.names))
    cells = go.Heatmap(
        x=compact(result.x),
        y=compact(rows),
        z=compact(result.log_norm),
        customdata=_repeated(_names(result), result.log_norm.shape[1]),
        hovertemplate=f"%{{customdata}}<br>{x_hover(result.along)}<br>"
        "gradient norm 10^%{z:.2f}<extra></extra>",
        **_colors(frame),
    )
    zero = np.where(result.grid.norm == 0, 1.0, np.nan)
    dead = go.Heatmap(
        x=compact(result.x),
        y=compact(rows),
        z=zero.astype(np.float32),
        colorscale=[[0, style.INK], [1, style.INK]],
        showscale=False,
        hovertemplate=f"{x_hover(result.along)}<br>exactly zero<extra></extra>",
    )
    layout = style.flat_layout(
        TITLE,
        subtitle(result),
        style.axis(AXES[result.along], showgrid=False, zeroline=False),
        style.axis("layer", showgrid=False, zeroline=False, **_layer_ticks(result, safe)),
    )
    return style.figure([cells, dead] if np.isfinite(zero).any() else [cells], layout)


def finish(result: GradientFlowResult, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together."""
    said = numbers(result)
    words = Words(table(result), summary(result, said), said, notes(result))
    pictures = draw(result, frame), draw_flat(result, frame)
    data = partial(tidy, result)
    settings = {"along": result.along}
    return assemble(KIND, TITLE, pictures, words, result.origins, settings, data)


def chart(runs: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the gradient-flow chart of one run; see `compute` for settings and errors."""
    return finish(compute(runs, **settings))


def gradient_flow(run: Run | Sequence[Run], **settings: Any) -> go.Figure:
    """Draw log10 gradient norm over step x layer for one run.

    Parameters
    ----------
    run : Run
        With gradient norms per layer.
    along : {"step", "tokens", "flops", "time"}
        What lies across the layers, where the run logged it.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    BadArgument
        If there is no such axis.
    MissingMetric
        If the run recorded no gradient norms per layer.
    ChartError
        If it logged no place along the axis.
    """
    return chart(run, **settings).figure


def _colors(frame: Frame) -> dict[str, Any]:
    low, high = frame.color or (0.0, 1.0)
    names = ("zmin", "zmax")
    return {
        "colorscale": style.SEQUENTIAL,
        "colorbar": style.color_bar("log10 gradient norm"),
        **dict(zip(names, (low, high), strict=True)),
    }


def _ribbons(result: GradientFlowResult, frame: Frame) -> go.Surface:
    """All ribbons as one surface: two rows for each layer and an empty one between layers."""
    n_layers, n_bins = result.log_norm.shape
    z = np.full((n_layers, 3, n_bins), np.nan)
    z[:, :2] = result.log_norm[:, None, :]
    y = np.arange(n_layers)[:, None] + np.array([-HALF_WIDTH, HALF_WIDTH, 0.5])
    low, high = frame.color or (0.0, 1.0)
    return go.Surface(
        x=compact(result.x),
        y=compact(y.ravel()),
        z=compact(z.reshape(-1, n_bins)),
        cmin=low,
        cmax=high,
        colorscale=style.SEQUENTIAL,
        colorbar=style.color_bar("log10 gradient norm"),
        lighting={"ambient": 0.85, "diffuse": 0.3, "specular": 0.02},
        hoverinfo="skip",
    )


def _lines(result: GradientFlowResult) -> go.Scatter3d:
    """Trace the centre of every ribbon; it carries the hover labels."""
    n_layers, n_bins = result.log_norm.shape
    gap = np.full((n_layers, 1), np.nan)
    x = np.broadcast_to(result.x, (n_layers, n_bins))
    row = np.broadcast_to(np.arange(n_layers)[:, None], (n_layers, n_bins + 1))
    return go.Scatter3d(
        x=compact(np.hstack([x, gap]).ravel()),
        y=compact(row.ravel()),
        z=compact(np.hstack([result.log_norm, gap]).ravel()),
        mode="lines",
        line={"color": "rgba(40,40,40,0.55)", "width": 1.5},
        text=[label for label in _names(result) for _ in range(n_bins + 1)],
        hovertemplate=f"%{{text}}<br>{x_hover(result.along)}<br>"
        "gradient norm 10^%{z:.2f}<extra></extra>",
        showlegend=False,
    )


def _zeros(result: GradientFlowResult, floor: float) -> go.Scatter3d:
    layer, column = np.nonzero(result.grid.norm == 0)
    return go.Scatter3d(
        x=compact(result.x[column]),
        y=compact(layer),
        z=compact(np.full(len(layer), floor)),
        mode="markers",
        name="exactly zero",
        marker={"size": 2.5, "color": style.INK, "symbol": "x"},
        text=[_names(result)[i] for i in layer],
        hovertemplate=f"%{{text}}<br>{x_hover(result.along)}<br>exactly zero<extra></extra>",
        showlegend=True,
    )


def _layer_ticks(
    result: GradientFlowResult, written: Callable[[object, int], Drawn]
) -> dict[str, Any]:
    return layer_ticks(result.layer_names, written, result.grid.state)


def layer_ticks(
    labels: Sequence[str], written: Callable[[object, int], Drawn], state: Sequence[str] = ()
) -> dict[str, Any]:
    """Names along the layer axis: marked layers always, of the others as many as fit."""
    n = len(labels)
    every = -(-n // MOST_TICKS)
    states = tuple(state) or ("",) * n
    text = [written(label, LABEL) + MARKS[s] for label, s in zip(labels, states, strict=True)]
    shown = [i for i in range(n) if i % every == 0 or states[i]]
    return {
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": [text[i] for i in shown],
        "range": [-0.6, n - 0.4],
    }


def _names(result: GradientFlowResult) -> list[Drawn]:
    return [safe(label, LABEL) for label in result.layer_names]


def _repeated(labels: list[Drawn], n: int) -> list[list[Drawn]]:
    return [[label] * n for label in labels]
