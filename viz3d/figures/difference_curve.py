"""Draw a difference along a line: a curve over the step, dotted where it is undecided."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.figures.budget import compact
from viz3d.figures.difference_data import DifferenceResult
from viz3d.figures.difference_traces import INK, band, unit

DECIDED, BAND_COLOR = "#0072B2", "rgba(118,118,118,0.25)"


def curve_traces(result: DifferenceResult) -> list[go.Scatter]:
    """Return the band, then the stretches that are decided and those that are not."""
    found = result.found
    x, undecided = compact(found.x), found.undecided[0]
    lower, upper = (edge[0] for edge in band(result))
    edges = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    said = compact(np.stack([found.a[0], found.b[0], lower, upper], -1))
    d = result.drawn(found.d)[0]
    looks = (
        ("decided", found.shown[0] & ~undecided, DECIDED, "solid"),
        ("undecided", undecided, INK, "dot"),
    )
    return [
        go.Scatter(x=x, y=compact(upper), **edges),
        go.Scatter(x=x, y=compact(lower), fill="tonexty", fillcolor=BAND_COLOR, **edges),
        *(
            go.Scatter(
                x=x,
                y=compact(np.where(_joined(shown), d, np.nan)),
                customdata=said,
                mode="lines",
                name=label,
                line={"color": color, "width": 3, "dash": dash},
                hovertemplate=_hover(result),
            )
            for label, shown, color, dash in looks
        ),
    ]


def _hover(result: DifferenceResult) -> str:
    value, u = result.titles[2], unit(result)
    return (
        f"step %{{x:,.0f}}<br>{value} of A %{{customdata[0]:.4~g}}, of B %{{customdata[1]:.4~g}}"
        f"<br>A − B %{{y:+.3~g}}{u}<br>95 % band %{{customdata[2]:+.3~g}} to "
        f"%{{customdata[3]:+.3~g}}{u}<extra></extra>"
    )


def _joined(shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Widen stretches by a point, so that two that touch leave no gap."""
    return shown | np.r_[False, shown[:-1]]
