"""viz3d.record.updates: how far the last optimiser step moved each layer, and at what cost."""

from __future__ import annotations

import json
import math
import weakref

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import viz3d
from viz3d.figures import gradient_flow
from viz3d.record import updates
from viz3d.record.layers import LayerNorms
from viz3d.record.recorder import Recorder


def pair(dtype=torch.float32):
    """Two layers, of norms 5 and 2."""
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(4, 1, bias=False)).to(dtype)
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, 4.0]]))
        model[1].weight.fill_(1.0)
    return model


def fill(model, value=1.0):
    for weight in model.parameters():
        weight.grad = torch.full_like(weight, value)


def ratios(reading):
    return {row["name"]: row["update_ratio"] for row in reading.rows() if "update_ratio" in row}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_update_ratio_is_the_last_change_over_the_weights_of_now(dtype):
    """Plain descent: the change is the rate times the gradient."""
    model = pair(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    layers = LayerNorms(model, every=2)
    fill(model, 100.0)
    assert ratios(layers.at(0)) == {}  # nothing was changed yet
    optimizer.step()  # not the last step before a record
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, 4.0]]))
        model[1].weight.fill_(1.0)
    fill(model)
    assert layers.at(1) is None
    optimizer.step()
    found = ratios(layers.at(2))
    assert found["0"] == pytest.approx(math.hypot(0.5, 0.5) / math.hypot(2.5, 3.5), rel=1e-6)
    assert found["1"] == pytest.approx(math.hypot(*[0.5] * 4) / math.hypot(*[0.5] * 4), rel=1e-6)


def test_every_step_can_be_recorded_and_none_is_told_twice():
    """An interval of one; where no step came between there is no ratio."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    layers = LayerNorms(model, every=1)
    fill(model)
    layers.at(0)
    optimizer.step()
    assert len(ratios(layers.at(1))) == 2
    assert ratios(layers.at(2)) == {}


def test_without_updates_nothing_is_copied():
    """What costs memory can be left away."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    layers = LayerNorms(model, every=1, updates=False)
    fill(model)
    with Copies() as copies:
        layers.at(0)
        optimizer.step()
    assert copies.made == []
    assert ratios(layers.at(1)) == {}


class Copies(TorchDispatchMode):
    """Notes each clone: how many numbers it holds, and whether it still lives."""

    def __init__(self):
        super().__init__()
        self.made = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.clone.default:
            self.made.append((result.numel(), weakref.ref(result)))
        return result


def test_one_copy_of_the_weights_for_one_step_and_gone_after_it():
    """The bound that `watch` states: not in other steps, not longer than the step."""
    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    layers = LayerNorms(model, every=5)
    fill(model)
    sizes = []
    for step in range(11):
        layers.at(step)
        with Copies() as copies:
            optimizer.step()
        sizes.append(sum(size for size, _ in copies.made))
        assert [copy() for _, copy in copies.made] == [None] * len(copies.made)
    assert sizes == [0, 0, 0, 0, 6, 0, 0, 0, 0, 6, 0]


def test_two_optimisers_share_a_model():
    """Each is measured by itself, and a layer needs all of its own to have stepped."""
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(4, 1), nn.Linear(1, 1))
    first = torch.optim.SGD([model[0].weight, model[1].weight], lr=0.5)
    second = torch.optim.Adam([model[1].bias], lr=0.5)
    layers = LayerNorms(model, every=1)
    fill(model)
    layers.at(0)
    first.step()
    second.step()
    assert list(ratios(layers.at(1))) == ["0", "1"]  # nobody steps the last one
    first.step()
    reading = layers.at(2)
    assert list(ratios(reading)) == ["0"]
    assert reading.left_out == ()  # that there was no step is no failure


class Lookahead(torch.optim.Optimizer):
    """An optimiser round another one: afterwards it goes half of the way back."""

    def __init__(self, inner):
        super().__init__(inner.param_groups, {})
        self.inner = inner

    @torch.no_grad()
    def step(self):
        """Step the inner optimiser, then go back."""
        before = [p.clone() for group in self.param_groups for p in group["params"]]
        self.inner.step()
        for old, p in zip(before, self.param_groups[0]["params"], strict=True):
            p.lerp_(old, 0.5)


def test_an_optimiser_in_an_optimiser_is_measured_as_a_whole():
    """What counts is what the outer step changed; the inner one takes no second copy."""
    model = pair()
    optimizer = Lookahead(torch.optim.SGD(model.parameters(), lr=1.0))
    layers = LayerNorms(model, every=1)
    fill(model)
    layers.at(0)
    with Copies() as copies:
        optimizer.step()
    assert sum(size for size, _ in copies.made) == 6 + 6  # those of Lookahead itself, and ours
    assert ratios(layers.at(1))["0"] == pytest.approx(math.sqrt(0.5) / math.hypot(2.5, 3.5))


class Moody(torch.optim.SGD):
    """Raises on demand, and moves the weights once more after the step of its parent."""

    broken = False

    @torch.no_grad()
    def step(self):
        """Step, or raise."""
        if self.broken:
            raise ZeroDivisionError
        super().step()
        for parameter in self.param_groups[0]["params"]:
            parameter.sub_(0.5)


def test_a_step_that_raises_is_the_loop_s_own_affair():
    """The loop sees its error; no ratio stands for a step that was not whole; then all goes on."""
    model = pair()
    torch.optim.SGD(model.parameters())  # from now on PyTorch calls hooks in the parent's step too
    optimizer = Moody(model.parameters(), lr=0.5)
    layers = LayerNorms(model, every=1)
    fill(model)
    layers.at(0)
    optimizer.step()
    optimizer.broken = True
    with pytest.raises(ZeroDivisionError):
        optimizer.step()
    assert ratios(layers.at(1)) == {}
    optimizer.broken = False
    optimizer.step()
    reading = layers.at(2)
    assert ratios(reading)["0"] == pytest.approx(math.sqrt(2) / math.hypot(1, 2))
    assert reading.left_out == ()


@pytest.mark.parametrize("broken", ["before", "after"])
def test_a_measurement_that_fails_is_counted_and_the_step_is_taken(tmp_path, monkeypatch, broken):
    """No memory for a copy, say: the loop goes on, with the same weights."""

    def fail(*_):
        raise torch.OutOfMemoryError("no room")

    model = pair()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    recorder = Recorder(tmp_path)
    recorder.watch(model, every=1)
    monkeypatch.setattr(updates.UpdateNorms, broken, fail)
    fill(model)
    recorder.log_layers(0)
    optimizer.step()
    recorder.log_layers(1)
    assert model[0].weight.tolist() == [[2.5, 3.5]]
    assert recorder.failures == 1
    rows = [json.loads(line) for line in (tmp_path / "layers.jsonl").read_text().splitlines()]
    assert len(rows) == 4
    assert not any("update_ratio" in row for row in rows)


def test_a_model_of_another_loop_is_not_touched():
    """The hooks see every optimiser of the process, and copy for the watched model alone."""
    model, other = pair(), pair()
    optimizer = torch.optim.SGD(other.parameters(), lr=0.5)
    layers = LayerNorms(model, every=1)
    fill(other)
    layers.at(0)
    with Copies() as copies:
        optimizer.step()
    assert copies.made == []
    assert layers.at(1).left_out == ()


def test_layers_without_weights_have_no_ratio():
    """A change from nothing is not so many times nothing."""
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(2, 1, bias=False))
    nn.init.zeros_(model[0].weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    layers = LayerNorms(model, every=1)
    fill(model)
    layers.at(0)
    optimizer.step()
    assert ratios(layers.at(1)) == {"1": 0.0}


def test_the_ratio_is_read_back_and_leaves_the_chart_as_it_was(tmp_path):
    """An optional column: the gradient flow of the same run without it is the same figure."""
    for name, measured in (("with", True), ("without", False)):
        model = pair()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with Recorder(tmp_path / name) as recorder:
            recorder.watch(model, every=2, updates=measured)
            for step in range(9):
                recorder.log(step, loss=1.0)
                fill(model, 1.0 + step)
                recorder.log_layers(step)
                optimizer.step()
    runs = {name: viz3d.load_run(str(tmp_path / name)) for name in ("with", "without")}
    assert not any(run.problems for run in runs.values())
    layers = runs["with"].layers
    assert layers["update_ratio"].isna().tolist() == [True] * 2 + [False] * 8
    last = layers.iloc[-1]
    assert last["update_ratio"] * last["weight_norm"] == pytest.approx(0.1 * 8 * 2)
    assert "update_ratio" not in runs["without"].layers
    drawn = [
        gradient_flow.draw(gradient_flow.compute(run)).to_plotly_json() for run in runs.values()
    ]
    assert str(drawn[0]["data"]) == str(drawn[1]["data"])
