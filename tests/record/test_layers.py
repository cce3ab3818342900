"""viz3d.record.layers: which layers a model has, in which order, and their norms."""

from __future__ import annotations

import gc
import json
import math
import weakref

import pytest
import torch
from torch import nn

from viz3d.record.layers import LayerNorms
from viz3d.record.recorder import Recorder


class Block(nn.Module):
    """A block with two parts, and experts if asked for."""

    def __init__(self, width=4, experts=0):
        super().__init__()
        self.attn = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        if experts:
            self.experts = nn.ModuleList(nn.Linear(width, width) for _ in range(experts))


class Tree(nn.Module):
    """A module with the given children, in the given order."""

    def __init__(self, **children):
        super().__init__()
        for name, child in children.items():
            setattr(self, name, child)


def blocks(n=3, **settings):
    return nn.ModuleList(Block(**settings) for _ in range(n))


def numbered(prefix, n=3):
    return [f"{prefix}.{i}" for i in range(n)]


def nanochat():
    inner = nn.ModuleDict({"wte": nn.Embedding(5, 4), "h": blocks()})
    return Tree(transformer=inner, lm_head=nn.Linear(4, 5))


def llama():
    inner = Tree(embed_tokens=nn.Embedding(5, 4), layers=blocks(), norm=nn.LayerNorm(4))
    return Tree(model=inner, lm_head=nn.Linear(4, 5))


def bert():
    embeddings = Tree(word=nn.Embedding(5, 4), position=nn.Embedding(5, 4), norm=nn.LayerNorm(4))
    return Tree(embeddings=embeddings, encoder=Tree(layer=blocks()), pooler=nn.Linear(4, 4))


def twelve():
    return Tree(blocks=blocks(12))


def lecture():
    """A Sequential of blocks, with a parameter of the model's own."""
    model = Tree(blocks=nn.Sequential(Block(), Block()), head=nn.Linear(4, 5))
    model.position = nn.Parameter(torch.zeros(3))
    return model


def encoder_decoder():
    stacks = {"encoder": Tree(block=blocks(2)), "decoder": Tree(block=blocks(2))}
    return Tree(shared=nn.Embedding(5, 4), stacks=nn.ModuleDict(stacks))


def experts():
    return Tree(layers=blocks(2, experts=4))


def sentence_encoder():
    """A Sequential whose parts differ is no list of blocks, though each part has parts."""
    return nn.Sequential(Tree(layers=blocks(2)), nn.Sequential(nn.Linear(4, 4), nn.ReLU()))


def perceptron():
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (nanochat, ["transformer.wte", *numbered("transformer.h"), "lm_head"]),
        (llama, ["model.embed_tokens", *numbered("model.layers"), "model.norm", "lm_head"]),
        (bert, ["embeddings", *numbered("encoder.layer"), "pooler"]),
        (twelve, numbered("blocks", 12)),
        (lecture, ["position", *numbered("blocks", 2), "head"]),
        (
            encoder_decoder,
            ["shared", *numbered("stacks.encoder.block", 2), *numbered("stacks.decoder.block", 2)],
        ),
        (experts, numbered("layers", 2)),
        (sentence_encoder, [*numbered("0.layers", 2), "1"]),
        (perceptron, ["0", "2"]),
    ],
)
@pytest.mark.parametrize("wrapper", [None, "module", "_orig_mod"])
def test_layers_are_found_in_model_order_whatever_they_are_called(model, expected, wrapper):
    """Blocks are told by structure; wrappers of data-parallel or compiled models leave no trace."""
    built = model()
    wrapped = Tree(**{wrapper: built}) if wrapper else built
    assert list(LayerNorms(wrapped).names) == expected


@pytest.mark.parametrize("model", [nanochat, llama, bert, lecture, encoder_decoder, experts])
def test_every_parameter_belongs_to_exactly_one_layer(model):
    """The layers' norms together are the global norm: nothing is left out or counted twice."""
    torch.manual_seed(0)
    built = model()
    for weight in built.parameters():
        weight.grad = torch.randn_like(weight)
    rows = LayerNorms(built).read().rows
    together = math.hypot(*(row["grad_norm"] for row in rows))
    gradients = [weight.grad for weight in built.parameters()]
    assert together == pytest.approx(torch.nn.utils.get_total_norm(gradients).item(), rel=1e-6)


def test_gradient_norms_equal_the_closed_form():
    """For y = w.x the gradient is x: its norm is known without any differentiation."""
    model = Tree(layers=nn.ModuleList([nn.Linear(3, 1, bias=False), nn.Linear(2, 1, bias=True)]))
    with torch.no_grad():
        model.layers[0].weight.copy_(torch.tensor([[2.0, 0.0, 0.0]]))
        model.layers[1].weight.copy_(torch.tensor([[3.0, 0.0]]))
        model.layers[1].bias.fill_(4.0)
    out = model.layers[0](torch.tensor([3.0, 4.0, 12.0])) + model.layers[1](torch.tensor([0.0, 1]))
    out.sum().backward()
    first, second = LayerNorms(model).read().rows
    assert first["grad_norm"] == pytest.approx(13.0)
    assert first["weight_norm"] == pytest.approx(2.0)
    assert second["grad_norm"] == pytest.approx(math.sqrt(2))  # (0, 1) and 1 for the bias
    assert second["weight_norm"] == pytest.approx(5.0)


def test_a_layer_without_a_gradient_has_none():
    """No gradient is missing, not zero."""
    model = twelve()
    assert all("grad_norm" not in row for row in LayerNorms(model).read().rows)


def test_frozen_and_shared_parameters_count_once_or_not_at_all():
    """A frozen layer is no layer, and a tied head belongs to the embedding."""
    model = nanochat()
    model.lm_head = nn.Linear(4, 5, bias=False)
    model.lm_head.weight = model.transformer["wte"].weight
    model.transformer["h"][1].requires_grad_(False)
    names = ("transformer.wte", "transformer.h.0", "transformer.h.2")
    assert LayerNorms(model).names == names


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_shows_in_its_layer_alone(bad):
    """The layer in which training breaks can be told from the others."""
    model = twelve()
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    model.blocks[5].attn.weight.grad[0, 0] = bad
    norms = [row["grad_norm"] for row in LayerNorms(model).read().rows]
    assert [i for i, norm in enumerate(norms) if not math.isfinite(norm)] == [5]


def test_low_precision_gradients_are_summed_in_float32():
    """A norm of many bfloat16 numbers is not rounded on the way."""
    model = Tree(layers=nn.ModuleList([nn.Linear(1000, 10, bias=False)])).bfloat16()
    model.layers[0].weight.grad = torch.full((10, 1000), 0.5, dtype=torch.bfloat16)
    (row,) = LayerNorms(model).read().rows
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


def test_watching_something_that_is_no_model_is_a_counted_failure(tmp_path):
    """Nothing is raised into the loop."""
    recorder = Recorder(tmp_path)
    assert recorder.watch("not a model") == ()
    assert recorder.failures == 1
