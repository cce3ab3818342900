"""Draw a difference along a line: a curve over the step, dotted where it is undecided."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.difference import BAND
from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.difference_data import DifferenceResult
from viz3d.figures.difference_traces import hover, said
from viz3d.figures.frame import Range

DECIDED, BAND_COLOR = "#0072B2", "rgba(118,118,118,0.25)"


def curve_traces(result: DifferenceResult) -> list[go.Scatter]:
    """Return the band, then zero, then the stretches that are decided and those that are not."""
    found = result.found
    x, undecided = compact(found.x), found.undecided[0]
    lower, upper = _band(result)
    edges = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    d = result.drawn(found.d)[0]
    looks = (
        ("decided", found.shown[0] & ~undecided, DECIDED, "solid"),
        ("undecided", undecided, style.INK, "dot"),
    )
    return [
        go.Scatter(x=x, y=compact(upper), **edges),
        go.Scatter(x=x, y=compact(lower), fill="tonexty", fillcolor=BAND_COLOR, **edges),
        go.Scatter(
            x=x[[0, -1]],
            y=compact(result.drawn(np.zeros(2))),
            mode="lines",
            name="no difference",
            line={"color": style.FAINT, "width": 1},
            hoverinfo="skip",
        ),
        *(
            go.Scatter(
                x=x,
                y=compact(np.where(_joined(shown), d, np.nan)),
                customdata=compact(said(result)[0]),
                mode="lines",
                name=label,
                line={"color": color, "width": 3, "dash": dash},
                hovertemplate=hover(result),
            )
            for label, shown, color, dash in looks
        ),
    ]


def band_ends(result: DifferenceResult) -> Range:
    """Return the range of the band, which holds zero, as drawn."""
    edges = np.concatenate([*_band(result), result.drawn(np.zeros(1))])
    return float(np.nanmin(edges)), float(np.nanmax(edges))


def _band(result: DifferenceResult) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = result.found
    half = BAND * found.deviation[0]
    return result.drawn(found.d[0] - half), result.drawn(found.d[0] + half)


def _joined(shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Widen stretches by a point, so that two that touch leave no gap."""
    return shown | np.r_[False, shown[:-1]]
