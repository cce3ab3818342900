"""viz3d.record.blocks: which layers a model has, in which order, whatever they are called."""

from __future__ import annotations

import importlib
import math

import pytest
import torch
from torch import nn

from tests.record.models import (
    Tree,
    bert,
    compiled_blocks,
    compiled_part,
    encoder_decoder,
    experts,
    lecture,
    llama,
    nanochat,
    nested,
    numbered,
    pairs,
    perceptron,
    sentence_encoder,
    torch_encoder,
    twelve,
    two_towers,
)
from viz3d.record.layers import LayerNorms


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
        (torch_encoder, numbered("layers", 2)),
        (nested, ["stem", "stages.0.0", "stages.0.1", "stages.1", *numbered("stages.2")]),
        (pairs, numbered("layers", 2)),
        (
            two_towers,
            [
                *numbered("vision_tower.encoder.layers", 2),
                "language_model.model.embed_tokens",
                *numbered("language_model.model.layers"),
                "language_model.model.norm",
                "language_model.lm_head",
                "projector",
            ],
        ),
        (compiled_blocks, [*numbered("h", 2), "head"]),
        (compiled_part, [*numbered("encoder.layers", 2), "head"]),
    ],
)
@pytest.mark.parametrize("wrapper", [None, "module", "_orig_mod"])
def test_layers_are_found_in_model_order_whatever_they_are_called(model, expected, wrapper):
    """Blocks are told by structure; wrappers of data-parallel or compiled models leave no trace."""
    built = model()
    wrapped = Tree(**{wrapper: built}) if wrapper else built
    assert list(LayerNorms(wrapped).names) == expected


def test_a_compiled_model_has_the_layers_of_the_model():
    """The real wrapper; nothing is compiled until it is called."""
    model = nanochat()
    layers = LayerNorms(torch.compile(model, backend="eager"))
    assert layers.names == LayerNorms(model).names


@pytest.fixture
def two_processes():
    """A group of two of which this is the first; the other one is made up."""
    store = importlib.import_module("torch.testing._internal.distributed.fake_pg").FakeStore()
    torch.distributed.init_process_group("fake", rank=0, world_size=2, store=store)
    yield torch.distributed.device_mesh.init_device_mesh("cpu", (2,))
    torch.distributed.destroy_process_group()


def test_data_parallel_layers_are_read_and_spread_ones_left_out(two_processes):
    """The norm of a part is not the norm, and asking the other processes could wait for ever."""
    fsdp = torch.distributed.fsdp
    model, partly = llama(), llama()
    replicated = LayerNorms(nn.parallel.DistributedDataParallel(model))
    assert replicated.names == LayerNorms(model).names
    assert replicated.read().left_out == ()
    fsdp.fully_shard(partly.model.layers[1], mesh=two_processes)
    flat = fsdp.FullyShardedDataParallel(
        twelve(), device_id=torch.device("cpu"), use_orig_params=True
    )
    reading = LayerNorms(partly).read()
    assert reading.left_out == ("model.layers.1 is spread over processes",)
    names = [name for name in replicated.names if name != "model.layers.1"]
    assert [row["name"] for row in reading.rows()] == names
    assert len(LayerNorms(flat).read().left_out) == 12


def test_layers_that_deepspeed_has_partitioned_are_left_out():
    """Their parameters are empty outside their use: norms of 0 would be made up."""
    model = llama()
    for weight in model.model.layers[1].parameters():
        weight.ds_id = 7  # how ZeRO marks a parameter that it has partitioned
    reading = LayerNorms(model).read()
    assert reading.left_out == ("model.layers.1 is spread over processes",)
    assert "model.layers.1" not in [row["name"] for row in reading.rows()]


@pytest.mark.parametrize(
    "model", [nanochat, llama, bert, lecture, encoder_decoder, experts, nested]
)
def test_every_parameter_belongs_to_exactly_one_layer(model):
    """The layers' norms together are the global norm: nothing is left out or counted twice."""
    torch.manual_seed(0)
    built = model()
    for weight in built.parameters():
        weight.grad = torch.randn_like(weight)
    rows = LayerNorms(built).read().rows()
    together = math.hypot(*(row["grad_norm"] for row in rows))
    gradients = [weight.grad for weight in built.parameters()]
    assert together == pytest.approx(torch.nn.utils.get_total_norm(gradients).item(), rel=1e-6)
