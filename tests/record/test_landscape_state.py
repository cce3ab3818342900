"""viz3d.landscape: the model is left as it was, batches stay the same, bad arguments are told."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
from torch import nn

import viz3d
from tests.record.test_landscape import entropy, examples, net
from viz3d.errors import BadArgument


def everything(model):
    """Return all of the state that a measure could disturb, as comparable bytes."""
    tensors = {name: t.clone() for name, t in model.state_dict().items()}
    grads = {name: None if p.grad is None else p.grad.clone() for name, p in
             model.named_parameters()}  # fmt: skip
    flags = [(m.training, [p.requires_grad for p in m.parameters()]) for m in model.modules()]
    return tensors, grads, flags, random.getstate(), np.random.get_state(), torch.get_rng_state()


def same(a, b):
    if isinstance(a, (torch.Tensor, np.ndarray)):
        return bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def noisy(model, batch):
    """A loss that trains the statistics and draws from every generator."""
    model.train()
    draw = random.random() + np.random.random() + torch.rand(()).item()
    return entropy(model, batch) + draw


def failing(model, batch):
    noisy(model, batch)
    if model[0].weight[0, 0] != failing.centre:
        raise ZeroDivisionError
    return entropy(model, batch)


@pytest.mark.parametrize("loss", [noisy, failing])
def test_the_model_is_left_exactly_as_it_was(loss):
    """Parameters, buffers, gradients, modes and random states, also where the loss raises."""
    model = net(normed=True)
    entropy(model, examples()[0]).mean().backward()
    model[2].eval()
    model[4].bias.requires_grad_(False)
    failing.centre = model[0].weight[0, 0].item()
    before = everything(model)
    if loss is failing:
        with pytest.raises(ZeroDivisionError):
            viz3d.landscape(model, loss, examples(), points=3)
    else:
        viz3d.landscape(model, loss, examples(), points=3, eigenvalues=1)
    assert same(before, everything(model))


def test_whatever_is_drawn_is_drawn_alike_at_every_point():
    """Noise that all points share moves the whole grid and bends none of it."""

    def shifted(model, batch):
        return entropy(model, batch) + torch.randn(()) + random.random() + np.random.random()

    quiet = viz3d.landscape(net(), entropy, examples(), points=3).values["loss"]
    moved = viz3d.landscape(net(), shifted, examples(), points=3).values["loss"] - quiet
    assert moved == pytest.approx(np.full((3, 3), moved[0, 0]))
    assert abs(moved[0, 0]) > 0.01


def test_batches_are_read_once_and_kept():
    """A generator, or a loader that shuffles, is the same at every point."""
    once = viz3d.landscape(net(), entropy, iter(examples()), points=3)
    assert (
        once.values["loss"].tolist()
        == viz3d.landscape(net(), entropy, examples(), points=3).values["loss"].tolist()
    )


def test_a_seed_chooses_the_directions():
    """The same one the same plane, another one another."""
    grids = [
        viz3d.landscape(net(), entropy, examples(), points=3, seed=s).values["loss"]
        for s in (1, 1, 2)
    ]
    assert grids[0].tolist() == grids[1].tolist() != grids[2].tolist()


class Norms(nn.Module):
    """A norm of two dimensions alone."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm((2, 3))


def diverged():
    model = net()
    model[0].weight.data[0, 0] = math.inf
    return model


def others(count):
    return {step: net(step).state_dict() for step in range(1, count + 1)}


def fixed():
    with torch.inference_mode():
        return net()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "plane"}, "random, pca, line"),
        ({"kind": None}, "random, pca, line"),
        ({"points": 1}, "odd number"),
        ({"points": 4}, "odd number"),
        ({"points": "5"}, "odd number"),
        ({"points": math.nan}, "odd number"),
        ({"alpha": ["a", "b"]}, "rising"),
        ({"alpha": [{}, 1]}, "rising"),
        ({"alpha": [0, 0]}, "rising"),
        ({"alpha": [0]}, "rising"),
        ({"alpha": [[0, 1], [2, 3]]}, "rising"),
        ({"alpha": [0, math.inf]}, "rising"),
        ({"beta": [0, math.nan]}, "rising"),
        ({"batches": []}, "batches is empty"),
        ({"loss_fn": lambda *_: None}, "loss_fn gave"),
        ({"loss_fn": lambda *_: "high"}, "loss_fn gave str"),
        ({"loss_fn": lambda *_: {}}, "loss_fn gave dict"),
        ({"loss_fn": lambda *_: torch.tensor(3j)}, "complex"),
        ({"name": "../x"}, "letters"),
        ({"name": "x/../y"}, "letters"),
        ({"name": ".x"}, "letters"),
        ({"name": ""}, "letters"),
        ({"name": "x" * 101}, "letters"),
        ({"name": 5}, "letters"),
        ({"eigenvalues": -1}, "how many"),
        ({"eigenvalues": 1.5}, "how many"),
        ({"seed": 1.5}, "whole number"),
        ({"seed": 2**63}, "whole number"),
        ({"seed": -(2**63) - 1}, "whole number"),
        ({"model": net().to("meta")}, "meta device"),
        ({"model": diverged()}, "NaN or infinity in '0.weight'"),
        ({"model": fixed()}, "inference_mode"),
        ({"model": Norms()}, "biases, scalars and norms"),
        ({"kind": "line", "checkpoints": {1: net(1).state_dict()}, "beta": [0, 1]}, "one axis"),
        ({"kind": "pca"}, "at least two checkpoints, not 0"),
        ({"kind": "pca", "checkpoints": others(1)}, "at least two checkpoints, not 1"),
        ({"kind": "line"}, "one checkpoint"),
        ({"kind": "line", "checkpoints": others(3)}, "one checkpoint, or two .* not 3"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_sentence(settings, said):
    """Which argument, and what to give instead."""
    usual = {"model": net(), "loss_fn": entropy, "batches": examples()}
    with pytest.raises(BadArgument, match=said):
        viz3d.landscape(**{**usual, **settings})


def test_a_narrow_integer_counts_points_too():
    """Of NumPy's, say, which has no negative numbers."""
    grid = viz3d.landscape(net(), entropy, examples(), points=np.uint8(3))
    assert grid.alpha.tolist() == [-1, 0, 1]


def test_an_infinite_buffer_is_no_weight():
    """As in the mask of an attention."""
    model = net()
    model.register_buffer("mask", torch.tensor([0.0, -math.inf]))
    found = viz3d.landscape(model, entropy, examples(), points=3)
    assert np.isfinite(found.values["loss"]).all()


def test_progress_is_shown_when_asked_for(capsys):
    """Points done and points to do, in one line that is written over."""
    viz3d.landscape(net(), entropy, examples(), points=3, progress=True)
    said = capsys.readouterr().err
    assert "10 of 10 points" in said
    assert said.count("\n") == 1
    viz3d.landscape(net(), entropy, examples(), points=3)
    assert capsys.readouterr().err == ""
