"""Draw many runs in one trace: a browser draws that far faster than a trace for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.stretches import MOST
from viz3d.figures import style
from viz3d.figures.budget import PER_CROWD, compact

Floats = NDArray[np.float64]


def stretches(n_runs: int) -> int:
    """Return how many stretches each of so many runs may show."""
    return min(MOST, max(4, PER_CROWD // n_runs))


def crowd(
    parts: Sequence[Floats], labels: Sequence[str], hover: str, *, width: float, opacity: float = 1
) -> go.Scatter3d:
    """Return the lines of many runs as one trace with gaps between them.

    Parameters
    ----------
    parts : sequence of ndarray, each of shape (n, 4)
        The three coordinates and the step of each run's points.
    labels : sequence of str
        Safe names, one per run; empty for lines without a hover label.
    hover : str
        Hover template; ``%{text}`` is the run and ``%{customdata}`` the step.
    width, opacity : float
        Of the lines, which are shaded by the place of the run.
    """
    gap = np.full((1, 4), np.nan)
    points = np.vstack([row for part in parts for row in (part, gap)])
    place = np.repeat(np.arange(len(parts)), [len(part) + 1 for part in parts])
    said: dict[str, Any] = {"hoverinfo": "skip"}
    if labels:
        said = {
            "hovertemplate": hover,
            "text": [labels[int(i)] for i in place],
            "customdata": compact(points[:, 3]),
        }
    return go.Scatter3d(
        x=compact(points[:, 0]),
        y=compact(points[:, 1]),
        z=compact(points[:, 2]),
        mode="lines",
        name=f"{len(parts):,} runs",
        line={"color": compact(place), "colorscale": style.SEQUENTIAL, "width": width},
        opacity=opacity,
        showlegend=False,
        **said,
    )
