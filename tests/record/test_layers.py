"""viz3d.record.layers: the norms of layers, at an interval, of whatever a model comes to be."""

from __future__ import annotations

import gc
import json
import math
import weakref

import pytest
import torch
from torch import nn

from tests.record.models import Tree, nanochat, numbered, perceptron, twelve
from viz3d.record.layers import LayerNorms
from viz3d.record.recorder import Recorder


def test_gradient_norms_equal_the_closed_form():
    """For y = w.x the gradient is x: its norm is known without any differentiation."""
    model = Tree(layers=nn.ModuleList([nn.Linear(3, 1, bias=False), nn.Linear(2, 1, bias=True)]))
    with torch.no_grad():
        model.layers[0].weight.copy_(torch.tensor([[2.0, 0.0, 0.0]]))
        model.layers[1].weight.copy_(torch.tensor([[3.0, 0.0]]))
        model.layers[1].bias.fill_(4.0)
    out = model.layers[0](torch.tensor([3.0, 4.0, 12.0])) + model.layers[1](torch.tensor([0.0, 1]))
    out.sum().backward()
    first, second = LayerNorms(model).read().rows()
    assert first["grad_norm"] == pytest.approx(13.0)
    assert first["weight_norm"] == pytest.approx(2.0)
    assert second["grad_norm"] == pytest.approx(math.sqrt(2))  # (0, 1) and 1 for the bias
    assert second["weight_norm"] == pytest.approx(5.0)


def test_a_layer_without_a_gradient_has_none():
    """No gradient is missing, not zero."""
    model = twelve()
    assert all("grad_norm" not in row for row in LayerNorms(model).read().rows())


def test_frozen_and_shared_parameters_count_once_or_not_at_all():
    """A frozen layer is no layer, and a tied head belongs to the embedding."""
    model = nanochat()
    model.lm_head = nn.Linear(4, 5, bias=False)
    model.lm_head.weight = model.transformer["wte"].weight
    model.transformer["h"][1].requires_grad_(False)
    names = ("transformer.wte", "transformer.h.0", "transformer.h.2")
    assert LayerNorms(model).names == names


def test_what_is_trained_may_change_and_a_layer_keeps_its_place():
    """A head of another size, a block that thaws: found at the next record, in its place."""
    model = nanochat()
    model.transformer["h"][0].requires_grad_(False)
    layers = LayerNorms(Tree(module=model))  # the wrapper is gone at once, the model is not
    places = {row["name"]: row["layer"] for row in layers.read().rows()}
    assert places == {
        "transformer.wte": 0,
        "transformer.h.1": 2,
        "transformer.h.2": 3,
        "lm_head": 4,
    }
    model.transformer["h"][0].requires_grad_(True)
    model.transformer["h"][2].requires_grad_(False)
    model.lm_head = nn.Linear(4, 7)
    model.value_head = nn.Linear(4, 1)
    rows = {row["name"]: row for row in layers.read().rows()}
    assert {name: row["layer"] for name, row in rows.items()} == {
        "transformer.wte": 0, "transformer.h.0": 1, "transformer.h.1": 2, "lm_head": 4,
        "value_head": 5,
    }  # fmt: skip
    weights = list(model.lm_head.parameters())
    assert rows["lm_head"]["weight_norm"] == pytest.approx(
        torch.nn.utils.get_total_norm(weights).item()
    )


def test_parts_outlive_the_module_in_which_they_were_passed():
    """Two models in a throw-away module; of one that goes away nothing is told any more."""
    actor, critic = twelve(), perceptron()
    layers = LayerNorms(Tree(actor=actor, critic=critic))
    names = [row["name"] for row in layers.read().rows()]
    assert names == [*numbered("actor.blocks", 12), "critic"]
    kept = critic[0].weight  # of a layer that is gone otherwise
    del critic
    gc.collect()
    assert kept.norm() > 0
    assert [row["name"] for row in layers.read().rows()] == names[:-1]


def test_a_layer_that_cannot_be_read_is_left_out_and_counted(tmp_path):
    """No part of a layer stands for all of it, and the other layers are read."""
    model = nn.Sequential(nn.Linear(2, 1), nn.Linear(2, 1, device="meta"), nn.Linear(2, 1))
    recorder = Recorder(tmp_path)
    recorder.watch(model)
    model[0].weight.grad = torch.ones(1, 2)
    recorder.log_layers(0)
    rows = [json.loads(line) for line in (tmp_path / "layers.jsonl").read_text().splitlines()]
    assert [(row["layer"], row["name"]) for row in rows] == [(0, "0"), (2, "2")]
    assert recorder.failures == 1


def test_gradients_of_an_embedding_may_be_sparse():
    """Tokens that come twice count with their sum."""
    model = Tree(wte=nn.Embedding(5, 2, sparse=True), head=nn.Linear(2, 1, bias=False))
    nn.init.ones_(model.head.weight)
    model.head(model.wte(torch.tensor([1, 1, 4]))).sum().backward()
    row, _ = LayerNorms(model).read().rows()
    assert row["grad_norm"] == pytest.approx(math.hypot(2, 2, 1, 1))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_shows_in_its_layer_alone(bad):
    """The layer in which training breaks can be told from the others."""
    model = twelve()
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    model.blocks[5].attn.weight.grad[0, 0] = bad
    norms = [row["grad_norm"] for row in LayerNorms(model).read().rows()]
    assert [i for i, norm in enumerate(norms) if not math.isfinite(norm)] == [5]


def test_low_precision_gradients_are_summed_in_float32():
    """A norm of many bfloat16 numbers is not rounded on the way."""
    model = Tree(layers=nn.ModuleList([nn.Linear(1000, 10, bias=False)])).bfloat16()
    model.layers[0].weight.grad = torch.full((10, 1000), 0.5, dtype=torch.bfloat16)
    (row,) = LayerNorms(model).read().rows()
    assert row["grad_norm"] == pytest.approx(50.0, rel=1e-6)


def test_a_watched_model_can_be_freed(tmp_path):
    """The recorder keeps no tensor alive, and counts that there is nothing to read."""
    recorder = Recorder(tmp_path)
    model = twelve()
    recorder.watch(model)
    gone = weakref.ref(model.blocks[0].attn.weight)
    del model
    gc.collect()
    assert gone() is None
    recorder.log_layers(0)
    assert recorder.failures == 1
    assert not (tmp_path / "layers.jsonl").exists()


def test_watch_then_log_layers_records_a_row_per_layer(tmp_path):
    """The public path: watch, backward, log_layers."""
    recorder = Recorder(tmp_path)
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    assert recorder.watch(model) == ("0", "1")
    model(torch.ones(2)).backward()
    recorder.log_layers(10)
    rows = [json.loads(line) for line in (tmp_path / "layers.jsonl").read_text().splitlines()]
    assert [(row["step"], row["layer"], row["name"]) for row in rows] == [
        (10, 0, "0"),
        (10, 1, "1"),
    ]
    assert all(row["grad_norm"] > 0 for row in rows)


def test_the_interval_is_kept_without_an_if_in_the_loop(tmp_path):
    """Called at every step, it records every tenth by default."""
    recorder = Recorder(tmp_path)
    model = perceptron()
    recorder.watch(model)
    for step in range(3, 25):
        recorder.log_layers(step)
    rows = [json.loads(line) for line in (tmp_path / "layers.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [10, 10, 20, 20]
    assert recorder.failures == 0
    recorder.watch(model, every=2)
    recorder.log_layers(26)
    recorder.log_layers(27)
    assert len((tmp_path / "layers.jsonl").read_text().splitlines()) == 6


@pytest.mark.parametrize("every", [0, -1, None, 1.5, math.nan])
def test_an_interval_that_is_none_is_a_counted_failure(tmp_path, every):
    """Nothing is raised into the loop."""
    recorder = Recorder(tmp_path)
    assert recorder.watch(perceptron(), every=every) == ()
    assert recorder.failures == 1


def test_watching_something_that_is_no_model_is_a_counted_failure(tmp_path):
    """Nothing is raised into the loop."""
    recorder = Recorder(tmp_path)
    assert recorder.watch("not a model") == ()
    assert recorder.failures == 1
