"""Each run's own curve, thinned within the common budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.curves import Curve
from viz3d.figures import style
from viz3d.figures.along import place_hover
from viz3d.figures.budget import PER_CROWD, PER_FIGURE, compact, shares, thin
from viz3d.figures.text import Drawn, count, safe, say, short_names

Floats = NDArray[np.float64]

LABEL = 24
"""Characters of a run's name in the legend, so that two entries fit side by side on a phone."""

MANY = {"color": style.PATH, "width": 2.5}
"""The line of each of so many runs that colours would not tell them apart."""


@dataclass(frozen=True)
class Path:
    """The points of a curve that are drawn.

    Attributes
    ----------
    run : str
        The run's full name.
    label : str
        What a legend shows: short, the peak rate where that tells the runs apart.
    hover : str
        What a hover label shows: the run's name.
    step : ndarray of int64, shape (n,)
    x : ndarray of float64, shape (n,)
        Places of the steps along the axis.
    rate, loss : ndarray of float64, shape (n,)
        NaN where the line has a gap.
    total : int
        Points before thinning.
    superseded : bool
        Whether a restart replaced these rows.
    """

    run: str
    label: Drawn
    hover: Drawn
    step: NDArray[np.int64]
    x: Floats
    rate: Floats
    loss: Floats
    total: int
    superseded: bool = False


def thin_paths(curves: Sequence[Curve], *, by_rate: bool) -> tuple[Path, ...]:
    """Thin curves to the points that one figure may hold, every extreme kept.

    Parameters
    ----------
    curves : sequence of Curve
    by_rate : bool
        Whether labels begin with the rate, because that is what tells the runs apart.
    """
    budget = PER_FIGURE if len(curves) <= style.MOST_NAMED else PER_CROWD
    allowed = shares([len(curve.step) for curve in curves], budget)
    labels = _labels(curves, by_rate=by_rate)
    return tuple(map(_thinned, curves, labels, allowed))


def _labels(curves: Sequence[Curve], *, by_rate: bool) -> list[tuple[Drawn, Drawn]]:
    """Label and hover label of each curve."""
    names = [safe(run, LABEL) for run in short_names([curve.run for curve in curves])]
    rates = [say(curve.rate[0]) for curve in curves]
    if by_rate and len(set(rates)) == len({curve.run for curve in curves}):
        labels = rates
    elif by_rate:
        labels = [f"{rate}: {name}" for rate, name in zip(rates, names, strict=True)]
    else:
        labels = names
    crowd = len(curves) > style.MOST_NAMED
    titles = [name if crowd else safe(curve.run) for curve, name in zip(curves, names, strict=True)]
    return [
        (label, title) if n is None else (f"{label}, attempt {n:d}", f"{title}, attempt {n:d}")
        for label, title, n in zip(labels, titles, (c.attempt for c in curves), strict=True)
    ]


def _thinned(curve: Curve, names: tuple[Drawn, Drawn], n_out: int) -> Path:
    loss = np.where(np.isfinite(curve.loss), curve.loss, np.nan)
    kept = thin(curve.x, loss, n_out)
    return Path(
        run=curve.run,
        label=names[0],
        hover=names[1],
        step=curve.step[kept],
        x=curve.x[kept],
        rate=curve.rate[kept],
        loss=loss[kept],
        total=len(loss),
        superseded=curve.attempt is not None,
    )


def path_traces(paths: Sequence[Path], rate_title: Drawn, along: str) -> list[go.Scatter3d]:
    """Draw paths in the scene: few runs in their own colours, many in one ink."""
    where = place_hover(along, "customdata")
    hover = f"{where}<br>{rate_title} %{{y:.3~g}}<br>loss %{{z:.4~g}}<extra></extra>"
    current = [path for path in paths if not path.superseded]
    if len(current) > style.MOST_NAMED:
        return [_together(current, hover, along), *_dashed(paths, hover, along)]
    few = len(current) <= len(style.RUNS)
    lines = [
        go.Scatter3d(
            x=compact(path.x),
            y=compact(path.rate),
            z=compact(path.loss),
            **_steps(path.step, along),
            mode="lines",
            name=path.label,
            line={"color": style.run_color(i, len(current)), "width": 4} if few else MANY,
            showlegend=few,
            hovertemplate=f"{path.hover}<br>{hover}",
        )
        for i, path in enumerate(current)
    ]
    return [*lines, *_dashed(paths, hover, along)]


def flat_path_traces(paths: Sequence[Path], rate_title: Drawn, along: str) -> list[go.Scatter]:
    """Draw where each path lies in the plane of the first two axes."""
    alone = along == "step"
    loss = "customdata" if alone else "customdata[0]"
    where = place_hover(along, "customdata[1]")
    current = [path for path in paths if not path.superseded]
    few = len(current) <= len(style.RUNS)
    return [
        go.Scatter(
            x=compact(path.x),
            y=compact(path.rate),
            customdata=compact(path.loss if alone else np.column_stack([path.loss, path.step])),
            mode="lines",
            name=path.label,
            line={"color": style.run_color(i, len(current)) if few else style.PAPER, "width": 1.5},
            showlegend=few,
            hovertemplate=f"{path.hover}<br>{where}<br>{rate_title} %{{y:.3~g}}<br>"
            f"loss %{{{loss}:.4~g}}<extra></extra>",
        )
        for i, path in enumerate(current)
    ]


def _steps(step: NDArray, along: str) -> dict[str, Any]:
    """Return the steps for hover labels, where they are not x themselves."""
    return {} if along == "step" else {"customdata": compact(step)}


def _together(paths: Sequence[Path], hover: Drawn, along: str) -> go.Scatter3d:
    """Put many paths into one trace with gaps between them: a browser draws that far faster."""
    gap = [np.nan]
    return go.Scatter3d(
        x=compact(np.concatenate([np.r_[path.x, gap] for path in paths])),
        y=compact(np.concatenate([np.r_[path.rate, gap] for path in paths])),
        z=compact(np.concatenate([np.r_[path.loss, gap] for path in paths])),
        **_steps(np.concatenate([np.r_[path.step, gap] for path in paths]), along),
        mode="lines",
        name=count(len(paths), "run"),
        line=MANY,
        text=[path.hover for path in paths for _ in range(len(path.step) + 1)],
        hovertemplate=f"%{{text}}<br>{hover}",
        showlegend=False,
    )


def _dashed(paths: Sequence[Path], hover: Drawn, along: str) -> list[go.Scatter3d]:
    return [
        go.Scatter3d(
            x=compact(path.x),
            y=compact(path.rate),
            z=compact(path.loss),
            **_steps(path.step, along),
            mode="lines",
            name=path.label,
            line={"color": style.INK, "width": 3, "dash": "dash"},
            hovertemplate=f"{path.hover} (superseded by a restart)<br>{hover}",
        )
        for path in paths
        if path.superseded
    ]
