"""Draw the nodes of a landscape: joined by straight lines in the scene, as cells in the twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.frame import Frame
from viz3d.figures.surface_traces import color_scale
from viz3d.figures.text import Drawn, safe
from viz3d.figures.ticks import nice_ticks
from viz3d.figures.weight_data import WeightSpaceResult

Floats = NDArray[np.float64]

MOST_MARKED = 3_000
"""Nodes that get a mark of their own; of more the marks would hide what they mark."""

MARK = {"color": style.INK, "size": 1.8}


def axis_meanings(result: WeightSpaceResult) -> list[str]:
    """Return what alpha and beta stand for, as far as that was recorded."""
    axes = ("alpha",) if result.is_line else ("alpha", "beta")
    said = ((axis, str(result.grid.meta.get(f"title_{axis}") or axis)) for axis in axes)
    return [f"{axis}: {title}" for axis, title in said if title != axis]


def scene_traces(result: WeightSpaceResult, frame: Frame) -> list[Any]:
    """Draw the nodes and the straight lines between neighbours; a missing node is a hole."""
    alpha, beta, z, error = _drawn(result)
    name = safe(result.quantity)
    surface = go.Surface(
        x=compact(alpha),
        y=compact(beta),
        z=compact(z),
        customdata=None if error is None else compact(error),
        hovertemplate=_hover(result, "z"),
        contours={"z": {"show": False}},
        lighting={"ambient": 0.8, "diffuse": 0.5, "specular": 0.04, "roughness": 0.9},
        **color_scale(_colors(frame), name, log=frame.log, prefix="c", bar=True),
    )
    x, y = np.meshgrid(alpha, beta)
    traces: list[Any] = [surface]
    if z.size <= MOST_MARKED:
        shown = np.isfinite(z)
        traces.append(
            go.Scatter3d(
                x=compact(x[shown]), y=compact(y[shown]), z=compact(z[shown]), mode="markers",
                name="nodes, where it was measured", marker=MARK, hoverinfo="skip",
                showlegend=True,
            )
        )  # fmt: skip
        traces += _error_bars(x, y, z, error, log=frame.log)
    return [*traces, *_pins(result, go.Scatter3d)]


def flat_traces(result: WeightSpaceResult, frame: Frame) -> list[Any]:
    """Draw each node as a cell in its colour, and lines of equal value over them."""
    alpha, beta, z, error = _drawn(result)
    tone = np.log10(z) if frame.log else z
    grid = {"x": compact(alpha), "y": compact(beta), "z": compact(tone)}
    shown = [z] if error is None else [z, error]
    cells = go.Heatmap(
        **grid,
        customdata=compact(np.stack(shown, axis=-1)),
        hovertemplate=_hover(result, "customdata[0]", "customdata[1]"),
        hoverongaps=False,
        **color_scale(_colors(frame), safe(result.quantity), log=frame.log, prefix="z", bar=True),
    )
    if min(z.shape) < 2:
        return [cells, *_pins(result, go.Scatter)]
    lines = go.Contour(
        **grid,
        contours=_levels(frame),
        autocontour=False,
        line={"width": 1, "color": style.PAPER},
        connectgaps=False,
        showscale=False,
        showlegend=False,
        hoverinfo="skip",
    )
    return [cells, lines, *_pins(result, go.Scatter)]


def line_traces(result: WeightSpaceResult, frame: Frame) -> list[Any]:
    """Draw the values along a line, with a band of one standard error where it is known."""
    alpha, z, error = result.grid.alpha, result.z, result.error
    name = safe(result.quantity)
    traces: list[Any] = []
    if error is not None:
        wide = np.nan_to_num(error)
        low = z - wide
        if frame.log:
            low = np.where(low > 0, low, z)
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "connectgaps": False}
        traces += [
            go.Scatter(x=compact(alpha), y=compact(low), showlegend=False, **edge),
            go.Scatter(
                x=compact(alpha), y=compact(z + wide), fill="tonexty",
                fillcolor="rgba(0,114,178,0.25)", name="one standard error", **edge,
            ),
        ]  # fmt: skip
    traces.append(
        go.Scatter(
            x=compact(alpha),
            y=compact(z),
            mode="lines+markers",
            name=name,
            line={"color": style.RUNS[0], "width": 2},
            marker={"size": 5},
            customdata=None if error is None else compact(error),
            hovertemplate=f"alpha %{{x:.3~g}}<br>{name} %{{y:.4~g}}"
            + ("" if error is None else "<br>standard error %{customdata:.2~g}")
            + "<extra></extra>",
        )
    )
    return traces


def _drawn(result: WeightSpaceResult) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Return coordinates, values and standard errors of the nodes that are drawn."""
    each = slice(None, None, result.every)
    beta, error = result.grid.beta, result.error
    assert beta is not None
    shown = None if error is None else error[each, each]
    return result.grid.alpha[each], beta[each], result.z[each, each], shown


def _colors(frame: Frame) -> tuple[float, float]:
    low, high = frame.color or frame.known()[2]
    return (low, high) if high > low else (low, low + (abs(low) or 1.0) * 1e-6)


def _levels(frame: Frame) -> dict[str, Any]:
    """Return where the contour lines lie: the same in all charts of one frame."""
    low, high = np.log10(_colors(frame)) if frame.log else _colors(frame)
    ticks = nice_ticks((float(low), float(high)), log=False, most=12)
    size = ticks[1][0] - ticks[0][0] if len(ticks) > 1 else float(high - low)
    return {"coloring": "none", "start": ticks[0][0], "end": ticks[-1][0], "size": size}


def _error_bars(
    x: Floats, y: Floats, z: Floats, error: Floats | None, *, log: bool
) -> list[go.Scatter3d]:
    """Draw one standard error up and one down from each node, as one trace with gaps."""
    if error is None:
        return []
    low = z - error
    shown = np.isfinite(low) & (low > 0 if log else True)
    gap = np.full(int(shown.sum()), np.nan)
    x, y = (np.column_stack([part[shown], part[shown], gap]) for part in (x, y))
    z = np.column_stack([low[shown], (z + error)[shown], gap])
    return [
        go.Scatter3d(
            x=compact(x.ravel()), y=compact(y.ravel()), z=compact(z.ravel()), mode="lines",
            name="one standard error up and down", line={"color": style.INK, "width": 2},
            hoverinfo="skip", showlegend=True,
        )
    ]  # fmt: skip


def _pins(result: WeightSpaceResult, kind: Any) -> list[Any]:
    """Mark the centre, which is the checkpoint, and the best node."""
    marks = [_mark(result, kind, *result.best, style.CALM, "circle")]
    at = result.centre
    if at is not None and np.isfinite(result.z[at]):
        name = "the checkpoint, at the centre"
        marks.append(_mark(result, kind, name, at, style.ALARM, "diamond"))
    return marks


def _mark(
    result: WeightSpaceResult, kind: Any, name: Drawn, at: tuple[int, ...], color: str, symbol: str
) -> Any:
    alpha, beta = result.place(at)
    where: dict[str, Any] = {"x": [alpha], "y": [beta]}
    size = 9
    if kind is go.Scatter3d:
        where["z"] = [float(result.z[at])]
        size = 5
    line = {"width": 1, "color": "rgba(40,40,40,0.9)"}
    return kind(
        **where, mode="markers", name=name, hoverinfo="skip", showlegend=True,
        marker={"color": color, "size": size, "symbol": symbol, "line": line},
    )  # fmt: skip


def _hover(result: WeightSpaceResult, value: Drawn, error: Drawn = "customdata") -> Drawn:
    said = f"alpha %{{x:.3~g}}<br>beta %{{y:.3~g}}<br>{safe(result.quantity)} %{{{value}:.4~g}}"
    if result.error is not None:
        said += f"<br>standard error %{{{error}:.2~g}}"
    return f"{said}<extra></extra>"
