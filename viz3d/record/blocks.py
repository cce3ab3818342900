"""Find the layers of a PyTorch module.

A layer is found by structure, never by name: the members of a list of blocks, whatever the list is
called (``transformer.h``, ``layers``, ``blocks``, ``encoder.layer``), and beside them every other
part that has parameters (embeddings, final norm, head). The order is the one in which the model
registers them, which is the order of the forward pass in the usual models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

# What data-parallel and compiling wrappers put in front of the model's own names.
WRAPPERS = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})


def layers(module: torch.nn.Module) -> Iterator[tuple[str, list[torch.nn.Parameter]]]:
    """Yield name (without those of wrappers) and parameters of each layer, in model order.

    A list in a list of blocks is looked into where its members are alike (stages of blocks); the
    experts of a block belong to the block.
    """
    for name, parameters in _layers(module, ""):
        yield clean(name), parameters


def unwrapped(module: torch.nn.Module) -> torch.nn.Module:
    """Return the model inside wrappers: it lives on where the wrapper was only passed on."""
    while next(module.parameters(recurse=False), None) is None:
        children = list(module.named_children())
        if len(children) != 1 or children[0][0] not in WRAPPERS:
            break
        module = children[0][1]
    return module


def is_spread(parameter: torch.nn.Parameter) -> bool:
    """Say whether this process holds only a part of `parameter`.

    FSDP, any ``DTensor``, and stage 3 of DeepSpeed's ZeRO, whose parameters are empty between uses.
    """
    import torch

    if hasattr(parameter, "to_local") or hasattr(parameter, "ds_id"):
        return True
    flattened = getattr(parameter, "_fsdp_flattened", False)
    return flattened and torch.distributed.get_world_size() > 1


def _layers(module: torch.nn.Module, name: str) -> Iterator[tuple[str, list[torch.nn.Parameter]]]:
    """Yield (name, parameters) of each layer at or below `module`, in order of registration."""
    for own, parameter in module.named_parameters(recurse=False):
        yield _join(name, own), [parameter]
    only_child = len(list(module.children())) == 1  # a wrapper is no layer: look inside
    listed = _is_block_list(module)
    for child_name, child in module.named_children():
        path = _join(name, child_name)
        if listed:
            inside = _is_stage(child)
        else:
            holds_list = any(_is_block_list(part) for part in child.modules())
            inside = holds_list or (only_child and next(child.children(), None) is not None)
        if inside:
            yield from _layers(child, path)
        else:
            yield path, list(child.parameters())


def _is_block_list(module: torch.nn.Module) -> bool:
    """Say whether the children of `module` are repeated blocks.

    A ``ModuleList`` always counts. ``Sequential`` and ``ModuleDict`` also hold the different
    parts of one thing: they count when their members are numbered, alike and have parts themselves.
    """
    from torch import nn

    members = {n: c for n, c in module.named_children() if next(c.parameters(), None) is not None}
    if isinstance(module, nn.ModuleList):
        return bool(members)
    if not isinstance(module, (nn.Sequential, nn.ModuleDict)) or len(members) < 2:
        return False
    return _alike(list(members.values())) and all(name[-1:].isdigit() for name in members)


def _is_stage(module: torch.nn.Module) -> bool:
    """Say whether a member of a list is itself a list of blocks, and not the parts of one block.

    Attention and feed-forward in a list of their own are one block, even behind wrappers of one
    type: the names of their parameters differ.
    """
    members = list(module.children())
    names = {tuple(name for name, _ in member.named_parameters()) for member in members}
    return len(members) > 1 and _is_block_list(module) and _alike(members) and len(names) == 1


def _alike(members: list[torch.nn.Module]) -> bool:
    composed = all(next(member.children(), None) is not None for member in members)
    return composed and len({type(member) for member in members}) == 1


def _join(parent: str, child: str) -> str:
    return f"{parent}.{child}" if parent else child


def clean(name: str) -> str:
    """Return a name in a model without what wrappers put before and between its parts."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)
