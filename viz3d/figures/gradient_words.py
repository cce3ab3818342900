"""What the gradient flow chart says in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.alignment import AXES
from viz3d.analysis.layers import FAR
from viz3d.figures.along import ends, place_notes, said_reach, unplaced_note
from viz3d.figures.gradient_data import GradientFlowResult
from viz3d.figures.text import Drawn, count, listed, safe, say, wrapped

STATES = ("vanishing", "exploding")


def subtitle(result: GradientFlowResult) -> Drawn:
    """Return the line under the title."""
    n_layers, n_bins = result.log_norm.shape
    cells = f"{count(n_layers, 'layer')} in model order, {count(n_bins, 'column')}"
    merged = result.grid.steps_per_bin
    if merged > 1:
        cells += f" (each the median of about {say(round(merged, 1))} logged steps)"
    return wrapped(f"{safe(result.run)}: {cells}")


def numbers(result: GradientFlowResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    grid = result.grid
    marked = {s: [n for n, t in zip(grid.names, grid.state, strict=True) if t == s] for s in STATES}
    known = np.where(np.isfinite(grid.final), grid.final, np.nan)
    positive = np.where(known > 0, known, np.nan)
    some = bool(np.isfinite(positive).any())
    low = int(np.nanargmin(positive)) if some else 0
    high = int(np.nanargmax(positive)) if some else 0
    return {
        "layers": len(grid.names),
        "first_step": grid.step[0],
        "last_step": grid.step[-1],
        **ends(result.along, result.x[0], result.x[-1]),
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


def summary(result: GradientFlowResult, said: Mapping[str, Any]) -> str:
    """Return one paragraph that reads well aloud."""
    text = (
        f"Gradient norms of {count(said['layers'], 'layer')} of {result.run}, "
        f"{said_reach(result.along, said)}. "
    )
    if not np.isfinite(said["smallest_norm"]):
        return f"{text}Over the last tenth of the run no layer has a median norm above zero."
    text += (
        f"Over the last tenth of the run the median norm goes from {say(said['smallest_norm'])} in "
        f"{said['smallest_layer']} to {say(said['largest_norm'])} in "
        f"{said['largest_layer']}. "
    )
    for state, side in (("vanishing", "below"), ("exploding", "above")):
        names = said[state]
        verb = "ends" if len(names) == 1 else "end"
        if names:
            text += f"{listed(names)} {verb} {FAR:,.0f} times or more {side} the median layer. "
    if not said["vanishing"] and not said["exploding"]:
        text += f"No layer ends {FAR:,.0f} times below or above the median layer. "
    return text.strip()


def notes(result: GradientFlowResult) -> tuple[str, ...]:
    """Return how the cells were made and what they leave out, with counts."""
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
    columns = len(result.x)
    if hidden := columns - len(np.unique(result.x)):
        notes.append(
            f"{hidden:,} of {columns:,} columns stand at the place of the one before, because "
            f"{AXES[result.along]} did not grow in between: of those the last is seen."
        )
    had = [(result.run, result.places)]
    notes += place_notes(result.along, (), had)
    return (*notes, *unplaced_note(result.along, result.unplaced, "norm"))


def table(result: GradientFlowResult) -> pd.DataFrame:
    """Return one row per layer."""
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
