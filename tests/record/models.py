"""Tiny models that name their blocks in the ways that are in use."""

from __future__ import annotations

import copy

import torch
from torch import nn


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


def torch_encoder():
    """PyTorch's own."""
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 1, 8), 2, enable_nested_tensor=False)


def nested():
    """Stages of blocks, one list in another."""
    return Tree(stem=nn.Linear(4, 4), stages=nn.ModuleList([blocks(2), blocks(1), blocks(3)]))


def pairs():
    """Each block a list of its two parts, behind wrappers of one type."""
    parts = [Tree(fn=nn.Linear(4, 4)), Tree(fn=nn.Sequential(nn.Linear(4, 4), nn.GELU()))]
    return Tree(layers=nn.ModuleList([nn.ModuleList(copy.deepcopy(parts)) for _ in range(2)]))


def two_towers():
    """A model in a model in a model, twice."""
    towers = {"vision_tower": Tree(encoder=Tree(layers=blocks(2))), "language_model": llama()}
    return Tree(**towers, projector=nn.Linear(4, 4))


def compiled_blocks():
    """Each block wrapped by itself."""
    wrapped = [Tree(_orig_mod=block) for block in blocks(2)]
    return Tree(h=nn.ModuleList(wrapped), head=Tree(module=nn.Linear(4, 5)))


def compiled_part():
    """One part wrapped, and the model round it not."""
    return Tree(encoder=Tree(_orig_mod=Tree(layers=blocks(2))), head=nn.Linear(4, 5))


def perceptron():
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
