"""A mesh as PLY, binary and little-endian: vertices with colours, triangles and lines.

Greg Turk, "The PLY Polygon File Format", 1994.
"""

from __future__ import annotations

import numpy as np

from viz3d.export.about import about_json, to_json_line
from viz3d.export.mesh import Mesh, build
from viz3d.figures.chart import Chart

VERTEX = np.dtype([("position", "<f4", 3), ("color", "u1", 4)])
FACE = np.dtype([("n", "u1"), ("corners", "<i4", 3)])
EDGE = np.dtype([("corners", "<i4", 2)])


def to_ply(chart: Chart) -> bytes:
    """Return the scene as a PLY file: x to the right, y to the back, z up, as in the chart.

    Provenance and the way back to data stand in its comments, each one line of JSON.

    Raises
    ------
    ExportError
        If the chart has no scene.
    """
    mesh = build(chart)
    vertices, faces, edges = _arrays(mesh)
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment viz3d {about_json(chart)}",
        f"comment mesh {to_json_line(mesh.facts())}",
        f"element vertex {len(vertices)}",
        *(f"property float {name}" for name in "xyz"),
        *(f"property uchar {name}" for name in ("red", "green", "blue", "alpha")),
    ]
    if len(faces):
        header += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    if len(edges):
        header += [f"element edge {len(edges)}", "property int vertex1", "property int vertex2"]
    text = "\n".join([*header, "end_header", ""]).encode("ascii")
    return text + vertices.tobytes() + faces.tobytes() + edges.tobytes()


def _arrays(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices, faces and edges of all bodies."""
    vertices = np.zeros(sum(len(body.position) for body in mesh.bodies), VERTEX)
    vertices["position"] = np.concatenate([body.position for body in mesh.bodies])
    colors = np.concatenate([body.color for body in mesh.bodies])
    vertices["color"] = np.round(255 * colors)
    first = np.cumsum([0, *(len(body.position) for body in mesh.bodies)])
    found: dict[str, list[np.ndarray]] = {"triangles": [], "lines": [], "points": []}
    for body, start in zip(mesh.bodies, first, strict=False):
        found[body.shape].append(body.corners + start)
    triangles = np.concatenate([np.zeros((0, 3), np.int64), *found["triangles"]])
    lines = np.concatenate([np.zeros((0, 2), np.int64), *found["lines"]])
    faces, edges = np.zeros(len(triangles), FACE), np.zeros(len(lines), EDGE)
    faces["n"], faces["corners"], edges["corners"] = 3, triangles, lines
    return vertices, faces, edges
