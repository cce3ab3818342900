"""Weight space draws what was measured at the nodes, and says what a careful reader would add."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from viz3d.errors import BadArgument, ChartError, MissingMetric
from viz3d.figures import compare, weight_space
from viz3d.figures.kinds import make_chart
from viz3d.figures.weight_data import nearest
from viz3d.figures.weight_path import faded
from viz3d.grid import LandscapeGrid
from viz3d.load import load_run, load_runs


@pytest.fixture(scope="module")
def run(measured: Path):
    """The run with a plane with a path, a random plane and a line."""
    return load_run(measured, "trained")


def with_grid(run, values, *, alpha=None, beta=None, **more):
    """Return the run with one landscape alone."""
    values = {"loss": values} if isinstance(values, np.ndarray) else values
    shape = next(iter(values.values())).shape
    alpha = np.arange(shape[-1], dtype=float) if alpha is None else alpha
    if beta is None and len(shape) > 1:
        beta = np.arange(shape[0], dtype=float)
    return replace(run, landscapes=(LandscapeGrid("only", alpha, beta, values, **more),))


def trace(figure, kind, name=None):
    """Return the one trace of a kind, and of a name where one is given."""
    [found] = [t for t in figure.data if isinstance(t, kind) and name in (None, t.name)]
    return found


def test_scene_and_twin_show_the_nodes_as_measured(run):
    """No node is added, moved or smoothed: surface, marks and cells hold the same numbers."""
    chart = weight_space.chart(run, landscape="random")
    grid = run.landscapes[1]
    surface, cells = trace(chart.figure, go.Surface), trace(chart.flat, go.Heatmap)
    for drawn in (surface, cells):
        np.testing.assert_array_equal(drawn.x, grid.alpha)
        np.testing.assert_array_equal(drawn.y, grid.beta)
        np.testing.assert_allclose(np.asarray(drawn.z), grid.values["loss"], rtol=1e-6)
    assert cells.zsmooth in (None, False)
    marks = trace(chart.figure, go.Scatter3d, "nodes, where it was measured")
    assert len(marks.x) == 15
    assert isinstance(trace(chart.flat, go.Contour), go.Contour)


def test_a_node_that_was_not_measured_is_a_hole_and_an_infinite_one_too(run):
    """Each is counted by what it is."""
    loss = np.arange(1.0, 10.0).reshape(3, 3)
    loss[0, 0], loss[2, 2] = np.nan, np.inf
    chart = weight_space.chart(with_grid(run, loss))
    z = np.asarray(trace(chart.figure, go.Surface).z)
    assert np.isnan([z[0, 0], z[2, 2]]).all()
    assert (chart.numbers["measured"], chart.numbers["infinite"]) == (8, 1)
    assert chart.numbers["highest"]["value"] == 8
    said = " ".join(chart.notes)
    assert "1 of 9 nodes have no loss" in said
    assert "1 node with an infinite loss" in said


def test_standard_errors_are_drawn_and_said(run):
    """One up and one down from each node, in the scene and in words; large ones are warned of."""
    chart = weight_space.chart(run, landscape="random")
    bars = trace(chart.figure, go.Scatter3d, "one standard error up and down")
    ends = np.asarray(bars.z, dtype=float).reshape(-1, 3)
    np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 0.5, rtol=1e-6)
    assert "with a standard error of 0.25" in chart.summary
    assert any("11 % of the range" in note for note in chart.notes)
    assert any("All nodes share the same samples" in note for note in chart.notes)
    bare = weight_space.chart(with_grid(run, np.eye(3) + 1))
    assert any("No standard error of loss" in note for note in bare.notes)


def test_the_path_stands_at_its_own_height_beside_the_nearest_nodes(run):
    """Nothing is interpolated: (0.9, -0.4) is told beside the node at (1, -0.5)."""
    chart = weight_space.chart(run, landscape="plane")
    path = next(t for t in chart.figure.data if str(t.name).startswith("path,"))
    own = [1 + 2 * 0.81 + 0.16 + 0.9, 1 + 2 * 0.16 + 0.04 + 0.5, 1.0]
    np.testing.assert_allclose(path.z, own, rtol=1e-6)
    assert trace(chart.figure, go.Surface).cmax == 3.25  # of the nodes alone
    table = chart.table[chart.table["what"] == "checkpoint"]
    np.testing.assert_allclose(table["value"], own)
    assert table["nearest node"].tolist() == [1 + 2 + 0.25, 1 + 0.5, 1.0]
    assert table["off the plane (%)"].tolist() == [90.0, 50.0, 0.0]
    below = [t for t in chart.flat.data if t.yaxis == "y2"]
    assert [list(t.x) for t in below] == [[0, 10, 20]] * 2
    np.testing.assert_allclose(below[0].y, own, rtol=1e-6)
    np.testing.assert_allclose(below[1].y, [3.25, 1.5, 1.0])
    assert "begins 90 % of its distance from the centre off the plane" in chart.summary
    plane = run.landscapes[0]
    far = replace(plane, path=replace(plane.path, residual=np.array([0.2, 0.96, 0.0])))
    words = weight_space.chart(replace(run, landscapes=(far,))).summary
    assert "begins 20 %" in words
    assert "the most on the way is 96 %" in words


def test_the_path_beside_its_nodes_has_a_range_of_its_own(run):
    """Most of a plane lies higher than the path; two charts beside each other share one range."""
    grid = run.landscapes[0]
    loss = grid.values["loss"].copy()
    loss[2, 0] = 9  # a corner far from the path
    high = replace(run, landscapes=(replace(grid, values={"loss": loss}),))
    chart = weight_space.chart(high)
    low, top = chart.flat.layout.yaxis2.range
    own, nodes = (t for t in chart.flat.data if t.yaxis == "y2")
    drawn = [*own.y, *(np.asarray(nodes.y) + nodes.error_y.array), *nodes.y]
    assert low < min(drawn) < max(drawn) < top < 1.2 * max(drawn)
    assert chart.figure.layout.scene.zaxis.range[1] > 1.2 * top
    pair = compare.side_by_side([[run], [high]], "weight-space")
    assert pair[0].flat.layout.yaxis2.range == pair[1].flat.layout.yaxis2.range


def test_the_checkpoints_own_loss_stands_beside_the_centres(run):
    """Equal to it, it is said once; another one is warned of, with what to do."""
    grid = run.landscapes[0]
    same, other = (
        weight_space.chart(replace(run, landscapes=(replace(grid, meta={**grid.meta, **meta}),)))
        for meta in ({"centre_loss": 1.0, "centre_loss_se": 0.25}, {"centre_loss": 1.001})
    )
    assert "the same as the checkpoint measured by itself" in same.summary
    row = same.table[same.table["what"] == "checkpoint measured by itself"]
    assert row[["value", "standard error"]].to_numpy().tolist() == [[1.0, 0.25]]
    assert same.numbers["warnings"] == []
    assert "the checkpoint measured by itself has 1.001" in other.summary
    [warning] = other.numbers["warnings"]
    assert "grid may be of other weights or samples. Measure it again." in warning
    assert other.notes[0] == warning
    assert weight_space.chart(run).numbers["own_centre"] is None


@pytest.mark.parametrize("given", [True, math.nan, "1", None, [1.0]])
def test_a_centre_that_is_no_number_is_none(run, given):
    """A file may say anything of itself."""
    chart = weight_space.chart(with_grid(run, np.eye(3) + 1, meta={"centre_loss": given}))
    assert chart.numbers["own_centre"] is None


def test_problems_of_the_measurement_are_told(run):
    """First of all notes; of very many ten, and what is no sentence is not taken for one."""
    told = [f"step-{i}.pt is damaged <b>." for i in range(12)]
    chart = weight_space.chart(with_grid(run, np.eye(3) + 1, meta={"problems": [*told, 3]}))
    warnings = chart.numbers["warnings"]
    assert warnings[0] == "When it was measured: step-0.pt is damaged &lt;b&gt;."
    assert len(warnings) == 11
    assert "2 more" in warnings[-1]
    assert list(chart.notes[:11]) == warnings
    odd = weight_space.chart(with_grid(run, np.eye(3) + 1, meta={"problems": "none"}))
    assert odd.numbers["warnings"] == []


def test_a_path_has_its_own_reward_where_that_was_measured(run):
    """As its own loss: at its height, and beside the nearest nodes."""
    path = replace(run.landscapes[0].path, reward=np.array([0.1, 0.2, 0.9]))
    chart = weight_space.chart(with_grid(run, {"reward": np.eye(3) + 1}, path=path))
    drawn = next(t for t in chart.figure.data if str(t.name).startswith("path,"))
    np.testing.assert_allclose(drawn.z, [0.1, 0.2, 0.9], rtol=1e-6)


def test_the_path_fades_with_its_distance_from_the_plane():
    """From a colour of its own to grey; an unknown distance is not faded."""
    near, half, far, unknown = faded(np.array([0.0, 0.5, 1.0, np.nan]))
    assert near == unknown == "#e6308a"
    assert far == "#b4b4b4"
    assert half not in (near, far)


def test_a_checkpoint_beside_the_grid_has_no_node():
    """Half a cell outside is the end; NaN has none either."""
    at, inside = nearest(np.array([0.0, 1.0, 3.0]), np.array([-0.6, -0.4, 1.9, 2.1, 3.9, np.nan]))
    assert at[:5].tolist() == [0, 0, 1, 2, 2]
    assert inside.tolist() == [False, True, True, True, True, False]


def test_a_checkpoint_outside_the_grid_stands_beside_no_node(run):
    """In the table and in the words; its own value is drawn all the same."""
    plane = run.landscapes[0]
    path = replace(plane.path, alpha=np.array([2.0, 0.4, 0.0]))
    chart = weight_space.chart(replace(run, landscapes=(replace(plane, path=path),)))
    rows = chart.table[chart.table["what"] == "checkpoint"]
    assert rows["nearest node"].isna().tolist() == [True, False, False]
    assert chart.numbers["path"]["compared"] == 2
    assert "1 checkpoint beside the measured grid." in chart.notes


def test_a_path_without_values_of_its_own_lies_on_the_floor(run):
    """Of a reward, the path's loss says nothing; it is told and not taken for one."""
    path = run.landscapes[0].path
    chart = weight_space.chart(with_grid(run, {"reward": np.eye(3) + 1}, path=path))
    drawn = next(t for t in chart.figure.data if str(t.name).startswith("path,"))
    floor = chart.figure.layout.scene.zaxis.range[0]
    np.testing.assert_allclose(drawn.z, [floor] * 3, rtol=1e-6)
    assert any("3 checkpoints without a reward" in note for note in chart.notes)
    assert "yaxis2" not in chart.flat.layout


def test_a_line_is_a_curve_with_its_band_and_its_barrier(run):
    """One flat picture; the barrier is above the mean of both ends (Frankle et al. 2020)."""
    chart = weight_space.chart(run, landscape="along")
    assert chart.figure is chart.flat
    low, high, curve = chart.flat.data
    np.testing.assert_allclose(np.asarray(high.y) - np.asarray(low.y), 0.2, rtol=1e-5)
    np.testing.assert_allclose(curve.y, run.landscapes[2].values["loss"], rtol=1e-6)
    assert chart.numbers["barrier"] == pytest.approx(1.0)
    assert "1 above the mean of both" in chart.summary
    assert "beta" not in chart.data().columns


def test_a_line_that_only_falls_has_its_top_at_an_end(run):
    """Nothing between the two checkpoints is said to be above both."""
    line = with_grid(run, np.linspace(3, 1, 5), alpha=np.linspace(0, 1, 5), meta={"kind": "line"})
    chart = weight_space.chart(line)
    assert chart.numbers["barrier"] == pytest.approx(1.0)
    assert "The highest loss on the way is that of one of both ends." in chart.summary
    assert "above the mean" not in chart.summary


def test_eigenvalues_stand_in_the_table_with_their_residuals(run):
    """And in the words, and in the data."""
    chart = weight_space.chart(run, landscape="random")
    rows = chart.table[chart.table["what"].str.startswith("Hessian")]
    assert rows["value"].tolist() == [4.0, 2.0]
    assert rows["residual norm"].tolist() == [1e-3, 2e-3]
    assert "eigenvalues of the loss's Hessian at the centre: 4 and 2" in chart.summary
    assert "did not converge" not in " ".join(chart.notes)
    loose = replace(run.landscapes[1], eigenvalue_residuals=np.array([1e-3, 0.05]))
    said = " ".join(weight_space.chart(replace(run, landscapes=(loose,))).notes)
    assert "at most 0.05. The search did not converge" in said
    data = chart.data()
    assert data.loc[data["part"] == "eigenvalue", "eigenvalue"].tolist() == [4.0, 2.0]


def test_the_height_is_logarithmic_where_the_values_span_decades(run):
    """By the rule of the other charts; a choice overrides it, where there are logarithms."""
    wide = with_grid(run, np.geomspace(1e-3, 1e3, 25).reshape(5, 5))
    chart = weight_space.chart(wide)
    assert chart.figure.layout.scene.zaxis.type == "log"
    assert trace(chart.figure, go.Surface).cmin == pytest.approx(-3)
    np.testing.assert_allclose(trace(chart.flat, go.Heatmap).z[0][0], -3, rtol=1e-6)
    assert weight_space.chart(wide, scale="linear").figure.layout.scene.zaxis.type == "linear"
    with pytest.raises(ChartError, match="choose the scale linear"):
        weight_space.chart(with_grid(run, np.eye(3)), scale="log")


def test_two_checkpoints_share_one_scale(run):
    """Ranges and colours hold both; a logarithmic one only where both allow it."""
    low, high = with_grid(run, np.eye(3) + 1), with_grid(run, 5 * np.eye(3) + 1)
    charts = compare.side_by_side([[low], [high]], "weight-space", landscapes=("only", "only"))
    first, second = (trace(one.figure, go.Surface) for one in charts)
    assert (first.cmin, first.cmax) == (second.cmin, second.cmax) == (1, 6)
    heights = [one.figure.layout.scene.zaxis.range for one in charts]
    assert heights[0] == heights[1]


@pytest.mark.parametrize(
    ("kind", "there", "not_there"),
    [
        ("random", ["a few directions of negative curvature are easily missed"], "by construction"),
        ("pca", ["by construction", "Here they explain 90 %"], "nearly orthogonal"),
        ("", ["How the directions were chosen is not recorded"], "by construction"),
    ],
)
def test_each_kind_has_its_caveats(run, kind, there, not_there):
    """And all of them: a slice, sharpness, and that only nodes were measured."""
    meta = {"kind": kind, "explained": [0.7, 0.2]}
    notes = " ".join(weight_space.chart(with_grid(run, np.eye(3) + 1, meta=meta)).notes)
    for words in (
        *there,
        "Dinh et al. 2017",
        "a slice of two of very many",
        "nothing was measured",
    ):
        assert words in notes
    assert not_there not in notes


@pytest.mark.parametrize(
    ("directions", "said"),
    [
        ("pca_{}.h5", "is not recorded beyond the name of their file, pca_{}.h5; along random"),
        ([1, 2], "is not recorded; along random"),
    ],
)
def test_the_file_of_the_directions_is_named_where_no_more_is_known(run, directions, said):
    """Its name may say how they were chosen, and nothing is read out of it."""
    chart = weight_space.chart(with_grid(run, np.eye(3) + 1, meta={"directions": directions}))
    assert said in " ".join(chart.notes)


def test_what_the_directions_are_is_a_note_and_of_a_line_the_axis(run):
    """Long titles run into a scene; alpha and beta do not, and the words use them."""
    meta = {"title_alpha": "share of the way to step 0", "title_beta": "<b>2</b>"}
    plane = weight_space.chart(with_grid(run, np.eye(3) + 1, meta=meta))
    assert plane.figure.layout.scene.xaxis.title.text == "alpha"
    assert "alpha: share of the way to step 0; beta: &lt;b&gt;2&lt;/b&gt;." in plane.notes
    assert not any(note.startswith("alpha") for note in weight_space.chart(run).notes)
    ends = run.landscapes[0].path
    line = weight_space.chart(with_grid(run, np.ones(3), meta=meta, path=ends))
    assert "checkpoint" not in line.summary
    assert line.numbers["barrier"] is None  # 0 and 1 are its ends only where it says so
    assert line.flat.layout.xaxis.title.text == "alpha: share of the way to step 0"


def test_a_path_on_a_random_plane_is_said_to_look_flat(run):
    """It is no property of the path (Li et al. 2018)."""
    path = run.landscapes[0].path
    notes = weight_space.chart(with_grid(run, np.eye(3), path=path, meta={"kind": "random"})).notes
    assert any("nearly orthogonal to any path" in note for note in notes)


def test_it_is_never_called_a_fitted_surface(run):
    """Title, words and numbers speak of nodes."""
    for name in ("plane", "random", "along"):
        chart = weight_space.chart(run, landscape=name)
        assert chart.title == "Weight space"
        assert "surface" not in chart.summary
        assert chart.summary.endswith("as it was measured: nothing is fitted.")


def test_large_grids_are_thinned_in_the_picture_alone(run):
    """500 x 400 nodes: every third is drawn, told, and below 1 MB; the words hold the extremes."""
    loss = np.random.default_rng(0).uniform(1, 2, (400, 500))
    loss[7, 7] = 0.5
    chart = weight_space.chart(with_grid(run, loss, errors={"loss": loss / 9}))
    assert np.asarray(trace(chart.figure, go.Surface).z).shape == (134, 167)
    assert "One in 3 rows" in chart.figure.layout.title.text.replace("<br>", " ")
    assert len(chart.figure.to_json()) < 1_000_000
    assert len(chart.flat.to_json()) < 1_000_000
    assert chart.numbers["lowest"] == {"value": 0.5, "alpha": 7.0, "beta": 7.0}
    assert len(chart.data()) == loss.size


@pytest.mark.parametrize("values", [np.ones((3, 3)), np.ones((1, 1)), np.ones((1, 4)), np.ones(1)])
def test_flat_and_tiny_grids_are_drawn(run, values):
    """All equal, one node, one row."""
    chart = weight_space.chart(with_grid(run, values, errors={"loss": 0 * values}))
    assert chart.numbers["lowest"]["value"] == chart.numbers["highest"]["value"] == 1


def test_what_is_not_there_is_said(run, measured):
    """No landscape, no such name, nothing finite, and more than one run."""
    with pytest.raises(MissingMetric, match=r"measured in weight space.*viz3d\.landscape\("):
        weight_space.chart(load_run(measured, "bare"))
    with pytest.raises(BadArgument, match="has no 'x'; choose one of: plane, random, along"):
        weight_space.chart(run, landscape="x")
    with pytest.raises(BadArgument, match="has no 'reward'; choose one of: loss"):
        weight_space.chart(run, quantity="reward")
    with pytest.raises(ChartError, match="has a finite loss"):
        weight_space.chart(with_grid(run, np.full((2, 2), np.nan)))
    with pytest.raises(BadArgument, match="shows one run, not 2"):
        make_chart("weight-space", [run, run])


def test_provenance_and_bytes_are_stable(run):
    """The same run gives the same figure, which says what it was made of."""
    chart = weight_space.chart(run, landscape="plane")
    assert weight_space.chart(run, landscape="plane").flat.to_json() == chart.flat.to_json()
    meta = json.loads(chart.figure.to_json())["layout"]["meta"]["viz3d"]
    assert meta["kind"] == "weight-space"
    assert meta["settings"] == {"landscape": "plane", "quantity": "loss", "scale": "auto"}
    assert meta["runs"][0]["digest"] == run.digest


def test_the_real_grids_are_drawn(real_data):
    """Loss and accuracy around four epochs on one scale, and an RL policy's rewards."""
    runs = load_runs(real_data / "weight-space-hdf5")
    charts = compare.side_by_side([[run] for run in runs], "weight-space", quantity="train_acc")
    assert len({chart.figure.layout.scene.zaxis.range for chart in charts}) == 1
    rewards = weight_space.chart(load_run(real_data / "reward-surfaces"))
    assert rewards.numbers["centre"] == pytest.approx(162.7, abs=0.1)
