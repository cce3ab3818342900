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
from viz3d.figures.text import Drawn

Floats = NDArray[np.float64]


def stretches(n_runs: int) -> int:
    """Return how many stretches each of so many runs may show."""
    return min(MOST, max(4, PER_CROWD // n_runs))


def place_scale(names: Sequence[Drawn], *, bar: bool = True) -> dict[str, Any]:
    """Return colour settings of lines that are shaded by the place of their run.

    Parameters
    ----------
    names : sequence of str
        Of the runs.
    bar : bool
        Whether a bar tells the places; it names the first and the last run.
    """
    last = len(names) - 1
    look = {"colorscale": style.SEQUENTIAL, "cmin": 0, "cmax": last, "showscale": bar}
    if not bar:
        return look
    places = sorted({round(share * last) for share in (0, 0.25, 0.5, 0.75, 1)})
    ticks = {"tickmode": "array", "tickvals": places, "ticktext": [f"{k + 1:,}" for k in places]}
    # Two lines, or the names would not fit on a phone.
    title = f"run 1: {names[0]}<br>to run {last + 1:,}: {names[-1]}"
    return {**look, "colorbar": style.color_bar(title, **ticks)}


def crowd(
    parts: Sequence[Floats],
    labels: Sequence[Drawn],
    hover: Drawn,
    *,
    width: float,
    opacity: float = 1,
    bar: bool = False,
) -> go.Scatter3d:
    """Return the lines of many runs as one trace with gaps between them.

    Parameters
    ----------
    parts : sequence of ndarray, each of shape (n, 4)
        The three coordinates and the step of each run's points.
    labels : sequence of str
        Names, one per run; empty for lines without a hover label.
    hover : str
        Hover template; ``%{text}`` is the run and ``%{customdata}`` the step.
    width, opacity : float
        Of the lines, which are shaded by the place of the run.
    bar : bool
        Whether a colour bar tells which run is which; it needs the labels.
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
        line={
            "color": compact(place),
            "width": width,
            **place_scale(labels or [""] * len(parts), bar=bar),
        },
        opacity=opacity,
        showlegend=False,
        **said,
    )
