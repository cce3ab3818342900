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
from viz3d.export.mesh import Body, Floats, Tones, build
from viz3d.export.png import to_picture
from viz3d.figures.chart import Chart
from viz3d.version import __version__

FLOAT, UINT32 = 5126, 5125
ARRAY, ELEMENTS = 34962, 34963
LINEAR, CLAMP = 9729, 33071
MODES = {"points": 0, "lines": 1, "triangles": 4}
UNLIT = "KHR_materials_unlit"
"""The colours are data, so no light changes them."""


def to_glb(chart: Chart) -> bytes:
    """Return the scene as a GLB file: y is up, a surface has its colour scale as a texture.

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
        **file.looks(),
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
        self.images: list[dict[str, Any]] = []

    def add(self, body: Body) -> None:
        """Put a body in.

        Without a material a triangle is of metal, which is black where nothing is reflected in it.
        With one, many programs pass over the colours of the vertices, so its colours are a texture.
        """
        x, y, z = body.position.T
        position = np.stack([x, z, -y], -1)
        primitive: dict[str, Any] = {"mode": MODES[body.shape]}
        if body.tones is None:
            # Some viewers take no indices for lines and points, and no strips.
            order = body.corners.ravel()
            colors = self._floats(linear(body.color)[order], "VEC4")
            at = self._floats(position[order], "VEC3", bounds=True)
            primitive["attributes"] = {"POSITION": at, "COLOR_0": colors}
        else:
            at = self._floats(position, "VEC3", bounds=True)
            on_scale = self._floats(_texels(body.tones), "VEC2")
            primitive["attributes"] = {"POSITION": at, "TEXCOORD_0": on_scale}
            primitive["indices"] = self._indices(body.corners)
            primitive["material"] = self._material(body.tones.palette)
        self.meshes.append({"name": body.name, "primitives": [primitive]})

    def looks(self) -> dict[str, Any]:
        """Return materials, textures and images of the document; each surface has its own."""
        if not self.images:
            return {}
        return {
            "extensionsUsed": [UNLIT],
            "materials": [
                {
                    "doubleSided": True,
                    "extensions": {UNLIT: {}},
                    # For programs that know no unlit material: not shiny.
                    "pbrMetallicRoughness": {
                        "baseColorTexture": {"index": i},
                        "metallicFactor": 0,
                        "roughnessFactor": 1,
                    },
                }
                for i in range(len(self.images))
            ],
            "textures": [{"sampler": 0, "source": i} for i in range(len(self.images))],
            "samplers": [
                {"magFilter": LINEAR, "minFilter": LINEAR, "wrapS": CLAMP, "wrapT": CLAMP}
            ],
            "images": self.images,
        }

    def _material(self, palette: Floats) -> int:
        view = self._view(to_picture(palette))
        self.images.append({"bufferView": view, "mimeType": "image/png"})
        return len(self.images) - 1

    def _floats(self, values: NDArray, kind: str, *, bounds: bool = False) -> int:
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
        view = self._view(values.tobytes(), target=target)
        about = {"bufferView": view, "componentType": component, "type": kind}
        self.accessors.append({**about, "count": len(values), **more})
        return len(self.accessors) - 1

    def _view(self, content: bytes, **more: int) -> int:
        start, size = len(self.content), len(content)
        self.content += content + bytes(-size % 4)  # numbers begin at multiples of four
        self.views.append({"buffer": 0, "byteOffset": start, "byteLength": size, **more})
        return len(self.views) - 1


def _texels(tones: Tones) -> Floats:
    """Return where vertices lie in the picture of their scale, which ends amid its end pixels."""
    n = len(tones.palette)
    return np.stack([(tones.place * (n - 1) + 0.5) / n, np.full(len(tones.place), 0.5)], -1)


def _glb(text: bytes, content: bytes) -> bytes:
    """Put the two chunks together, each padded to four bytes as the format demands."""
    chunks = b""
    for kind, body, pad in ((b"JSON", text, b" "), (b"BIN\0", content, b"\0")):
        whole = body + pad * (-len(body) % 4)
        chunks += struct.pack("<I", len(whole)) + kind + whole
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
