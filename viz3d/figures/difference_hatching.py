"""Hatch a difference where it is undecided."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.figures.budget import compact
from viz3d.figures.difference_data import DifferenceResult
from viz3d.figures.frame import Range

Floats = NDArray[np.float64]

HATCHES, ALONG = 60, 240
"""Lines of the hatching, and points along each."""

LIFT = 0.006
"""The lines of the hatching float above the surface by this share of the height of the scene."""

INK = "rgba(30,30,30,0.85)"
"""Hatching: dark on all colours of the middle of the scale, where undecided differences lie."""


def hatching(result: DifferenceResult, x_range: Range, y_range: Range) -> Floats:
    """Lay slanting lines over the undecided area, even in the picture.

    Parameters
    ----------
    result : DifferenceResult
    x_range, y_range : (low, high)
        Ends of the axes, of which the second is logarithmic for a loss landscape.

    Returns
    -------
    ndarray, shape (n, 3)
        Step, second axis and difference of points on the lines; NaN between stretches.
    """
    from scipy.interpolate import RegularGridInterpolator

    found = result.found
    log = result.log_y
    ys = np.log(found.y) if log else found.y
    low, high = np.log(y_range) if log else y_range
    across = np.linspace(0, 1, ALONG)
    start = np.linspace(-1, 1, HATCHES + 1)[:, None]
    u, v = np.broadcast_arrays(across, start + across)
    x, y = x_range[0] + u * (x_range[1] - x_range[0]), low + v * (high - low)
    inside = (x >= found.x[0]) & (x <= found.x[-1]) & (y >= ys[0]) & (y <= ys[-1])
    points = np.stack([np.where(inside, y, ys[0]), np.where(inside, x, found.x[0])], -1)
    axes = (ys, found.x)
    within = found.undecided.astype(np.float64)
    undecided = RegularGridInterpolator(axes, within, method="nearest")(points) > 0
    z = RegularGridInterpolator(axes, found.d)(points)
    shown = inside & undecided & np.isfinite(z)
    lines = np.stack([x, np.exp(y) if log else y, z], -1)
    lines[~shown] = np.nan
    gap = np.full((len(lines), 1, 3), np.nan)
    return _dense(np.concatenate([lines, gap], axis=1).reshape(-1, 3))


def _dense(points: Floats) -> Floats:
    """Drop all but the first of neighbouring gaps."""
    gap = np.isnan(points[:, 0])
    return points[~(gap & np.r_[True, gap[:-1]])]


def hatch_trace(result: DifferenceResult, x: Range, y: Range) -> list[go.Scatter3d]:
    """Return the hatching on the surface."""
    lines = hatching(result, x, y)
    if not len(lines):
        return []
    lift = LIFT * float(np.nanmax(result.found.d) - np.nanmin(result.found.d))
    return [
        go.Scatter3d(
            x=compact(lines[:, 0]),
            y=compact(lines[:, 1]),
            z=compact(result.drawn(lines[:, 2] + lift)),
            mode="lines",
            name="undecided (hatched)",
            line={"color": INK, "width": 2},
            hoverinfo="skip",
        )
    ]


def flat_hatch_trace(result: DifferenceResult, x: Range, y: Range) -> list[go.Scatter]:
    """Return the hatching on the heat map."""
    lines = hatching(result, x, y)
    if not len(lines):
        return []
    return [
        go.Scatter(
            x=compact(lines[:, 0]),
            y=compact(lines[:, 1]),
            mode="lines",
            name="undecided (hatched)",
            line={"color": INK, "width": 1},
            hoverinfo="skip",
        )
    ]
