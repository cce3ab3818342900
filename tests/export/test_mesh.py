"""Meshes: what `trimesh` reads, what the glTF specification demands, and the way back to data."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import trimesh
from drawn import KINDS

from viz3d.errors import ExportError
from viz3d.export.glb import to_glb
from viz3d.export.mesh import build
from viz3d.export.ply import to_ply
from viz3d.figures import style
from viz3d.figures.chart import Chart

SIZES = {5126: 4, 5125: 4}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


def scene_of(traces, z_axis=None):
    """Return a chart of some traces with x from 0 to 10, y from 1 to 100 on a log axis."""
    axes = (
        style.axis("step", range=[0, 10]),
        style.axis("rate", type="log", range=[0, 2]),
        z_axis or style.axis("loss", range=[0, 4]),
    )
    figure = style.figure(traces, style.layout("T", scene=style.scene(*axes)))
    return Chart("loss-landscape", "T", figure, go.Figure(), None, "", pd.DataFrame)


def parts(content):
    """Return the document and the buffer of a GLB, its frame checked."""
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    n, kind = struct.unpack_from("<I4s", content, 12)
    assert kind == b"JSON"
    assert n % 4 == 0
    m, kind = struct.unpack_from("<I4s", content, 20 + n)
    assert kind == b"BIN\0"
    assert m % 4 == 0
    assert 28 + n + m == len(content)
    return json.loads(content[20 : 20 + n]), content[28 + n :]


def read(document, buffer, accessor):
    """Return the numbers of an accessor."""
    view = document["bufferViews"][accessor["bufferView"]]
    start = view["byteOffset"]
    raw = buffer[start : start + view["byteLength"]]
    dtype = "<f4" if accessor["componentType"] == 5126 else "<u4"
    return np.frombuffer(raw, dtype).reshape(accessor["count"], -1)


@pytest.mark.parametrize("kind", KINDS)
def test_glb_keeps_the_rules_of_gltf(charts, kind):
    """Views lie inside the buffer on multiples of four; bounds are true; indices are in range."""
    document, buffer = parts(to_glb(charts[kind]))
    assert document["asset"]["version"] == "2.0"
    assert document["buffers"] == [{"byteLength": len(buffer)}] or len(buffer) % 4 == 0
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= document["buffers"][0]["byteLength"]
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        width = SIZES[accessor["componentType"]] * WIDTHS[accessor["type"]]
        assert accessor["count"] * width == view["byteLength"]
        assert accessor["count"] > 0
    assert len(document["nodes"]) == len(document["meshes"]) == len(document["scenes"][0]["nodes"])
    for made in document["meshes"]:
        for primitive in made["primitives"]:
            position = document["accessors"][primitive["attributes"]["POSITION"]]
            values = read(document, buffer, position)
            assert np.isfinite(values).all()
            assert position["min"] == values.min(axis=0).tolist()
            assert position["max"] == values.max(axis=0).tolist()
            where = "TEXCOORD_0" if primitive["mode"] == 4 else "COLOR_0"
            color = document["accessors"][primitive["attributes"][where]]
            assert color["count"] == position["count"]
            shades = read(document, buffer, color)
            assert shades.min() >= 0
            assert shades.max() <= 1
            if "indices" in primitive:
                index = read(document, buffer, document["accessors"][primitive["indices"]])
                assert index.max() < position["count"]
                assert len(index) % 3 == 0
                look = document["materials"][primitive["material"]]
                assert look["doubleSided"]
                assert "KHR_materials_unlit" in look["extensions"]  # metal would be black
            elif primitive["mode"] == 1:
                assert position["count"] % 2 == 0


@pytest.mark.parametrize("kind", KINDS)
def test_trimesh_reads_what_the_chart_shows(charts, kind):
    """Both formats load, lie inside the box of the axes, and are coloured."""
    box = np.array([1.25, 1.1, 0.75]) / 2 + 1e-6
    glb = trimesh.load(io.BytesIO(to_glb(charts[kind])), file_type="glb")
    ply = trimesh.load(io.BytesIO(to_ply(charts[kind])), file_type="ply")
    assert (np.abs(glb.bounds) <= box[[0, 2, 1]]).all()
    assert (np.abs(ply.bounds) <= box).all()
    bodies = list(glb.geometry.values())
    assert all(np.isfinite(body.vertices).all() for body in bodies)
    drawn = [body for body in build(charts[kind]).bodies if body.tones]
    if drawn:
        solid = [body for body in bodies if isinstance(body, trimesh.Trimesh)]
        for body, want in zip(solid, drawn, strict=True):
            shades = body.visual.to_color().vertex_colors[:, :3].astype(float)
            # Between two of the 256 colours of a scale.
            assert np.abs(shades - 255 * want.color[:, :3]).max() <= 3
        n = 1 if kind in ("seeds", "overlay of gradients") else 20  # theirs are of few colours
        assert len(np.unique(glb.to_mesh().visual.to_color().vertex_colors, axis=0)) > n
        assert len(ply.faces) > 0
        assert ply.visual.kind == "vertex"
        assert len(np.unique(ply.visual.vertex_colors, axis=0)) > n
    else:
        assert any(isinstance(body, trimesh.path.Path3D) for body in bodies)


def test_a_surface_lies_where_its_data_say(charts):
    """The formula in the extras leads back to step, rate and loss; log axes by their logarithm."""
    z = np.array([[1.0, 2.0], [3.0, 4.0]])
    chart = scene_of([go.Surface(x=[0, 10], y=[1, 100], z=z, colorscale="Viridis")])
    document, buffer = parts(to_glb(chart))
    accessor = document["accessors"][
        document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
    ]
    x, up, toward = read(document, buffer, accessor).T
    facts = document["scenes"][0]["extras"]["viz3d"]["mesh"]
    assert facts["axes_in_file"] == ["X", "-Z", "Y"]
    back = [
        axis["low"] + (along / axis["length"] + 0.5) * (axis["high"] - axis["low"])
        for axis, along in zip(facts["axes"], (x, -toward, up), strict=True)
    ]
    assert np.allclose(back[0], [0, 10, 0, 10], atol=1e-5)
    assert np.allclose(10 ** back[1], [1, 1, 100, 100], rtol=1e-5)
    assert np.allclose(back[2], z.ravel(), atol=1e-5)


def test_triangles_face_up():
    """A surface that lies flat shows its upper side, in both formats."""
    chart = scene_of([go.Surface(x=[0, 10], y=[1, 100], z=np.ones((2, 2)), colorscale="Viridis")])
    ply = trimesh.load(io.BytesIO(to_ply(chart)), file_type="ply")
    assert np.allclose(ply.face_normals, [0, 0, 1])
    glb = trimesh.load(io.BytesIO(to_glb(chart)), file_type="glb")
    assert np.allclose(glb.geometry["surface"].face_normals, [0, 1, 0])


def test_a_hole_stays_a_hole():
    """No triangle touches what is NaN, and no vertex is left of it."""
    z = np.ones((4, 5))
    z[1, 2] = np.nan
    chart = scene_of([go.Surface(x=[0, 1, 2, 3, 4], y=[1, 2, 3, 4], z=z, colorscale="Viridis")])
    [body] = build(chart).bodies
    assert len(body.corners) == 2 * (3 * 4 - 4)
    # Beside the hole itself a point at the rim has lost its last quad.
    assert len(body.position) == 4 * 5 - 2
    assert body.outside == 0


def test_a_line_breaks_at_its_gaps_and_at_the_end_of_an_axis():
    """What is above the axis is left out and counted; a gap is none."""
    line = go.Scatter3d(
        x=[0, 1, 2, 3, 4, 5], y=[10] * 6, z=[1, 1, np.nan, 1, 1, 99], mode="lines",
        line={"color": "#ff0000"},
    )  # fmt: skip
    mesh = build(scene_of([line]))
    [body] = mesh.bodies
    assert body.shape == "lines"
    assert len(body.corners) == 2
    assert np.allclose(body.color, [1, 0, 0, 1])
    assert mesh.facts()["points_outside_axes"] == 1


def test_colours_are_those_of_the_scale():
    """Lowest and highest value have the ends of the scale, also where z is logarithmic."""
    z_axis = style.axis("loss", type="log", range=[-2, 2])
    surface = go.Surface(
        x=[0, 10], y=[1, 100], z=[[0.01, 1], [1, 100]], colorscale=[[0, "#000000"], [1, "#ffffff"]],
        cmin=-2, cmax=2,
    )  # fmt: skip
    [body] = build(scene_of([surface], z_axis)).bodies
    assert np.allclose(body.color[:, 0], [0, 0.5, 0.5, 1])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("z", [[[-1.7e308, 0], [0, 1.7e308]], np.full((2, 2), 1.7e308)])
def test_the_largest_numbers_there_are_lie_in_the_box(z):
    """Neither their difference, nor a step beyond them, is a number of 64 bits."""
    surface = go.Surface(x=[0, 10], y=[1, 100], z=z, colorscale=[[0, "#000000"], [1, "#ffffff"]])
    [body] = build(scene_of([surface], style.axis("loss"))).bodies
    assert np.isfinite(body.position).all()
    assert np.isfinite(body.color).all()
    if np.ptp(np.sign(z)):
        assert np.allclose(body.position[:, 2], [-0.375, 0, 0, 0.375])
        assert np.allclose(body.color[:, 0], [0, 0.5, 0.5, 1])


def test_what_has_no_place_in_a_mesh_is_told():
    """A kind of trace that is not known is named, not dropped in silence."""
    traces = [
        go.Scatter3d(x=[1, 2], y=[1, 2], z=[1, 2], mode="lines"),
        go.Cone(x=[1], y=[1], z=[1], u=[1], v=[1], w=[1], name="wind"),
        go.Surface(x=[1, 2], y=[1, 2], z=np.ones((2, 2)), opacity=0.1, name="curtain"),
    ]
    assert build(scene_of(traces)).facts()["left_out"] == ["cone wind", "surface curtain"]


def test_a_flat_chart_has_no_mesh(charts):
    """The message says what to write instead."""
    flat = charts["plain"].flat
    with pytest.raises(ExportError, match=r"no 3D scene.*\.csv"):
        to_glb(Chart("report", "Report", flat, flat, None, "", pd.DataFrame))
    with pytest.raises(ExportError, match="Nothing in the scene"):
        to_ply(scene_of([go.Scatter3d(x=[1], y=[-1], z=[1], mode="markers")]))
