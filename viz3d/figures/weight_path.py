"""The path of checkpoints on a plane in weight space, greyer the farther it lies off the plane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import hex_to_rgb

from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.frame import Frame, padded, span
from viz3d.figures.text import Drawn, safe
from viz3d.figures.weight_data import WeightSpaceResult
from viz3d.grid import LandscapePath

Floats = NDArray[np.float64]

NAME = "path, greyer the farther off the plane"
UNFADED = "path, at an unknown distance from the plane"


def faded(residual: Floats) -> list[str]:
    """Return the colour of each checkpoint: full on the plane, nearly grey far off it.

    Solid colours, because lines of a scene cannot be see-through point by point.
    """
    share = np.clip(np.nan_to_num(residual, nan=0.0), 0, 1)[:, None]
    colors = (1 - share) * hex_to_rgb(style.BEST) + share * np.array(hex_to_rgb(style.GRID))
    return ["#{:02x}{:02x}{:02x}".format(*map(round, color)) for color in colors]


def path_traces(result: WeightSpaceResult, frame: Frame) -> list[Any]:
    """Draw the path at its own heights, with a stem to the node nearest to each checkpoint.

    A checkpoint whose own value is unknown lies on the floor.
    """
    path = result.grid.path
    if path is None:
        return []
    floor = _floor(frame)
    height = np.where(np.isfinite(result.own), result.own, floor)
    colors = faded(path.residual)
    where = {"x": compact(path.alpha), "y": compact(path.beta), "z": compact(height)}
    line = go.Scatter3d(
        **where,
        mode="lines",
        name="path",
        line={"color": colors, "width": 5},
        hoverinfo="skip",
        showlegend=False,
    )
    marks = go.Scatter3d(
        **where,
        mode="markers",
        name=_name(path),
        marker={"color": colors, "size": 3.5},
        customdata=compact(_beside(result)),
        hovertemplate=_hover(result),
        showlegend=True,
    )
    return [line, marks, *_stems(result)]


def flat_path_traces(result: WeightSpaceResult) -> list[Any]:
    """Draw where the path lies on the plane; lines join markers that carry the colour."""
    path = result.grid.path
    if path is None or result.is_line:
        return []
    return [
        go.Scatter(
            x=compact(path.alpha),
            y=compact(path.beta),
            mode="lines+markers",
            name=_name(path),
            line={"color": style.PAPER, "width": 1.5},
            marker={
                "color": faded(path.residual), "size": 8,
                "line": {"width": 1, "color": "rgba(40,40,40,0.8)"},
            },
            customdata=compact(_beside(result)),
            hovertemplate=_hover(result),
            showlegend=True,
        )
    ]  # fmt: skip


def beside_traces(result: WeightSpaceResult) -> list[Any]:
    """Draw the path's own values over the step, beside those of the plane's nearest nodes."""
    path, name = result.grid.path, safe(result.quantity)
    if not has_beside(result) or path is None:
        return []
    word, what = path_word(result), f"nearest node {name}"
    below = {"xaxis": "x2", "yaxis": "y2", "x": compact(path.step.astype(np.float64))}
    error = result.beside_error
    return [
        go.Scatter(
            **below,
            y=compact(result.own),
            mode="lines+markers",
            name=f"{name} of the path itself",
            line={"color": style.BEST, "width": 2},
            hovertemplate=f"{word} %{{x:,d}}<br>{name} %{{y:.4~g}}<extra></extra>",
        ),
        go.Scatter(
            **below,
            y=compact(result.beside),
            error_y={"type": "data", "array": compact(error), "thickness": 1}
            if np.isfinite(error).any()
            else None,
            mode="markers",
            name=f"{name} of the nearest node",
            marker={"color": style.INK, "size": 7, "symbol": "diamond-open", "line": {"width": 2}},
            hovertemplate=f"{word} %{{x:,d}}<br>{what} %{{y:.4~g}}<extra></extra>",
        ),
    ]


def beside_frame(result: WeightSpaceResult) -> Frame:
    """Return the frame of that panel alone: a path is mostly lower than what lies around it."""
    frame, error = result.frame, np.nan_to_num(result.beside_error)
    low, high = result.beside - error, result.beside + error
    if frame.log:
        low = np.where(low > 0, low, result.beside)
    return replace(
        frame, z=span(result.own[result.own > 0] if frame.log else result.own, low, high)
    )


def has_beside(result: WeightSpaceResult) -> bool:
    """Whether the path has values of its own to stand beside those of the grid."""
    return bool(np.isfinite(result.own).any())


def _name(path: LandscapePath) -> Drawn:
    return NAME if np.isfinite(path.residual).any() else UNFADED


def _stems(result: WeightSpaceResult) -> list[Any]:
    """Draw how far the path's own value is from that of the node nearest to it."""
    path = result.grid.path
    known = np.isfinite(result.own) & np.isfinite(result.beside)
    if path is None or not known.any():
        return []
    gap = np.full(int(known.sum()), np.nan)
    x, y = (np.column_stack([part[known], part[known], gap]) for part in (path.alpha, path.beta))
    z = np.column_stack([result.own[known], result.beside[known], gap])
    return [
        go.Scatter3d(
            x=compact(x.ravel()),
            y=compact(y.ravel()),
            z=compact(z.ravel()),
            mode="lines",
            name="from the path to the nearest node",
            line={"color": style.INK, "width": 2},
            hoverinfo="skip",
            showlegend=True,
        )
    ]


def _beside(result: WeightSpaceResult) -> NDArray:
    path = result.grid.path
    assert path is not None
    return np.column_stack([path.step, 100 * path.residual, result.own, result.beside])


def _hover(result: WeightSpaceResult) -> Drawn:
    """Say what is known of each checkpoint, and nothing else."""
    path, name = result.grid.path, safe(result.quantity)
    assert path is not None
    words = [f"{path_word(result)} %{{customdata[0]:,d}}<br>alpha %{{x:.3~g}}, beta %{{y:.3~g}}"]
    if np.isfinite(path.residual).any():
        words.append("off the plane by %{customdata[1]:.0f} % of its distance from the centre")
    if has_beside(result):
        words.append(f"own {name} %{{customdata[2]:.4~g}}")
    words.append(f"{name} of the nearest node %{{customdata[3]:.4~g}}")
    return "<br>".join(words) + "<extra></extra>"


def path_word(result: WeightSpaceResult) -> Drawn:
    """Return what the numbers of checkpoints are: steps, unless only their order is recorded."""
    return "checkpoint" if result.grid.meta.get("path_steps") == "numbered" else "step"


def _floor(frame: Frame) -> float:
    low = padded(frame.known()[2], log=frame.log)[0]
    return float(10**low) if frame.log else low
