"""Li et al.'s grids in HDF5, and long tables with a row for each node."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from viz3d import load_run, load_runs
from viz3d.errors import NoFormat, NotMine
from viz3d.figures import weight_space
from viz3d.formats import csv_any, landscape_hdf5, limits

from .conftest import Reader, said

X, Y = np.linspace(-1, 1, 3), np.linspace(0, 1, 2)


def write(path: Path, **parts: Any) -> Path:
    """Write an HDF5 file with one dataset for each part."""
    with h5py.File(path, "w") as file:
        for name, part in parts.items():
            file[name] = part
    return path


def test_rows_are_y_although_the_array_is_made_the_other_way(tmp_path: Path) -> None:
    """Their script makes (nx, ny) and fills it in the order of meshgrid, whose rows are y."""
    x, y = np.meshgrid(X, Y)
    made = np.zeros((3, 2))
    made.ravel()[:] = (5 + x + 10 * y).ravel()
    where = "nets/sgd_PCA/m.t7_weights_xignore=biasbn_xnorm=filter.h5"
    path = write(tmp_path / "surface.h5", xcoordinates=X, ycoordinates=Y, train_acc=made,
                 train_loss=made, dir_file=where)  # fmt: skip
    [grid] = load_run(path).landscapes
    np.testing.assert_allclose(grid.values["train_loss"], 5 + x + 10 * y)
    assert list(grid.values) == ["train_loss", "train_acc"]
    assert grid.meta["normalisation"] == "filter"
    assert grid.meta["ignored"] == "biasbn"
    assert len(load_run(path).problems) == 0


def test_minus_one_is_not_measured_yet(tmp_path: Path) -> None:
    """It is the placeholder of an unfinished grid; the others stay."""
    made = np.arange(6.0).reshape(3, 2) - 1
    path = write(tmp_path / "surf.h5", xcoordinates=X, ycoordinates=Y, train_loss=made)
    run = load_run(path)
    values = run.landscapes[0].values["train_loss"]
    assert np.isnan(values).sum() == 1
    assert values[0, 1:].tolist() == [0.0, 1.0]
    assert "1 of 6 nodes of surf have no train_loss" in str(run.problems[0])


def test_one_direction_is_a_line(tmp_path: Path) -> None:
    """Without y coordinates; and weights beside it are not asked for."""
    path = write(tmp_path / "net_[-1.0,1.0,3].h5", xcoordinates=X, train_loss=X**2)
    [grid] = load_run(path).landscapes
    assert grid.beta is None
    assert grid.values["train_loss"].tolist() == [1.0, 0.0, 1.0]
    assert landscape_hdf5.claim("model.weights.h5") is None


def test_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    """Neither external links nor storage in another file is read."""
    write(tmp_path / "secret.h5", xcoordinates=X)
    with h5py.File(tmp_path / "surf.h5", "w") as file:
        file["xcoordinates"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "xcoordinates")
        file["train_loss"] = X
    with pytest.raises(NoFormat, match="has no 'xcoordinates'"):
        load_run(tmp_path / "surf.h5")


def test_sizes_are_looked_at_before_anything_is_read(tmp_path: Path) -> None:
    """A dataset that unpacks to more than a landscape is refused by what it says of itself."""
    path = write(tmp_path / "surf.h5", xcoordinates=X, ycoordinates=Y)
    with h5py.File(path, "a") as file:
        shape = (limits.GRID_NODES, 10)
        file.create_dataset("train_loss", shape, "f8", chunks=(1000, 10), compression="gzip")
    with pytest.raises(NoFormat, match="more than 1,000,000 values"):
        load_run(path)


@pytest.mark.parametrize(
    ("content", "why"), [(b"no", "no HDF5 file"), (b"\x89HDF\r\n\x1a\ncut", "no complete HDF5")]
)
def test_what_is_none_is_declined(read: Reader, content: bytes, why: str) -> None:
    """By its first bytes, or by the library."""
    with pytest.raises(NotMine, match=why):
        read(landscape_hdf5, {"surf.h5": content})


def test_without_h5py_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to install it; every other run is read."""
    write(tmp_path / "surf.h5", xcoordinates=X, train_loss=X)
    (tmp_path / "a.csv").write_text("step,loss\n0,1\n1,2\n", "utf-8")
    monkeypatch.setitem(sys.modules, "h5py", None)
    [run] = load_runs(tmp_path)
    assert run.name == "a.csv"
    assert "needs the package h5py; run `pip install h5py`" in str(run.problems[-1])


PCA = "nets/PCA_weights_save_epoch=1/directions.h5"
PATH_X, PATH_Y = np.array([0.8, 0.3, 0.0]), np.array([0.9, -0.2, 0.0])


def surface_and_path(folder: Path, dir_file: str, method: str = "cos", **path: Any) -> Path:
    """Write a surface and, beside it, a path on directions of that name."""
    write(folder / "surface.h5", xcoordinates=X, ycoordinates=Y, train_loss=np.ones((3, 2)),
          dir_file=dir_file)  # fmt: skip
    path = path or {"proj_xcoord": PATH_X, "proj_ycoord": PATH_Y}
    write(folder / f"directions.h5_proj_{method}.h5", **path)
    return folder


def test_a_projected_path_lies_on_the_plane_of_its_directions(tmp_path: Path) -> None:
    """What its file does not hold is unknown: steps, distances, losses; nothing is made up."""
    run = load_run(surface_and_path(tmp_path, PCA))
    [grid] = run.landscapes
    assert grid.path is not None
    np.testing.assert_array_equal(grid.path.alpha, PATH_X)
    np.testing.assert_array_equal(grid.path.beta, PATH_Y)
    assert np.isnan(grid.path.residual).all()
    assert np.isnan(grid.path.loss).all()
    assert not run.problems
    chart = weight_space.chart(run)
    words = " ".join(chart.notes)
    assert "3 checkpoints at an unknown distance from the plane are not faded." in words
    assert "Steps of the checkpoints are not recorded" in words
    assert "The path has 3 checkpoints." in chart.summary
    [drawn] = [t for t in chart.flat.data if str(t.name).startswith("path")]
    assert drawn.name == "path, at an unknown distance from the plane"
    assert len(set(drawn.marker.color)) == 1
    assert "off the plane" not in drawn.hovertemplate
    assert "step" not in drawn.hovertemplate
    rows = chart.table[chart.table["what"] == "checkpoint"]
    assert rows["number"].tolist() == [0, 1, 2]
    assert rows["off the plane (%)"].isna().all()
    data = chart.data()
    assert "step" not in data
    assert data.loc[data["part"] == "path", "checkpoint"].tolist() == [0, 1, 2]


def test_a_path_on_other_directions_is_left_out_and_told(tmp_path: Path) -> None:
    """Coordinates along other directions are other places."""
    run = load_run(surface_and_path(tmp_path, "nets/PCA_other/main.h5"))
    assert run.landscapes[0].path is None
    assert "no plane here is recorded to be along the directions directions.h5" in str(
        run.problems[0]
    )


def test_distances_are_not_taken_for_multiples_of_directions(tmp_path: Path) -> None:
    """Their 'cos' gives lengths, which are the nodes' unit for unit directions alone."""
    run = load_run(surface_and_path(tmp_path, "nets/directions.h5"))
    assert run.landscapes[0].path is None
    assert "proj_method='lstsq'" in str(run.problems[0])
    (tmp_path / "solved").mkdir()
    run = load_run(surface_and_path(tmp_path / "solved", "nets/directions.h5", "lstsq"))
    assert run.landscapes[0].path is not None


@pytest.mark.parametrize(
    "path",
    [
        {"proj_xcoord": PATH_X},
        {"proj_xcoord": PATH_X, "proj_ycoord": PATH_Y[:2]},
        {"proj_xcoord": PATH_X, "proj_ycoord": np.array([0, np.nan, 1])},
        {"proj_xcoord": X[:0], "proj_ycoord": X[:0]},
    ],
)
def test_a_path_that_is_none_costs_only_itself(tmp_path: Path, path: dict[str, Any]) -> None:
    """The surface stays, and the reason is told."""
    run = load_run(surface_and_path(tmp_path, PCA, **path))
    assert run.landscapes[0].path is None
    assert "HDF5 path" in str(run.problems[0])


def test_a_long_table_is_a_grid_where_it_fills_one(read: Reader) -> None:
    """Rows in any order, a node left out, one twice; alpha and beta of a history are metrics."""
    rows = [f"{a},{b},{10 * a + b}" for a in (2, 0, 1) for b in (1, 0)]
    text = "\n".join(["alpha,beta,reward", *rows[:-1], "2,1,99"])
    [parsed] = read(csv_any, {"r.csv": text})
    [grid] = parsed.landscapes
    assert grid.values["reward"][1].tolist() == [1.0, 11.0, 99.0]
    assert np.isnan(grid.values["reward"][0, 1])
    assert "1 node stood twice" in said(parsed)
    assert "1 of 6 nodes of r have no reward" in said(parsed)
    for history in ("alpha,beta,loss\n1,2,3\n2,3,4\n3,4,5\n", "step,alpha,beta\n0,0,0\n1,1,1\n"):
        [parsed] = read(csv_any, {"h.csv": history})
        assert not parsed.landscapes
        assert parsed.rows is not None


def test_the_real_grids(real_data: Path) -> None:
    """Four epochs of 21 x 21 nodes, and an RL policy's 11 x 11 with its config beside it."""
    runs = load_runs(real_data / "weight-space-hdf5")
    assert [run.landscapes[0].nodes for run in runs] == [441] * 4
    assert all(list(run.landscapes[0].values) == ["train_loss", "train_acc"] for run in runs)
    run = load_run(real_data / "reward-surfaces")
    [grid] = run.landscapes
    assert grid.nodes == 121
    assert not np.isnan(grid.values["episode_rewards"]).any()
    assert grid.values["episode_rewards"][3, 2] == 79.85026095494511  # dim1 -0.4, dim0 -0.6
    assert len(grid.values) == 9
    assert run.config["env"] == "HopperPyBulletEnv-v0"
    assert "2 columns repeat a coordinate" in " ".join(map(str, run.problems))


def test_what_numpy_has_not_is_left_out(tmp_path: Path) -> None:
    """Times have no type there, and a text may have no value."""
    path = write(tmp_path / "surf.h5", xcoordinates=X, train_loss=X**2)
    with h5py.File(path, "a") as file:
        file["dir_file"] = h5py.Empty(h5py.string_dtype())
        h5py.h5d.create(file.id, b"when", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((2,)))
    run = load_run(path)
    assert run.landscapes[0].values["train_loss"].tolist() == [1.0, 0.0, 1.0]
    assert "1 part that is no array of numbers was left out (when)" in str(run.problems[0])
