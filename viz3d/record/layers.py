"""Per-layer gradient and weight norms of a PyTorch module.

A layer is found by structure, never by name: the members of a list of blocks, whatever the list is
called (``transformer.h``, ``layers``, ``blocks``, ``encoder.layer``), and beside them every other
part that has parameters (embeddings, final norm, head). The order is the one in which the model
registers them, which is the order of the forward pass in the usual models.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# What data-parallel and compiling wrappers put in front of the model's own names.
WRAPPERS = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})


class LayerNorms:
    """Reads the norms of a model's layers; keeps no tensor alive.

    Parameters
    ----------
    model : torch.nn.Module
        Parameters that several layers share count for the first of them; frozen ones are left
        out.

    Attributes
    ----------
    names : tuple of str
        Layers in model order, without the names of wrappers.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        seen: set[int] = set()
        self._layers: list[tuple[str, list[weakref.ref[torch.nn.Parameter]]]] = []
        for name, members in _layers(model, ""):
            fresh = [p for p in members if p.requires_grad and id(p) not in seen]
            seen.update(id(p) for p in fresh)
            if fresh:
                self._layers.append((_clean(name), [weakref.ref(p) for p in fresh]))
        self.names = tuple(name for name, _ in self._layers)

    def read(self) -> list[dict[str, Any]]:
        """Return one row per layer, from the gradients as they are now.

        Returns
        -------
        list of dict
            ``layer`` (position, from 0), ``name``, ``grad_norm`` and ``weight_norm`` (Euclidean
            norms over all parameters of the layer). A layer that has no gradient has no
            ``grad_norm``.
        """
        import torch

        weights: list[tuple[int, torch.Tensor]] = []
        gradients: list[tuple[int, torch.Tensor]] = []
        for layer, (_, references) in enumerate(self._layers):
            for parameter in (reference() for reference in references):
                if parameter is None:  # its model is gone
                    continue
                weights.append((layer, parameter.detach()))
                if parameter.grad is not None:
                    gradients.append((layer, parameter.grad.detach()))
        if not weights:
            return []
        norms = torch.stack([_norm(tensor) for _, tensor in weights + gradients]).tolist()
        weight_norms = _per_layer([layer for layer, _ in weights], norms)
        grad_norms = _per_layer([layer for layer, _ in gradients], norms[len(weights) :])
        rows = []
        for layer, name in enumerate(self.names):
            row: dict[str, Any] = {"layer": layer, "name": name}
            if layer in grad_norms:
                row["grad_norm"] = grad_norms[layer]
            if layer in weight_norms:
                row["weight_norm"] = weight_norms[layer]
            rows.append(row)
        return rows


def _norm(tensor: torch.Tensor) -> torch.Tensor:
    """Return the Euclidean norm as a float32 scalar, whatever precision the tensor has."""
    import torch

    if tensor.is_sparse:
        tensor = tensor.coalesce().values()
    return torch.linalg.vector_norm(tensor, dtype=torch.promote_types(tensor.dtype, torch.float32))


def _per_layer(layers: list[int], norms: list[float]) -> dict[int, float]:
    grouped: dict[int, list[float]] = {}
    for layer, norm in zip(layers, norms, strict=False):
        grouped.setdefault(layer, []).append(norm)
    return {layer: math.hypot(*values) for layer, values in grouped.items()}


def _layers(module: torch.nn.Module, name: str) -> Iterator[tuple[str, list[torch.nn.Parameter]]]:
    """Yield (name, parameters) of each layer at or below `module`, in order of registration."""
    for own, parameter in module.named_parameters(recurse=False):
        yield _join(name, own), [parameter]
    only_child = len(list(module.children())) == 1  # a wrapper is no layer: look inside
    listed = _is_block_list(module)
    for child_name, child in module.named_children():
        path = _join(name, child_name)
        holds_list = any(_is_block_list(part) for part in child.modules())
        if not listed and (holds_list or (only_child and next(child.children(), None))):
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
    alike = len({type(child) for child in members.values()}) == 1
    composed = all(next(child.children(), None) is not None for child in members.values())
    return alike and composed and all(name[-1:].isdigit() for name in members)


def _join(parent: str, child: str) -> str:
    return f"{parent}.{child}" if parent else child


def _clean(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)
