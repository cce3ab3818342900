"""viz3d.landscape with checkpoints: planes through a path, lines, files that nobody trusts."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch import nn

import viz3d
from viz3d.errors import BadArgument
from viz3d.record.landscape import path as path_module

torch.set_num_threads(1)  # the cores are shared by several workers

CURVATURE = torch.linspace(1, 12, 12, dtype=torch.float64).reshape(3, 4)


class Quadratic(nn.Module):
    """Half of curvature times the square, weight by weight; a buffer that the loss adds."""

    def __init__(self, weight=None, offset=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 4, dtype=torch.float64))
        self.register_buffer("offset", torch.tensor(offset, dtype=torch.float64))
        if weight is not None:
            self.weight.data.copy_(weight)

    def forward(self):
        """Return the loss."""
        return 0.5 * (CURVATURE * self.weight.square()).sum() + self.offset


def loss(model, _):
    return model()


def unit(i):
    return torch.eye(12, dtype=torch.float64)[i].reshape(3, 4)


def state(weight, offset=0.0):
    return Quadratic(weight, offset).state_dict()


def in_a_plane():
    """Four checkpoints in the plane of two axes, farther along the one of curvature 6."""
    places = [(5.0, 2.0), (3.0, 1.0), (1.0, -1.0), (0.5, 0.0)]
    return {10 * i: state(a * unit(5) + b * unit(1)) for i, (a, b) in enumerate(places, 1)}


def test_checkpoints_that_lie_in_a_plane_have_no_residual():
    """And the plane's loss below each of them is the checkpoint's own."""
    found = viz3d.landscape(Quadratic(), loss, [0], kind="pca", checkpoints=in_a_plane())
    assert found.path.residual == pytest.approx(np.zeros(4), abs=1e-12)
    assert found.path.step.tolist() == [10, 20, 30, 40]
    assert found.path.step.dtype == np.int64
    assert np.hypot(found.path.alpha, found.path.beta) == pytest.approx(
        [np.hypot(5, 2), np.hypot(3, 1), np.hypot(1, 1), 0.5]
    )
    assert found.path.loss == pytest.approx([79, 28, 4, 0.75])  # (6 a^2 + 2 b^2) / 2
    assert sum(found.meta["explained"]) == pytest.approx(1)
    assert found.meta["explained"][0] > found.meta["explained"][1]


def test_the_curvature_along_the_principal_directions_is_the_losss():
    """Two steps along axes of curvature 6 and 2: those are the directions."""
    checkpoints = {1: state(4 * unit(5)), 2: state(2 * unit(1))}
    found = viz3d.landscape(Quadratic(), loss, [0], kind="pca", checkpoints=checkpoints, points=9)
    column, row = (int(np.flatnonzero(axis == 0)[0]) for axis in (found.alpha, found.beta))
    for axis, line, at, curvature in (
        (found.alpha, found.values["loss"][row], column, 6),
        (found.beta, found.values["loss"][:, column], row, 2),
    ):
        second = (line[at + 1] - 2 * line[at] + line[at - 1]) / (axis[1] - axis[0]) ** 2
        assert second == pytest.approx(curvature, rel=0.01)
    assert found.alpha[-1] > 4
    assert found.beta[-1] > 2


def test_the_residual_is_the_distance_from_the_plane(monkeypatch):
    """3 along a third axis at distance 5 is 0.6; blocks of weights change nothing."""
    checkpoints = {
        1: state(40 * unit(5)),
        2: state(20 * unit(1)),
        3: state(4 * unit(5) + 3 * unit(8)),
    }
    found = [
        viz3d.landscape(
            Quadratic(), loss, [0], kind="pca", checkpoints=checkpoints, points=3
        ).path.residual
    ]
    assert found[0][2] == pytest.approx(0.6, abs=0.01)  # the third pulls the plane a little
    away = np.stack([c["weight"].double().numpy().ravel() for c in checkpoints.values()])
    plane = np.linalg.svd(away, full_matrices=False)[2][:2]
    off = np.linalg.norm(away - away @ plane.T @ plane, axis=1) / np.linalg.norm(away, axis=1)
    assert found[0] == pytest.approx(off, rel=1e-6)
    monkeypatch.setattr(path_module, "BLOCK", 5)
    found.append(
        viz3d.landscape(
            Quadratic(), loss, [0], kind="pca", checkpoints=checkpoints, points=3
        ).path.residual
    )
    assert found[0] == pytest.approx(found[1], abs=1e-12)


def test_a_path_on_a_random_plane_lies_far_from_it():
    """Random directions are nearly orthogonal to a path; the residual says it."""
    torch.manual_seed(0)
    model = nn.Linear(200, 50)
    checkpoints = {7: {name: t + 1 for name, t in model.state_dict().items()}}
    checkpoints[8] = {name: t.clone() for name, t in model.state_dict().items()}
    found = viz3d.landscape(
        model, lambda m, b: m(b).mean(1), [torch.ones(2, 200)], checkpoints=checkpoints, points=3
    )
    assert found.path.residual[0] > 0.95
    assert (found.path.alpha[1], found.path.beta[1], found.path.residual[1]) == (0, 0, 0)
    assert found.meta["centre_step"] == 8  # it is the model itself


def test_a_line_ends_at_both_checkpoints_themselves():
    """Weights and buffers: the ends are the checkpoints' own losses, the middle the parabola's."""
    ends = {100: state(2 * unit(0), 5.0), 200: state(-2 * unit(0), 7.0)}
    model = Quadratic(unit(3))
    found = viz3d.landscape(
        model, loss, [0], kind="line", checkpoints=ends, points=5, centre_step=3
    )
    assert found.beta is None
    assert found.alpha.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.values["loss"] == pytest.approx([7, 6, 6, 7, 9])
    assert found.path.loss == pytest.approx([7, 9])
    assert found.path.alpha == pytest.approx([0, 1])
    assert found.path.beta.tolist() == [0, 0]
    assert found.path.residual == pytest.approx([0, 0], abs=1e-12)
    assert found.meta["centre_step"] == 100  # the model, whatever its step, is no part of it
    assert torch.equal(model.weight, unit(3))


def test_a_line_from_the_model_to_one_checkpoint():
    """The model's own weights are the other end."""
    found = viz3d.landscape(
        Quadratic(2 * unit(0)), loss, [0], kind="line", checkpoints={9: state(0 * unit(0))},
        alpha=[0, 1, 2], centre_step=4,
    )  # fmt: skip
    assert found.values["loss"] == pytest.approx([2, 0, 2])
    assert found.path.step.tolist() == [9]
    assert found.meta["centre_step"] == 4
    same = {9: state(2 * unit(0))}
    with pytest.raises(BadArgument, match="same weights"):
        viz3d.landscape(Quadratic(2 * unit(0)), loss, [0], kind="line", checkpoints=same)


def test_each_checkpoint_is_measured_with_its_own_buffers():
    """What one does not hold is the model's own, not what another left behind."""
    checkpoints = {1: state(0 * unit(0), 5.0), 2: state(2 * unit(0)), 3: state(unit(1))}
    del checkpoints[2]["offset"]
    model = Quadratic(offset=0.5)
    found = viz3d.landscape(model, loss, [0], kind="pca", checkpoints=checkpoints, points=3)
    assert found.path.loss == pytest.approx([5, 2.5, 1])
    assert found.values["loss"].min() >= 0.5  # on the plane the buffers are the centre's


def test_checkpoints_on_one_line_span_no_plane():
    """Rounding error is no direction."""
    checkpoints = {i: state(i * unit(5)) for i in (1, 2, 3)}
    with pytest.raises(BadArgument, match="do not span a plane"):
        viz3d.landscape(Quadratic(), loss, [0], kind="pca", checkpoints=checkpoints)


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        import os

        return os.mkdir, (self.path,)


def test_files_give_their_step_and_bad_ones_are_left_out(tmp_path, caplog):
    """Whole trainers' files, wrapped names, numbers in names; nothing in a file is run."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    torch.save(state(4 * unit(5)), folder / "model_000650.pt")
    wrapped = {f"_orig_mod.{name}": t for name, t in state(2 * unit(1)).items()}
    torch.save({"model": wrapped, "optimizer": {}, "step": 700}, folder / "ckpt.pt")
    torch.save(state(unit(2)), folder / "old-3.pt", _use_new_zipfile_serialization=False)
    torch.save({"weight": torch.zeros(2, 2)}, folder / "other-1.pt")
    torch.save(state(unit(1) * float("nan")), folder / "diverged-800.pt")
    torch.save(state(unit(1)), folder / "last.pt")
    (folder / "cut-900.pt").write_bytes((folder / "model_000650.pt").read_bytes()[:300])
    (folder / "bomb-5.pt").write_bytes(pickle.dumps({"weight": Bomb(tmp_path / "ran")}, 2))
    torch.save({"weight": Bomb(tmp_path / "ran")}, folder / "bomb-6.pt")
    torch.save([unit(1)], folder / "list-4.pt")
    (folder / "notes-7.txt").write_text("no checkpoint")
    found = viz3d.landscape(Quadratic(), loss, [0], kind="pca", checkpoints=folder, points=3)
    assert found.path.step.tolist() == [3, 650, 700]
    assert found.path.loss == pytest.approx([1.5, 48, 4])
    assert not (tmp_path / "ran").exists()
    said = " ".join(found.meta["problems"])
    for name in ("other-1", "diverged-800", "last", "cut-900", "bomb-5", "bomb-6", "list-4"):
        assert name in said
        assert name in caplog.text
    assert "holds a list and no weights by name" in said
    assert len(found.meta["problems"]) == 7


@pytest.mark.parametrize(
    ("name", "held", "step"),
    [
        ("exp2026/a.pt", {}, None),
        ("checkpoint-500/pytorch_model.bin", {}, 500),
        ("global_step30/weights.pt", {}, 30),
        ("x/a.pt", {"step": torch.tensor(7)}, 7),
        ("x/b-9.pt", {"step": True}, 9),
        ("x/b-9.pt", {"step": torch.tensor([7])}, 9),
        ("x/b-9.pt", {"step": torch.tensor(7.5)}, 9),
        ("x/b-9.pt", {"step": 8.0, "iteration": 6}, 6),
    ],
)
def test_a_step_is_read_and_never_guessed(tmp_path, name, held, step):
    """From the file, its name, or a folder's that counts; the number of a project is none."""
    file = tmp_path / name
    file.parent.mkdir()
    torch.save({"model": state(unit(1)), **held}, file)
    asked = {"kind": "line", "checkpoints": [file], "points": 3}
    if step is None:
        with pytest.raises(BadArgument, match=r"a\.pt says no step"):
            viz3d.landscape(Quadratic(), loss, [0], **asked)
    else:
        assert viz3d.landscape(Quadratic(), loss, [0], **asked).path.step.tolist() == [step]


def test_directions_that_span_no_plane_have_a_path_all_the_same():
    """Of a single weight both random directions are one line; the path is where it is nearest."""
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(2.0)
    end = {1: {"weight": torch.tensor([[3.0]])}}
    found = viz3d.landscape(model, lambda m, _: m.weight, [0], checkpoints=end, points=3)
    assert abs(found.path.alpha[0]) + abs(found.path.beta[0]) == pytest.approx(0.5)
    assert found.path.residual[0] == pytest.approx(0, abs=1e-9)
    model.weight.data.zero_()
    with pytest.raises(BadArgument, match="all zero"):
        viz3d.landscape(model, lambda m, _: m.weight, [0], checkpoints=end, points=3)


def test_a_folder_or_file_that_is_not_there_is_said(tmp_path):
    """By name, with what to give instead."""
    with pytest.raises(BadArgument, match="no folder"):
        viz3d.landscape(Quadratic(), loss, [0], kind="pca", checkpoints=tmp_path / "none")
    ends = [tmp_path / "step-1.pt", tmp_path / "step-2.pt"]
    torch.save(state(unit(1)), ends[1])
    with pytest.raises(BadArgument, match=r"step-1\.pt is not there"):
        viz3d.landscape(Quadratic(), loss, [0], kind="line", checkpoints=ends)
