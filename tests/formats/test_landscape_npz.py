"""Landscapes as viz3d writes them: arrays in an archive, read within limits, never unpickled."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from viz3d import load_run, load_runs
from viz3d.errors import NoFormat, NotMine
from viz3d.formats import landscape_npz, limits
from viz3d.formats.grouping import group
from viz3d.load import list_runs, open_source

from .conftest import Reader, said

A = np.arange(3.0)
PLANE = {"alpha": np.arange(3.0), "beta": np.arange(2.0), "loss": np.arange(6.0).reshape(2, 3)}


def packed(**arrays: Any) -> bytes:
    """Return an archive of arrays."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def test_a_run_has_its_landscapes_planes_before_lines(measured: Path) -> None:
    """Arrays, standard errors, path, eigenvalues and how it was measured; the history beside it."""
    run = load_run(measured, "trained")
    assert [grid.name for grid in run.landscapes] == ["plane", "random", "along"]
    plane, random, along = run.landscapes
    assert len(run.history) == 20
    assert plane.values["loss"].shape == plane.errors["loss"].shape == (3, 5)
    assert plane.path is not None
    assert plane.path.step.tolist() == [0, 10, 20]
    assert plane.path.residual.tolist() == [0.9, 0.5, 0.0]
    assert random.eigenvalues is not None
    assert random.eigenvalues.tolist() == [4.0, 2.0]
    assert random.meta["centre_step"] == 20
    assert along.beta is None
    assert along.values["loss"].shape == (5,)


def test_a_folder_with_a_landscape_alone_is_a_run(tmp_path: Path) -> None:
    """Without a history; and so is a file of its own."""
    for place in ("r/landscape/random.npz", "my-landscape.npz"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packed(**PLANE))
    for name in ("r", "my-landscape.npz"):
        run = load_run(tmp_path, name)
        assert len(run.landscapes) == 1
        assert len(run.history) == 0
    assert landscape_npz.claim("data/train.npz") is None


def test_coordinates_are_put_in_order_with_their_values(read: Reader) -> None:
    """A grid may be written from high to low."""
    turned = PLANE | {"alpha": PLANE["alpha"][::-1], "loss": PLANE["loss"][:, ::-1]}
    [parsed] = read(landscape_npz, {"landscape/a.npz": packed(**turned)})
    [grid] = parsed.landscapes
    assert grid.alpha.tolist() == [0, 1, 2]
    assert grid.values["loss"].tolist() == PLANE["loss"].tolist()


def test_what_was_not_measured_is_missing_and_said(read: Reader) -> None:
    """NaN stands for it; an infinite loss is a value."""
    loss = PLANE["loss"].copy()
    loss[0] = [np.nan, np.inf, -1.0]
    [parsed] = read(landscape_npz, {"landscape/a.npz": packed(**PLANE | {"loss": loss})})
    np.testing.assert_array_equal(parsed.landscapes[0].values["loss"], loss)
    assert "1 of 6 nodes of a have no loss" in said(parsed)


def test_a_broken_one_costs_only_itself(read: Reader) -> None:
    """A torn archive, a path of two lengths, and meta that is no JSON."""
    good = packed(**PLANE, meta=np.array("no json"), path_alpha=np.zeros(2), path_loss=np.zeros(3))
    odd = packed(**PLANE, path_alpha=np.array(1.0), eigenvalues=np.zeros((2, 2)))
    files = {"landscape/a.npz": good[:200], "landscape/b.npz": good, "landscape/c.npz": odd}
    torn, whole, odd_one = read(landscape_npz, files)
    assert "no complete .npz archive" in said(torn)
    assert "different lengths" in said(whole)
    assert "no JSON object" in said(whole)
    for one in (*whole.landscapes, *odd_one.landscapes):
        assert one.path is one.eigenvalues is None


def test_two_of_one_name_get_numbers(tmp_path: Path) -> None:
    """A run knows its landscapes by name, and two formats may give the same."""
    (tmp_path / "landscape").mkdir()
    (tmp_path / "landscape" / "plane.npz").write_bytes(packed(**PLANE))
    (tmp_path / "plane.csv").write_text("dim0,dim1,loss\n0,0,1\n0,1,1\n1,0,1\n1,1,1\n", "utf-8")
    run = load_run(tmp_path)
    assert [grid.name for grid in run.landscapes] == ["plane #1", "plane #2"]


def bomb(name: str, content: bytes) -> bytes:
    """Return an archive with one more member, which packs well."""
    stream = io.BytesIO(packed(**PLANE))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def claiming(shape: tuple[int, ...]) -> bytes:
    """Return an array whose header claims a shape that is not there."""
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04 torn", "no complete .npz"),
        (bomb("loss_se.npy", bytes(limits.GRID_BYTES)), "unpacks to more"),
        (bomb("reward.npy", claiming((10**9, 10**6))), "no complete .npz"),
        (packed(**PLANE, meta=np.array({"a": 1}, dtype=object)), "no complete .npz"),
        (packed(**{f"x{i}": np.zeros(1) for i in range(99)}), "unpacks to more"),
        (packed(images=np.zeros(3)), "no arrays 'alpha'"),
        (packed(alpha=np.zeros(3), loss=np.zeros(3)), "stands twice"),
        (packed(alpha=np.array([0, np.nan]), loss=np.zeros(2)), "finite numbers"),
        (packed(alpha=np.arange(3.0), loss=np.zeros(4)), "shape of its grid"),
        (packed(alpha=np.array(["a"]), loss=np.zeros(1)), "holds no numbers"),
        (packed(alpha=np.arange(2e3), beta=np.arange(2e3), loss=np.zeros(1)), "nodes"),
    ],
)
def test_it_declines_with_a_reason(read: Reader, content: bytes, why: str) -> None:
    """Bombs, forged headers, pickles and other people's archives: each is one sentence."""
    with pytest.raises(NotMine, match=why):
        read(landscape_npz, {"landscape/a.npz": content})


def test_a_forged_header_takes_no_memory(read: Reader) -> None:
    """It claims 480 MB that are not there; nothing is set aside for them."""
    content = bomb("reward.npy", claiming((60_000_000,)))
    tracemalloc.start()
    with pytest.raises(NotMine, match=r"no complete \.npz"):
        read(landscape_npz, {"landscape/a.npz": content})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * limits.MIB


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    """An object whose unpickling would write a file is refused, and the file is not there."""
    trace = tmp_path / "was-here"

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (trace,)

    path = tmp_path / "landscape.npz"
    path.write_bytes(packed(**PLANE, meta=np.array(Trap(), dtype=object)))
    with pytest.raises(NoFormat, match="plain arrays"):
        load_run(path)
    assert not trace.exists()


def test_meta_is_read_as_json_and_nothing_else(read: Reader) -> None:
    """Numbers and texts come through."""
    meta = {"kind": "random", "n_samples": 64}
    content = packed(**PLANE, meta=np.array(json.dumps(meta)))
    [parsed] = read(landscape_npz, {"landscape/a.npz": content})
    assert dict(parsed.landscapes[0].meta) == meta


def test_a_landscape_is_known_by_what_it_holds_where_its_name_tells_nothing(tmp_path: Path) -> None:
    """On this disk; data sets and weights beside it are not listed, whatever they are called."""
    (tmp_path / "resnet.npz").write_bytes(packed(alpha=A, loss=A))
    (tmp_path / "data.npz").write_bytes(packed(x=A, y=A))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 cut")
    with h5py.File(tmp_path / "resnet56.h5", "w") as file:
        file["xcoordinates"], file["train_loss"] = A, A
    with h5py.File(tmp_path / "weights.hdf5", "w") as file:
        file["layer"] = A
    (tmp_path / "text.h5").write_text("no")
    names = {info.name for info in list_runs(open_source(tmp_path))}
    assert names == {"resnet.npz", "resnet56.h5"}
    assert all(run.landscapes for run in load_runs(tmp_path))


@pytest.mark.parametrize(
    ("name", "why"),
    [("data.npz", "no arrays 'alpha' and 'loss'"), ("data.h5", "no HDF5 file")],
)
def test_a_file_that_somebody_names_is_declined_with_a_reason(
    tmp_path: Path, name: str, why: str
) -> None:
    """Not with the words that there is nothing."""
    (tmp_path / name).write_bytes(packed(x=A))
    with pytest.raises(NoFormat, match=why):
        load_run(tmp_path / name)


def test_in_a_bucket_names_alone_decide() -> None:
    """Nothing is downloaded to look into it, unless it is known already."""
    assert group(["resnet.npz"]) == []
    assert group(["resnet.npz"], {"resnet.npz"})[0].formats == ("viz3d landscape",)


def test_a_listing_looks_into_so_many_files_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of a million arrays is listed all the same."""
    for i in range(4):
        (tmp_path / f"{i}.npz").write_bytes(packed(alpha=A, loss=A))
    monkeypatch.setattr("viz3d.load_listing.MOST", 3)
    assert len(load_runs(tmp_path)) == 3
