"""viz3d.landscape on the disk: the file, and a measure that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import viz3d
from viz3d.errors import ExportError
from viz3d.record.append import AppendFile

torch.set_num_threads(1)  # the cores are shared by several workers


class Calls:
    """Counts the calls of the loss and stops, or kills, the measure at one of them.

    Of an object that a loss names only the type belongs to the loss.
    """

    def __init__(self):
        self.n, self.stop, self.kill = 0, None, False

    def begin(self, stop=None, *, kill=False):
        """Count from 0, and stop at the call of this number."""
        self.n, self.stop, self.kill = 0, stop, kill

    def count(self):
        """Count a call, or stop there."""
        self.n += 1
        if self.n == self.stop:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt


calls = Calls()


def plain(model, batch):
    calls.count()
    return model(batch).square().mean(1)


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def batch(seed=0):
    return torch.randn(6, 3, generator=torch.Generator().manual_seed(seed))


def checkpoints():
    state = model().state_dict()
    return {i: {n: t + i * (t.dim() - i) for n, t in state.items()} for i in (1, 2, 3)}


def measure(loss, folder, seed=0, **settings):
    return viz3d.landscape(
        model(), loss, [batch(seed)],
        **{"kind": "pca", "checkpoints": checkpoints(), "points": 5, "eigenvalues": 1,
           "folder": folder, **settings},
    )  # fmt: skip


def arrays(grid):
    """Return all arrays of a landscape by the names that a file gives them."""
    path = {} if grid.path is None else {f"path_{n}": v for n, v in vars(grid.path).items()}
    held = {
        "alpha": grid.alpha, "beta": grid.beta, **grid.values, **path,
        **{f"{name}_se": values for name, values in grid.errors.items()},
        "eigenvalues": grid.eigenvalues, "eigenvalue_residuals": grid.eigenvalue_residuals,
    }  # fmt: skip
    return {name: values for name, values in held.items() if values is not None}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def test_the_file_holds_the_record_and_nothing_pickled(tmp_path):
    """Every array under its own name, and the rest as JSON."""
    found = measure(plain, tmp_path, reward_fn=plain)
    [file] = (tmp_path / "landscape").iterdir()
    assert file.name == "pca.npz"
    with np.load(file, allow_pickle=False) as stored:
        assert same(arrays(found), {n: stored[n] for n in stored.files if n != "meta"})
        assert stored["meta"].shape == ()
        assert json.loads(str(stored["meta"])) == dict(found.meta)
        assert all(stored[n].dtype == np.float64 for n in stored.files if "loss" in n)
        assert stored["path_step"].dtype == np.int64
    assert found.meta["schema"] == 1
    assert found.meta["version"] == viz3d.__version__
    line = measure(plain, tmp_path, kind="line", checkpoints={3: checkpoints()[3]}, name="to-3")
    with np.load(tmp_path / "landscape" / "to-3.npz", allow_pickle=False) as stored:
        assert "beta" not in stored.files
        assert "path_beta" not in stored.files
        assert stored["loss"].shape == (5,) == line.values["loss"].shape


@pytest.mark.parametrize("stop", [2, 11, 17, 30, 31])
def test_a_measure_that_was_stopped_goes_on_and_ends_the_same(tmp_path, stop):
    """Only the row in which it was stopped is measured again; 29 points are 29 calls."""
    whole = measure(plain, tmp_path / "whole")
    calls.begin(stop)
    with pytest.raises(KeyboardInterrupt):
        measure(plain, tmp_path / "cut")
    [rows] = (tmp_path / "cut" / "landscape").iterdir()
    rows.write_bytes(rows.read_bytes() + b'{"part": "row 4", "val')  # a line cut short
    calls.begin()
    found = measure(plain, tmp_path / "cut")
    n = calls.n
    assert same(arrays(found), arrays(whole))
    assert found.meta == whole.meta
    done = [1, 2, 3, 4, 9, 14, 19, 24, 29]  # calls after which a part is on the disk
    kept = max(n for n in done if n < stop)
    products = n - (29 - kept)
    assert 0 < products < 40  # the Hessian's
    assert [f.name for f in (tmp_path / "cut" / "landscape").iterdir()] == ["pca.npz"]


@pytest.mark.parametrize("change", [{"seed": 1}, {"points": 7}, {"kind": "random"}])
def test_rows_of_another_measure_do_not_count(tmp_path, change, caplog):
    """Other batches, another grid, other directions: measured anew, and said."""
    calls.begin(20)
    with pytest.raises(KeyboardInterrupt):
        measure(plain, tmp_path, name="x")
    found = measure(plain, tmp_path, name="x", **change)
    assert "measured anew" in caplog.text
    assert same(arrays(found), arrays(measure(plain, None, name="x", **change)))


def doubled(model, batch):
    calls.count()
    return 2 * model(batch).square().mean(1)


doubled.__qualname__ = plain.__qualname__


def test_rows_of_another_loss_of_the_same_name_do_not_count(tmp_path, caplog):
    """Two losses in one grid would be a landscape of none."""
    calls.begin(20)
    with pytest.raises(KeyboardInterrupt):
        measure(plain, tmp_path)
    found = measure(doubled, tmp_path)
    assert "other weights, batches, code or settings" in caplog.text
    assert same(arrays(found), arrays(measure(doubled, None)))


def test_rows_that_two_processes_wrote_into_one_file_are_told_apart(tmp_path, caplog):
    """Each row says of which measure it is; the other's do not count."""
    for seed, stop in ((1, 30), (0, 20)):
        calls.begin(stop)
        with pytest.raises(KeyboardInterrupt):
            measure(plain, tmp_path / str(seed), seed)
    file, other = (tmp_path / seed / "landscape" / ".pca.rows" for seed in "01")
    junk = b"[" * 100_000 + b"\n\0\xff\n[1]\n"
    file.write_bytes(other.read_bytes() + junk + file.read_bytes() + other.read_bytes())
    calls.begin()
    found = measure(plain, tmp_path / "0", eigenvalues=0)
    assert calls.n == 29 - 19
    assert same(arrays(found), arrays(measure(plain, None, eigenvalues=0)))
    assert "anew" not in caplog.text


KILLED = """
import sys
sys.path.insert(0, {tests!r})
import test_landscape_store as t
t.calls.begin(22, kill=True)
t.measure(t.plain, {folder!r})
"""


def test_a_killed_process_loses_only_its_row(tmp_path):
    """SIGKILL in the middle of the fourth row: three are on the disk, and the rest follows."""
    code = KILLED.format(tests=os.path.dirname(__file__), folder=str(tmp_path))  # noqa: PTH120
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert ended.returncode == -signal.SIGKILL
    calls.begin()
    found = measure(plain, tmp_path, eigenvalues=0)
    assert calls.n == 29 - 19
    assert same(arrays(found), arrays(measure(plain, None, eigenvalues=0)))


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_measured(tmp_path):
    """A minute of measuring is not lost to a wrong path."""
    (tmp_path / "file").write_text("")
    calls.begin()
    with pytest.raises(ExportError, match="'file' cannot be written"):
        measure(plain, tmp_path / "file")
    assert calls.n == 0


def test_a_disk_that_fills_while_measuring_is_told_once(tmp_path, caplog, monkeypatch):
    """The measure goes on in memory, and is stored if there is room again."""
    write = AppendFile.write

    def full(file, data):
        if b"row 2" in data:
            raise OSError(28, "No space left on device")
        write(file, data)

    monkeypatch.setattr(AppendFile, "write", full)
    found = measure(plain, tmp_path)
    assert same(arrays(found), arrays(measure(plain, None)))
    assert len(caplog.records) == 1
    assert "the measure goes on" in caplog.text
    assert [f.name for f in (tmp_path / "landscape").iterdir()] == ["pca.npz"]


def test_a_disk_that_fails_while_storing_leaves_what_was_there(tmp_path, monkeypatch):
    """A reader sees all of a file or what was there before; nothing half written stays."""
    measure(plain, tmp_path)
    file = tmp_path / "landscape" / "pca.npz"
    before = file.read_bytes()

    def half(_):
        assert (file.parent / f".pca.npz.{os.getpid()}").exists()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", half)
    measure(plain, tmp_path, seed=1)
    assert file.read_bytes() == before
    assert {f.name for f in file.parent.iterdir()} == {"pca.npz", ".pca.rows"}


def test_a_disk_that_fails_later_costs_the_file_and_not_the_result(tmp_path, caplog, monkeypatch):
    """The landscape is returned, and the parts stay."""

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    found = measure(plain, tmp_path)
    assert np.isfinite(found.values["loss"]).all()
    assert "could not be written (No space left on device)" in caplog.text
    assert [f.name for f in (tmp_path / "landscape").iterdir()] == [".pca.rows"]
