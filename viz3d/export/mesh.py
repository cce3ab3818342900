"""The geometry of a scene, as large and as coloured as the chart shows it.

Surfaces become triangles, paths lines and markers points. What is NaN is a hole, and what lies
outside the axes is left out and counted. What is see-through in the chart is pale here, because
many programs know no transparency.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.errors import ExportError
from viz3d.export.axes import AXES, Axis, axes_of
from viz3d.export.colors import on_scale, places, rgba
from viz3d.figures.chart import Chart

Floats = NDArray[np.float64]

PALETTE = 256
"""Colours of a scale, as many as plotly.js makes of it."""

FAINT = 0.2
"""A surface less opaque than this is a help for the eye; solid it would hide the data behind it."""


@dataclass(frozen=True)
class Tones:
    """The colour scale of a surface.

    Attributes
    ----------
    palette : ndarray, shape (256, 4)
        Its colours from end to end, mixed as those of a `Body`.
    place : ndarray, shape (n,)
        Where on it each vertex lies, 0 to 1.
    """

    palette: Floats
    place: Floats


@dataclass(frozen=True)
class Body:
    """One trace of the scene.

    Attributes
    ----------
    name : str
    shape : {"triangles", "lines", "points"}
    position : ndarray, shape (n, 3)
        x to the right, y to the back, z up.
    color : ndarray, shape (n, 4)
        sRGB and alpha, 0 to 1; see-through colours are mixed with white.
    corners : ndarray of int64, shape (m, 3), (m, 2) or (m, 1)
        Vertices of each triangle, line or point.
    outside : int
        Points of the trace that lie outside the axes.
    tones : Tones or None
        Of a surface, whose colours between vertices lie on its scale.
    """

    name: str
    shape: str
    position: Floats
    color: Floats
    corners: NDArray[np.int64]
    outside: int
    tones: Tones | None = None


@dataclass(frozen=True)
class Mesh:
    """A scene as bodies.

    Attributes
    ----------
    axes : tuple of 3 Axis
    bodies : tuple of Body
    left_out : tuple of str
        Traces that have no place in a mesh.
    """

    axes: tuple[Axis, ...]
    bodies: tuple[Body, ...]
    left_out: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """Return what leads from the mesh back to data, and what is not in it, for JSON.

        A point at ``p`` along an axis stands for ``low + (p / length + 0.5) * (high - low)``, on a
        logarithmic axis for ten to the power of that.
        """
        return {
            "axes": [
                {
                    "title": axis.title,
                    "log": axis.log,
                    "low": axis.low,
                    "high": axis.high,
                    "length": axis.length,
                    "ticks": dict(axis.ticks),
                }
                for axis in self.axes
            ],
            "formula": "low + (position / length + 0.5) * (high - low), if log 10 to its power",
            "see_through": "mixed with white",
            "points_outside_axes": sum(body.outside for body in self.bodies),
            "left_out": list(self.left_out),
        }


def build(chart: Chart) -> Mesh:
    """Build the mesh of a chart's scene.

    Raises
    ------
    ExportError
        If the chart has no scene, or nothing in it has a place in a mesh.
    """
    if chart.figure is chart.flat:
        raise ExportError(
            f"{chart.title} has no 3D scene, so there is no mesh of it; write .html, .png, .csv or "
            "another format."
        )
    axes = axes_of(chart.figure)
    bodies: list[Body] = []
    left_out: list[str] = []
    for trace in chart.figure.data:
        found = _bodies(trace, axes)
        if found is None:
            left_out.append(f"{trace.type} {trace.name or ''}".strip())
        else:
            bodies += [body for body in found if len(body.corners)]
    if not bodies:
        raise ExportError(f"Nothing in the scene of {chart.title} has a place in a mesh.")
    return Mesh(axes, tuple(bodies), tuple(left_out))


def _bodies(trace: Any, axes: tuple[Axis, ...]) -> list[Body] | None:
    """Return what a trace is in a mesh; None where it has no place in one."""
    if trace.scene not in (None, "scene"):
        return None
    if trace.type == "surface":
        return None if _opacity(trace) < FAINT else [_surface(trace, axes)]
    if trace.type != "scatter3d":
        return None
    mode = trace.mode or "lines+markers"
    lines = [_lines(trace, axes)] if "lines" in mode else []
    return [*lines, *([_points(trace, axes)] if "markers" in mode else [])]


def _surface(trace: Any, axes: tuple[Axis, ...]) -> Body:
    z = np.asarray(trace.z, dtype=np.float64)
    ny, nx = z.shape
    x = np.asarray(trace.x if trace.x is not None else np.arange(nx), dtype=np.float64)
    y = np.asarray(trace.y if trace.y is not None else np.arange(ny), dtype=np.float64)
    x = np.broadcast_to(x, z.shape)
    y = np.broadcast_to(y[:, None] if y.ndim == 1 else y, z.shape)
    position, outside = _place((x, y, z), axes)
    shown = _there(position).reshape(z.shape)
    # Plotly too draws a quad only where its four corners are there.
    whole = shown[:-1, :-1] & shown[1:, :-1] & shown[:-1, 1:] & shown[1:, 1:]
    at = np.arange(z.size).reshape(z.shape)
    a, b, c, d = (part[whole] for part in (at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]))
    corners = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)])
    # Without colours of their own the height gives them, on a logarithmic axis its logarithm.
    own = trace.surfacecolor
    tone = axes[2].scaled(z) if own is None else np.asarray(own, dtype=np.float64)
    place = places(tone, trace).ravel()
    palette = _faded(on_scale(np.linspace(0, 1, PALETTE), trace), trace)
    color = _faded(on_scale(place, trace), trace)
    name = trace.name or "surface"
    return _used(name, "triangles", position, color, corners, outside, Tones(palette, place))


def _lines(trace: Any, axes: tuple[Axis, ...]) -> Body:
    position, outside = _path(trace, axes)
    shown = _there(position)
    start = np.flatnonzero(shown[:-1] & shown[1:])
    color = _colors(trace.line, trace, len(position))
    corners = np.stack([start, start + 1], -1)
    return _used(trace.name or "lines", "lines", position, color, corners, outside)


def _points(trace: Any, axes: tuple[Axis, ...]) -> Body:
    position, outside = _path(trace, axes)
    corners = np.flatnonzero(_there(position))[:, None]
    color = _colors(trace.marker, trace, len(position))
    return _used(trace.name or "points", "points", position, color, corners, outside)


def _path(trace: Any, axes: tuple[Axis, ...]) -> tuple[Floats, int]:
    x, y, z = (np.asarray(trace[name], dtype=np.float64) for name in AXES)
    return _place((x, y, z), axes)


def _place(data: tuple[Floats, Floats, Floats], axes: tuple[Axis, ...]) -> tuple[Floats, int]:
    """Return positions, and how many points are there but outside the axes."""
    placed = np.stack([axis.place(v).ravel() for axis, v in zip(axes, data, strict=True)], -1)
    known = _there(np.stack([v.ravel() for v in data], -1))
    return placed, int((known & ~_there(placed)).sum())


def _there(points: Floats) -> NDArray[np.bool_]:
    """Whether all coordinates of each point are finite."""
    return np.asarray(np.isfinite(points).all(axis=-1))


def _colors(holder: Any, trace: Any, n: int) -> Floats:
    own = holder.color
    if isinstance(own, str) or own is None:
        color = np.tile(rgba(own), (n, 1))
    elif isinstance(own[0], str):
        color = np.array([rgba(text) for text in own])
    else:
        color = on_scale(places(np.asarray(own, dtype=np.float64), holder), holder)
    return _faded(color, trace)


def _faded(color: Floats, trace: Any) -> Floats:
    alpha = color[:, 3:] * _opacity(trace)
    return np.concatenate([alpha * color[:, :3] + 1 - alpha, np.ones_like(alpha)], -1)


def _opacity(trace: Any) -> float:
    return 1.0 if trace.opacity is None else float(trace.opacity)


def _used(
    name: str,
    shape: str,
    position: Floats,
    color: Floats,
    corners: NDArray,
    outside: int,
    tones: Tones | None = None,
) -> Body:
    """Keep the vertices that something is made of: the others may be holes."""
    used, renamed = np.unique(corners, return_inverse=True)
    corners = renamed.reshape(corners.shape).astype(np.int64)
    if tones:
        tones = replace(tones, place=tones.place[used])
    return Body(unescape(name), shape, position[used], color[used], corners, outside, tones)
