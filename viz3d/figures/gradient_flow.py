"""Gradient flow: log10 gradient norm over step x layer, one ribbon for each layer.

Layers are separate things, so they are drawn apart: nothing is interpolated between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.layers import BINS, FAR, LayerGrid, layer_grid
from viz3d.errors import ChartError
from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.chart import Chart
from viz3d.figures.frame import Frame, padded, span
from viz3d.figures.needs import as_runs, missing
from viz3d.figures.provenance import origins, plain, stamp
from viz3d.figures.text import count, listed, safe, say, short_names, wrapped
from viz3d.run import Run

KIND = "gradient-flow"
TITLE = "Gradient flow"
MOST_CELLS = 10_000
"""Layers x columns that keep the figure below its limit; deep models get fewer columns."""

HALF_WIDTH = 0.36
"""Half the width of a ribbon, in layers: wide enough to see, with a gap to its neighbours."""

MOST_TICKS = 24
"""Layer names along an axis before they run into each other."""

MARKS = {"vanishing": " ▼", "exploding": " ▲", "": ""}


@dataclass(frozen=True)
class GradientFlowResult:
    """Gradient norms of one run, ready to draw.

    Attributes
    ----------
    run : str
    grid : LayerGrid
    log_norm : ndarray of float64, shape (n_layers, n_bins)
        log10 of the cells; NaN where a cell is exactly zero or nothing was logged.
    origins : tuple of mapping
    """

    run: str
    grid: LayerGrid
    log_norm: NDArray[np.float64]
    origins: tuple[Mapping[str, str], ...]

    @property
    def frame(self) -> Frame:
        """Ranges of step, log10 norm and colour."""
        values = span(self.log_norm)
        return Frame(x=span(self.grid.step), z=values, color=values)

    @property
    def labels(self) -> list[str]:
        """Short, safe names of the layers, in model order."""
        return [safe(name, 28) for name in short_names(list(self.grid.names), r"[./]")]


def compute(runs: Run | Sequence[Run]) -> GradientFlowResult:
    """Lay the gradient norms of one run on a grid.

    Raises
    ------
    MissingMetric
        If no run recorded gradient norms per layer.
    ChartError
        If more than one run did.
    """
    runs = as_runs(runs, TITLE)
    able = [run for run in runs if run.layers is not None and not run.layers.empty]
    if not able:
        raise missing(runs, "layers", TITLE)
    if len(able) > 1:
        names = listed([run.name for run in able])
        raise ChartError(f"{TITLE} shows one run at a time; choose one of {names}.")
    grid = _grid(able[0].layers)
    with np.errstate(divide="ignore"):
        log_norm = np.where(grid.norm > 0, np.log10(grid.norm), np.nan)
    return GradientFlowResult(able[0].name, grid, log_norm, origins(able))


def compute_each(groups: Sequence[Sequence[Run]]) -> list[GradientFlowResult]:
    """Compute several groups, each of one run with gradient norms per layer."""
    return [compute(group) for group in groups]


def draw(result: GradientFlowResult, frame: Frame | None = None) -> go.Figure:
    """Draw one ribbon per layer in 3D."""
    frame = frame or result.frame
    floor, _ = padded(frame.z or (0.0, 1.0))
    traces = [_ribbons(result, frame), _lines(result)]
    if (result.grid.norm == 0).any():
        traces.append(_zeros(result, floor))
    scene = style.scene(
        style.axis("step", range=padded(frame.x or (0.0, 1.0), share=0.02)),
        style.axis("layer", **_layer_ticks(result)),
        style.axis("log10 gradient norm", range=padded(frame.z or (0.0, 1.0))),
    )
    return style.figure(traces, style.layout(TITLE, _subtitle(result), scene=scene))


def draw_flat(result: GradientFlowResult, frame: Frame | None = None) -> go.Figure:
    """Draw the same cells as a heat map: one row per layer."""
    frame = frame or result.frame
    rows = np.arange(len(result.grid.names))
    cells = go.Heatmap(
        x=result.grid.step,
        y=rows,
        z=compact(result.log_norm),
        customdata=_repeated(result.labels, result.log_norm.shape[1]),
        hovertemplate="%{customdata}<br>step %{x:,d}<br>gradient norm 10^%{z:.2f}<extra></extra>",
        **_colors(frame),
    )
    zero = np.where(result.grid.norm == 0, 1.0, np.nan)
    dead = go.Heatmap(
        x=result.grid.step,
        y=rows,
        z=zero.astype(np.float32),
        colorscale=[[0, style.INK], [1, style.INK]],
        showscale=False,
        hovertemplate="step %{x:,d}<br>exactly zero<extra></extra>",
    )
    layout = style.flat_layout(
        TITLE,
        _subtitle(result),
        style.axis("step", showgrid=False, zeroline=False),
        style.axis("layer", showgrid=False, zeroline=False, **_layer_ticks(result)),
    )
    return style.figure([cells, dead] if np.isfinite(zero).any() else [cells], layout)


def finish(result: GradientFlowResult, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together."""
    numbers = _numbers(result)
    settings: dict[str, Any] = {}
    return Chart(
        kind=KIND,
        title=TITLE,
        figure=stamp(draw(result, frame), KIND, result.origins, settings, numbers),
        flat=stamp(draw_flat(result, frame), KIND, result.origins, settings, numbers),
        table=_table(result),
        summary=_summary(result, numbers),
        numbers=plain(numbers),
        notes=_notes(result),
    )


def chart(runs: Run | Sequence[Run]) -> Chart:
    """Make the gradient-flow chart of one run; see `compute` for what it raises."""
    return finish(compute(runs))


def gradient_flow(run: Run | Sequence[Run]) -> go.Figure:
    """Draw log10 gradient norm over step x layer for one run.

    Parameters
    ----------
    run : Run
        With gradient norms per layer.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    MissingMetric
        If the run recorded no gradient norms per layer.
    """
    return chart(run).figure


def _grid(layers: pd.DataFrame | None) -> LayerGrid:
    if layers is None:
        raise ValueError("The run has no table of layers.")
    bins = int(np.clip(MOST_CELLS // layers["layer"].nunique(), 2, BINS))
    return layer_grid(layers, bins=bins)


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
        x=compact(result.grid.step),
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
    step = np.broadcast_to(result.grid.step.astype(float), (n_layers, n_bins))
    row = np.broadcast_to(np.arange(n_layers)[:, None], (n_layers, n_bins + 1))
    return go.Scatter3d(
        x=compact(np.hstack([step, gap]).ravel()),
        y=compact(row.ravel()),
        z=compact(np.hstack([result.log_norm, gap]).ravel()),
        mode="lines",
        line={"color": "rgba(40,40,40,0.55)", "width": 1.5},
        text=[label for label in result.labels for _ in range(n_bins + 1)],
        hovertemplate="%{text}<br>step %{x:,d}<br>gradient norm 10^%{z:.2f}<extra></extra>",
        showlegend=False,
    )


def _zeros(result: GradientFlowResult, floor: float) -> go.Scatter3d:
    layer, column = np.nonzero(result.grid.norm == 0)
    return go.Scatter3d(
        x=compact(result.grid.step[column]),
        y=compact(layer),
        z=compact(np.full(len(layer), floor)),
        mode="markers",
        name="exactly zero",
        marker={"size": 2.5, "color": style.INK, "symbol": "x"},
        text=[result.labels[i] for i in layer],
        hovertemplate="%{text}<br>step %{x:,d}<br>exactly zero<extra></extra>",
        showlegend=True,
    )


def _layer_ticks(result: GradientFlowResult) -> dict[str, Any]:
    """Names along the layer axis: marked layers always, of the others as many as fit."""
    n = len(result.labels)
    every = -(-n // MOST_TICKS)
    named = zip(result.labels, result.grid.state, strict=True)
    text = [label + MARKS[state] for label, state in named]
    shown = [i for i in range(n) if i % every == 0 or result.grid.state[i]]
    return {
        "tickmode": "array",
        "tickvals": shown,
        "ticktext": [text[i] for i in shown],
        "range": [-0.6, n - 0.4],
    }


def _repeated(labels: list[str], n: int) -> list[list[str]]:
    return [[label] * n for label in labels]


def _subtitle(result: GradientFlowResult) -> str:
    n_layers, n_bins = result.log_norm.shape
    cells = f"{count(n_layers, 'layer')} in model order, {count(n_bins, 'column')}"
    merged = result.grid.steps_per_bin
    if merged > 1:
        cells += f" (each the median of about {say(round(merged, 1))} logged steps)"
    return wrapped(f"{safe(result.run)}: {cells}")


def _numbers(result: GradientFlowResult) -> dict[str, Any]:
    grid = result.grid
    marked = {s: [n for n, t in zip(grid.names, grid.state, strict=True) if t == s] for s in MARKS}
    known = np.where(np.isfinite(grid.final), grid.final, np.nan)
    positive = np.where(known > 0, known, np.nan)
    some = bool(np.isfinite(positive).any())
    low = int(np.nanargmin(positive)) if some else 0
    high = int(np.nanargmax(positive)) if some else 0
    return {
        "layers": len(grid.names),
        "first_step": grid.step[0],
        "last_step": grid.step[-1],
        "smallest_layer": grid.names[low],
        "smallest_norm": positive[low],
        "largest_layer": grid.names[high],
        "largest_norm": positive[high],
        "vanishing": marked["vanishing"],
        "exploding": marked["exploding"],
        "rows": grid.rows,
        "zeros": grid.zeros,
        "nonfinite": grid.nonfinite,
    }


def _summary(result: GradientFlowResult, numbers: Mapping[str, Any]) -> str:
    text = (
        f"Gradient norms of {count(numbers['layers'], 'layer')} of {result.run}, steps "
        f"{numbers['first_step']:,} to {numbers['last_step']:,}. Over the last tenth of the run "
        f"the median norm goes from {say(numbers['smallest_norm'])} in "
        f"{numbers['smallest_layer']} to {say(numbers['largest_norm'])} in "
        f"{numbers['largest_layer']}. "
    )
    for state, side in (("vanishing", "below"), ("exploding", "above")):
        names = numbers[state]
        verb = "ends" if len(names) == 1 else "end"
        if names:
            text += f"{listed(names)} {verb} {FAR:,.0f} times or more {side} the median layer. "
    if not numbers["vanishing"] and not numbers["exploding"]:
        text += f"No layer ends {FAR:,.0f} times below or above the median layer. "
    return text.strip()


def _notes(result: GradientFlowResult) -> tuple[str, ...]:
    grid = result.grid
    notes = [
        f"Each cell is the median of the norms logged in its range of steps; {grid.rows:,} rows "
        f"in {grid.norm.shape[0]:,} x {grid.norm.shape[1]:,} cells. Nothing is smoothed across "
        "layers.",
        "A layer is marked as vanishing (▼) or exploding (▲) when its median over the last tenth "
        f"of the steps is {FAR:,.0f} times below or above the median layer.",
    ]
    if grid.zeros:
        notes.append(
            f"{grid.zeros:,} of {grid.rows:,} norms are exactly zero; they have no logarithm and "
            "are marked, not drawn as a height."
        )
    if grid.nonfinite:
        notes.append(f"{grid.nonfinite:,} of {grid.rows:,} norms are not finite and not drawn.")
    return tuple(notes)


def _table(result: GradientFlowResult) -> pd.DataFrame:
    grid = result.grid
    norm = pd.DataFrame(grid.norm)
    return pd.DataFrame(
        {
            "layer": grid.names,
            "median at the end": grid.final,
            "smallest": norm.min(axis=1),
            "largest": norm.max(axis=1),
            "zero cells": (norm == 0).sum(axis=1),
            "mark": grid.state,
        }
    )
