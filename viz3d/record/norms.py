"""Euclidean norms of many tensors: computed where the tensors are, fetched in one transfer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def norms(tensors: Sequence[torch.Tensor]) -> list[torch.Tensor | None]:
    """Return the norm of each tensor, on its own device.

    Low precision is summed in float32. A sparse tensor is coalesced first: repeated indices add
    up.

    Parameters
    ----------
    tensors : sequence of Tensor
        Of any shape, also empty (norm 0) and without dimensions.

    Returns
    -------
    list of Tensor or None
        Each of shape (), float32 or float64; None where nothing is there to sum (``meta``) and
        where PyTorch cannot tell.
    """
    import torch

    found: list[torch.Tensor | None] = [None] * len(tensors)
    groups: dict[tuple[torch.device, torch.dtype], list[tuple[int, torch.Tensor]]] = {}
    for place, tensor in enumerate(tensors):
        values = _values(tensor)
        if values is not None:
            groups.setdefault((values.device, values.dtype), []).append((place, values))
    with torch.no_grad():
        for (_, dtype), members in groups.items():
            wide = torch.promote_types(dtype, torch.float32)
            group = _group([values for _, values in members], wide)
            for (place, _), norm in zip(members, group, strict=True):
                found[place] = norm
    return found


def fetch(scalars: Sequence[torch.Tensor]) -> list[float]:
    """Bring tensors of shape () to the host, all in one transfer, whatever their devices."""
    import torch

    if not scalars:
        return []
    places: dict[torch.device, list[int]] = {}
    for place, scalar in enumerate(scalars):
        places.setdefault(scalar.device, []).append(place)
    # On an accelerator if there is one: from it to the CPU would be a transfer of its own.
    home = next((device for device in places if device.type != "cpu"), scalars[0].device)
    stacks = [torch.stack([scalars[at] for at in group]).to(home) for group in places.values()]
    order = [at for group in places.values() for at in group]
    fetched: dict[int, float] = dict(zip(order, torch.cat(stacks).tolist(), strict=True))
    return [fetched[at] for at in range(len(scalars))]


def _values(tensor: torch.Tensor) -> torch.Tensor | None:
    """Return a dense tensor with the same norm, or None."""
    import torch

    try:
        if tensor.is_meta:
            return None
        tensor = tensor.detach()
        if tensor.layout == torch.strided:
            return tensor
        return tensor.coalesce().values() if tensor.is_sparse else tensor.values()
    except Exception:  # a layout without values, a subclass with a will of its own
        return None


def _group(tensors: list[torch.Tensor], dtype: torch.dtype) -> Sequence[torch.Tensor | None]:
    import torch

    try:
        return torch._foreach_norm(tensors, 2, dtype=dtype)
    except Exception:  # one strange tensor, or an older PyTorch, must not cost the others
        return [_single(tensor, dtype) for tensor in tensors]


def _single(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor | None:
    import torch

    try:
        return torch.linalg.vector_norm(tensor.to(dtype))
    except Exception:  # as above
        return None
