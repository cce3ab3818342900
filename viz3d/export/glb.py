"""A mesh as glTF 2.0 in one binary file (.glb).

Khronos Group, "glTF 2.0 Specification", sections 3 (concepts) and 4 (GLB).
"""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.export.about import KEY, about
from viz3d.export.colors import linear
from viz3d.export.mesh import Body, build
from viz3d.figures.chart import Chart
from viz3d.version import __version__

FLOAT, UINT32 = 5126, 5125
ARRAY, ELEMENTS = 34962, 34963
MODES = {"points": 0, "lines": 1, "triangles": 4}


def to_glb(chart: Chart) -> bytes:
    """Return the scene as a GLB file: y is up, colours are those of the vertices.

    Provenance and the way back to data stand in the extras of the scene. The chart's x lies along
    X, its z along Y and its y along minus Z.

    Raises
    ------
    ExportError
        If the chart has no scene.
    """
    mesh = build(chart)
    file = _File()
    for body in mesh.bodies:
        file.add(body)
    nodes = [{"name": made["name"], "mesh": i} for i, made in enumerate(file.meshes)]
    facts = {**mesh.facts(), "axes_in_file": ["X", "-Z", "Y"]}
    document = {
        "asset": {"version": "2.0", "generator": f"viz3d {__version__}"},
        "scene": 0,
        "scenes": [
            {
                "name": chart.title,
                "nodes": list(range(len(nodes))),
                "extras": {KEY: {**about(chart), "mesh": facts}},
            }
        ],
        "nodes": nodes,
        "meshes": file.meshes,
        "accessors": file.accessors,
        "bufferViews": file.views,
        "buffers": [{"byteLength": len(file.content)}],
    }
    text = json.dumps(document, separators=(",", ":"), sort_keys=True).encode("ascii")
    return _glb(text, bytes(file.content))


class _File:
    """What has been put into the buffer, and where."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.meshes: list[dict[str, Any]] = []

    def add(self, body: Body) -> None:
        """Put a body in, without a material.

        Where there is one, trimesh and others pass over the colours of the vertices. But only a
        material can show both sides of a triangle, so the underside of a surface is a mesh too.
        """
        x, y, z = body.position.T
        position, color = np.stack([x, z, -y], -1), linear(body.color)
        solid = body.shape == "triangles"
        if not solid:
            # Some viewers take no indices for lines and points, and no strips.
            order = body.corners.ravel()
            position, color = position[order], color[order]
        attributes = {
            "POSITION": self._floats(position, "VEC3", bounds=True),
            "COLOR_0": self._floats(color, "VEC4", bounds=False),
        }
        primitive = {"mode": MODES[body.shape], "attributes": attributes}
        if not solid:
            self._mesh(body.name, primitive)
            return
        lower = body.corners[:, ::-1]
        for name, corners in ((body.name, body.corners), (f"{body.name}, underside", lower)):
            self._mesh(name, {**primitive, "indices": self._indices(corners)})

    def _mesh(self, name: str, primitive: dict[str, Any]) -> None:
        self.meshes.append({"name": name, "primitives": [primitive]})

    def _floats(self, values: NDArray, kind: str, *, bounds: bool) -> int:
        values = values.astype("<f4")
        more = {}
        if bounds:
            more = {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        return self._accessor(values, kind, FLOAT, ARRAY, more)

    def _indices(self, corners: NDArray) -> int:
        return self._accessor(corners.ravel().astype("<u4"), "SCALAR", UINT32, ELEMENTS, {})

    def _accessor(
        self, values: NDArray, kind: str, component: int, target: int, more: dict[str, Any]
    ) -> int:
        start = len(self.content)
        self.content += values.tobytes()
        size = len(self.content) - start
        self.views.append({"buffer": 0, "byteOffset": start, "byteLength": size, "target": target})
        about = {"bufferView": len(self.views) - 1, "componentType": component, "type": kind}
        self.accessors.append({**about, "count": len(values), **more})
        return len(self.accessors) - 1


def _glb(text: bytes, content: bytes) -> bytes:
    """Put the two chunks together, each padded to four bytes as the format demands."""
    chunks = b""
    for kind, body, pad in ((b"JSON", text, b" "), (b"BIN\0", content, b"\0")):
        whole = body + pad * (-len(body) % 4)
        chunks += struct.pack("<I", len(whole)) + kind + whole
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
