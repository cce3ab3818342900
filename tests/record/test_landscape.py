"""viz3d.landscape: what it measures, against models whose loss is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import viz3d
from viz3d.record.landscape.samples import Measure

torch.set_num_threads(1)  # the cores are shared by several workers


class Bowl(nn.Module):
    """Half the sum over filters of curvature times squared norm, and a bias that must not move."""

    def __init__(self, curvature=(1.0, 4.0, 9.0), width=4):
        super().__init__()
        torch.manual_seed(1)
        self.weight = nn.Parameter(torch.randn(len(curvature), width, dtype=torch.float64))
        self.bias = nn.Parameter(torch.ones(2, dtype=torch.float64))
        self.curvature = curvature

    def forward(self):
        """Return the loss."""
        curvature = torch.tensor(self.curvature, dtype=torch.float64)
        return 0.5 * (curvature * self.weight.square().sum(1)).sum() + 100 * self.bias.sum()


def scaled(model, batch):
    """Losses that differ from sample to sample: a factor of the bowl, and an offset."""
    return batch[0] * model() + batch[1]


def net(seed=0, normed=False):
    torch.manual_seed(seed)
    norm = nn.BatchNorm1d(8) if normed else nn.Identity()
    return nn.Sequential(
        nn.Linear(5, 8), norm, nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)
    ).double()  # fmt: skip


def examples(n=3, size=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        (
            torch.randn(size, 5, generator=generator, dtype=torch.float64),
            torch.randint(3, (size,), generator=generator),
        )
        for _ in range(n)
    ]


def entropy(model, batch):
    return functional.cross_entropy(model(batch[0]), batch[1], reduction="none")


def middle(values):
    return values[tuple(n // 2 for n in values.shape)]


def test_curvature_along_both_axes_is_the_bowls():
    """A direction with the filters' norms has curvature sum(c * |w|^2), whatever was drawn."""
    model = Bowl()
    found = viz3d.landscape(model, lambda m, _: m(), [0], points=9)
    norms = model.weight.detach().square().sum(1)
    expected = float((torch.tensor(model.curvature, dtype=torch.float64) * norms).sum())
    for axis, line in (
        (found.alpha, found.values["loss"][4]),
        (found.beta, found.values["loss"][:, 4]),
    ):
        second = (line[5] - 2 * line[4] + line[3]) / (axis[5] - axis[4]) ** 2
        assert second == pytest.approx(expected, rel=0.01)
    assert found.values["loss"].shape == (9, 9)
    assert found.values["loss"][4, 8] != found.values["loss"][8, 4]  # two different directions
    assert found.meta["normalisation"] == "filter"


def test_alpha_runs_along_the_columns_and_beta_along_the_rows():
    """A grid twice as wide as high, and the value at one corner from the parabolas."""
    wide = viz3d.landscape(Bowl(), lambda m, _: m(), [0], alpha=[-1, 0, 1, 2], beta=[0, 1])
    assert wide.values["loss"].shape == (2, 4)
    same = viz3d.landscape(Bowl(), lambda m, _: m(), [0], points=3)
    assert wide.values["loss"][:, :3].tolist() == same.values["loss"][1:].tolist()


def test_rescaling_a_relu_network_leaves_the_grid_as_it_is():
    """Li et al. 2018: times c and 1/c is the same function, and gets the same landscape."""
    model, other = net(), net()
    with torch.no_grad():
        other[0].weight *= 10
        other[0].bias *= 10
        other[4].weight /= 10
    grids = [
        viz3d.landscape(m, entropy, examples(), points=5).values["loss"] for m in (model, other)
    ]
    assert grids[0] == pytest.approx(grids[1], rel=1e-9)
    assert np.ptp(grids[0]) > 0.1


def test_filters_of_transposed_convolutions_lie_along_the_second_dimension():
    """Curvature by output channel: the direction's channels have the norms of the model's."""
    torch.manual_seed(0)
    model = nn.ConvTranspose1d(2, 3, 2).double()
    curvature = torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64)

    def loss(model, _):
        return 0.5 * (curvature * model.weight.square().sum((0, 2))).sum()

    line = viz3d.landscape(model, loss, [0], points=3).values["loss"][1]
    assert "1 of 2 tensors" in viz3d.landscape(model, loss, [0], points=3).meta["ignored"]
    assert line[2] - 2 * line[1] + line[0] == pytest.approx(2 * line[1])


def test_the_centre_is_the_checkpoints_own_loss():
    """In evaluation mode: no dropout, running statistics as they are."""
    model = net(normed=True).float()
    batches = [(x.float(), y) for x, y in examples()]
    model(batches[0][0])  # statistics that are not the initial ones
    found = viz3d.landscape(model, entropy, batches, points=3)
    model.eval()
    with torch.no_grad():
        own = torch.cat([entropy(model, batch) for batch in batches]).mean().item()
    assert middle(found.values["loss"]) == pytest.approx(own, rel=1e-6)
    assert found.meta["centre_loss"] == middle(found.values["loss"])
    assert found.meta["precision"] == "float32"


def test_the_standard_error_is_that_of_the_mean():
    """Losses s * q + e of n samples: std(s * q + e) / sqrt(n), at every point."""
    generator = torch.Generator().manual_seed(3)
    batches = [torch.rand(2, size, generator=generator, dtype=torch.float64) for size in (20, 5)]
    model = Bowl()
    found = viz3d.landscape(model, scaled, batches, points=3)
    s, e = torch.cat(batches, dim=1).numpy()
    q = (found.values["loss"] - e.mean()) / s.mean()
    expected = np.sqrt(
        q**2 * s.var(ddof=1) + 2 * q * np.cov(s, e)[0, 1] + e.var(ddof=1)
    ) / math.sqrt(25)  # fmt: skip
    assert found.errors["loss"] == pytest.approx(expected, rel=1e-9)
    assert (found.meta["n_samples"], found.meta["n_batches"]) == (25, 2)


def test_standard_errors_cover_the_true_mean_as_often_as_they_say():
    """Of 4,000 draws of 40 losses 1.96 of them hold the mean in 94.3 %, as Student has it."""
    generator = torch.Generator().manual_seed(0)
    model, held = nn.Linear(1, 1), 0
    for _ in range(4_000):
        batches = torch.randn(2, 20, generator=generator, dtype=torch.float64).unbind()
        [mean] = Measure(model, batches, lambda _, batch: 3 + 2 * batch, None, 0)()
        held += abs(mean.value - 3) <= 1.96 * mean.se
    assert held / 4_000 == pytest.approx(0.943, abs=0.012)  # three binomial standard errors


def test_tied_weights_move_as_one():
    """A line ends at the other checkpoint itself, and the tie is still there."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU(), nn.Linear(4, 4, bias=False))
    model[2].weight = model[0].weight
    end = {name: weight + 0.1 for name, weight in model.state_dict().items()}
    batch = torch.randn(8, 4)
    found = viz3d.landscape(model, squares, [batch], kind="line", checkpoints={1: end}, points=3)
    assert model[2].weight is model[0].weight
    model.load_state_dict(end)
    assert found.values["loss"][-1] == pytest.approx(squares(model, batch).mean().item(), rel=1e-6)


def squares(model, batch):
    return model(batch).float().square().mean(1)


def test_bfloat16_is_moved_in_single_precision_and_put_back_to_the_bit():
    """The centre is the checkpoint's own; what the precision was is recorded."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4)).bfloat16()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    batch = torch.randn(8, 4).bfloat16()
    found = viz3d.landscape(model, squares, [batch], points=3, eigenvalues=1)
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert middle(found.values["loss"]) == found.meta["centre_loss"]
    assert middle(found.values["loss"]) == pytest.approx(squares(model, batch).mean().item())
    assert found.meta["precision"] == "bfloat16"
    assert found.eigenvalue_residuals[0] < 0.02 * found.eigenvalues[0]


def test_a_mean_per_batch_counts_as_one_sample():
    """What is not known per sample is not made up; one value has no standard error."""
    batches = [torch.tensor([1.0, 0.0]), torch.tensor([3.0, 0.0])]
    two = viz3d.landscape(Bowl(), scaled, batches, points=3)
    assert two.errors["loss"] == pytest.approx(two.values["loss"] / 2)  # q and 3q: mean 2q, error q
    one = viz3d.landscape(Bowl(), scaled, batches[:1], points=3)
    assert np.isnan(one.errors["loss"]).all()
    assert one.meta["centre_loss_se"] is None


def test_a_reward_plane_has_its_own_standard_error():
    """Rewards per episode, on the same points."""

    def reward(model, batch):
        return -scaled(model, batch)[:4]

    batches = [torch.rand(2, 8, generator=torch.Generator().manual_seed(0))]
    found = viz3d.landscape(Bowl(), scaled, batches, reward_fn=reward, points=3)
    part = viz3d.landscape(Bowl(), scaled, [batches[0][:, :4]], points=3)
    assert found.values["reward"] == pytest.approx(-part.values["loss"])
    assert found.errors["reward"] == pytest.approx(part.errors["loss"])
    assert set(part.values) == {"loss"}


def test_a_path_has_its_own_loss_and_its_own_reward():
    """Of the checkpoints themselves; without a reward_fn there is no reward."""
    ends = {seed: net(seed).state_dict() for seed in (1, 2)}

    def reward(model, batch):
        return -3 * entropy(model, batch)

    found = viz3d.landscape(
        net(), entropy, examples(), checkpoints=ends, reward_fn=reward, points=3
    ).path
    own = [
        np.mean([entropy(net(seed).eval(), b).mean().item() for b in examples()]) for seed in ends
    ]
    assert found.loss == pytest.approx(own)
    assert found.reward == pytest.approx(-3 * found.loss)
    assert found.own("reward") is found.reward
    plain = viz3d.landscape(net(), entropy, examples(), checkpoints=ends, points=3).path
    assert plain.reward is None
    assert plain.own("accuracy") is None


def test_losses_that_are_not_finite_stay_in_the_grid():
    """A hole is a hole, and its neighbours keep their values."""
    model = Bowl()
    centre = model.weight[0, 0].item()

    def broken(model, _):
        moved = model.weight[0, 0].item() - centre
        return torch.tensor([moved if moved == 0 else math.copysign(math.inf, moved)])

    line = viz3d.landscape(model, broken, [0], points=3).values["loss"][1]
    assert sorted(line) == [-math.inf, 0, math.inf]
    assert line[1] == 0
    nan = viz3d.landscape(model, lambda m, b: broken(m, b) * 0, [0], points=3).values["loss"]
    assert np.isnan(nan).sum() == 8
