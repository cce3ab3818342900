"""Curves: one metric of several runs on one axis, along the step, tokens, FLOPs or time.

The runs may come from several sources, with steps of different sizes; along what they trained on,
what it cost or how long it took they can be compared all the same, where they logged that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from viz3d.analysis.alignment import AXES
from viz3d.figures import style
from viz3d.figures.along import place_hover, place_notes, place_source, said_place
from viz3d.figures.budget import compact, shares, thin, told
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.curves_data import KIND, TITLE, Curve, CurvesResult, compute, compute_each, tidy
from viz3d.figures.frame import Frame, padded
from viz3d.figures.text import count, in_words, listed, safe, say
from viz3d.figures.ticks import log_ticks
from viz3d.run import Run

__all__ = [
    "KIND",
    "TITLE",
    "CurvesResult",
    "chart",
    "compute",
    "compute_each",
    "curves",
    "draw",
    "finish",
]


def draw(result: CurvesResult, frame: Frame | None = None) -> go.Figure:
    """Draw all curves in one plane; there is no third axis."""
    x, _, z = (frame or result.frame).known()
    log = (frame or result.frame).log
    name = safe(in_words(result.metric))
    layout = style.flat_layout(
        TITLE,
        f"{name} along {AXES[result.along]}",
        style.axis(AXES[result.along], range=padded(x, share=0.02), zeroline=False),
        style.axis(name, range=padded(z, log=log), zeroline=False, **(log_ticks(z) if log else {})),
    )
    drawn = _drawn(result)
    n = len(result.curves)
    traces = [_trace(result, i, kept, style.run_color(i, n)) for i, kept in enumerate(drawn)]
    return style.figure(traces, layout)


def finish(result: CurvesResult, frame: Frame | None = None) -> Chart:
    """Put the picture, the table and the words together."""
    words = Words(table(result), summary(result), numbers(result), notes(result))
    picture = draw(result, frame)
    data = partial(tidy, result)
    return assemble(
        KIND, TITLE, (picture, picture), words, result.origins, result.settings, data
    )  # fmt: skip


def chart(runs: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the curves chart of some runs; see `compute` for settings and errors."""
    return finish(compute(runs, **settings))


def curves(runs: Run | Sequence[Run], **settings: Any) -> go.Figure:
    """Draw a metric of several runs on one axis.

    Parameters
    ----------
    runs : Run or sequence of Run
    metric : str
        Role or metric; by default the loss.
    along : {"step", "tokens", "flops", "time"}
        Runs that did not log it are left out.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    BadArgument
        If there is no such axis.
    ChartError
        If no run logged both the metric and its place on the axis.
    """
    return chart(runs, **settings).flat


def by_then(curve: Curve, x: float) -> float:
    """Return the last value that a run had logged when it was as far as `x`."""
    at = int(np.searchsorted(curve.x, x, side="right")) - 1
    return float(curve.value[at]) if at >= 0 else float("nan")


def place(result: CurvesResult) -> str:
    """Say how far along the axis all runs came, in words."""
    return said_place(result.along, result.common)


def table(result: CurvesResult) -> pd.DataFrame:
    """Return one row per run: where it ended, and what it had where the shortest one ended."""
    name = in_words(result.metric)
    return pd.DataFrame(
        {
            "run": [curve.run for curve in result.curves],
            "points": [len(curve.x) for curve in result.curves],
            f"last {AXES[result.along]}": [float(curve.x[-1]) for curve in result.curves],
            f"last {name}": [float(curve.value[-1]) for curve in result.curves],
            f"{name} at {place(result)}": [by_then(c, result.common) for c in result.curves],
            "from": [place_source(curve.places) for curve in result.curves],
        }
    )


def summary(result: CurvesResult) -> str:
    """Say how far the runs came and where each stood when the shortest one ended."""
    name, axis = in_words(result.metric), AXES[result.along]
    said = f"{name.capitalize()} of {count(len(result.curves), 'run')} along {axis}."
    stood = sorted((by_then(c, result.common), c.run) for c in result.curves)
    stood = [(value, run) for value, run in stood if np.isfinite(value)]
    if len(stood) > 1:
        (low, first), (high, last) = stood[0], stood[-1]
        said += (
            f" At {place(result)}, as far as all of them came, the last value logged "
            f"was lowest in {first} ({say(low)}) and highest in {last} ({say(high)})."
        )
    if result.left_out:
        names = [name for name, _ in result.left_out]
        said += f" Left out, for want of a finite value with a place on the axis: {listed(names)}."
    return said


def numbers(result: CurvesResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    return {
        "along": result.along,
        "metric": result.metric,
        "common": result.common,
        "by_then": {curve.run: by_then(curve, result.common) for curve in result.curves},
        "left_out": [name for name, _ in result.left_out],
    }


def notes(result: CurvesResult) -> tuple[str, ...]:
    """Say where the places come from, which runs have none, and what is not drawn."""
    had = [(curve.run, curve.places) for curve in result.curves]
    said = place_notes(result.along, result.left_out, had)
    for curve in result.curves:
        if curve.unplaced:
            lost = count(curve.unplaced, "value")
            said.append(f"{curve.run}: {lost} at steps whose place along the axis was not logged.")
        if curve.bad:
            said.append(f"{curve.run}: {count(curve.bad, 'value')} logged as NaN or infinity.")
    shown = sum(map(len, _drawn(result)))
    total = sum(len(curve.x) for curve in result.curves)
    return (*said, f"Drawn are {told(shown, total)}.")


def _drawn(result: CurvesResult) -> list[np.ndarray]:
    """Return which points of each curve are drawn."""
    allowed = shares([len(curve.x) for curve in result.curves])
    return [thin(c.step, c.value, n) for c, n in zip(result.curves, allowed, strict=True)]


def _trace(result: CurvesResult, i: int, kept: np.ndarray, color: str) -> go.Scatter:
    curve = result.curves[i]
    name = safe(in_words(result.metric))
    return go.Scatter(
        x=compact(curve.x[kept]),
        y=compact(curve.value[kept]),
        customdata=compact(curve.step[kept].astype(np.float64)),
        mode="lines" if len(kept) > 1 else "markers",
        name=curve.label,
        showlegend=style.named(len(result.curves)),
        line={"color": color, "width": 2},
        hovertemplate=f"{safe(curve.run)}<br>{place_hover(result.along, 'customdata')}"
        f"<br>{name} %{{y:.4~g}}<extra></extra>",
    )
