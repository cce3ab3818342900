"""The weights of a model: moved along directions, and put back exactly as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.errors import BadArgument
from viz3d.record.blocks import clean

if TYPE_CHECKING:
    import torch

Tensors = Mapping[str, "torch.Tensor"]


class Weights:
    """Parameters and buffers of a model by name, and the centre from which they are moved.

    Parameters
    ----------
    model : torch.nn.Module

    Attributes
    ----------
    tensors : dict of {name: Tensor}
        The model's own parameters and buffers; of shared ones the first name. Wrappers' names
        (of data-parallel or compiled models) are left out.
    centre : dict of {name: Tensor}
        Copies to start from.
    trained : tuple of str
        Parameters that directions may move: those that require gradients, or all when none does.

    Raises
    ------
    BadArgument
        If they cannot be moved, or are no numbers.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        parameters = {clean(name): p for name, p in model.named_parameters()}
        buffers = {clean(name): b for name, b in model.named_buffers()}
        self.tensors: dict[str, torch.Tensor] = {**parameters, **buffers}
        self.centre = {name: t.detach().clone() for name, t in self.tensors.items()}
        floating = {name: p for name, p in parameters.items() if p.is_floating_point()}
        self.trained = tuple(n for n, p in floating.items() if p.requires_grad) or tuple(floating)
        if empty := next((n for n, t in self.tensors.items() if t.is_meta), None):
            raise BadArgument(
                f"{empty!r} is on the meta device, without numbers; load its weights."
            )
        if fixed := next((n for n, t in self.tensors.items() if t.is_inference()), None):
            raise BadArgument(
                f"{fixed!r} was made under torch.inference_mode, so it cannot be moved; load the "
                "model outside of it."
            )

    def bad(self) -> str | None:
        """Return the name of a parameter with a NaN or infinity in it, if there is one."""
        finite = ((name, self.centre[name].isfinite().all()) for name in self.trained)
        return next((name for name, whole in finite if not whole), None)

    def put(self, values: Tensors) -> None:
        """Copy `values` into the model; tensors that it does not name stay as they are."""
        import torch

        with torch.no_grad():
            for name, tensor in self.tensors.items():
                if name in values:
                    tensor.copy_(values[name])

    def place(self, coordinates: Sequence[float], directions: Sequence[Tensors]) -> None:
        """Move the model to the centre plus `coordinates` times `directions`.

        Directions are float32 at least, so the sum is too, and rounded once; where every
        coordinate is 0 the model is the centre itself.
        """
        import torch

        with torch.no_grad():
            for name, tensor in self.tensors.items():
                moves = [(c, d[name]) for c, d in zip(coordinates, directions, strict=True)
                         if name in d]  # fmt: skip
                at = self.centre[name]
                for coordinate, direction in moves:
                    at = at + coordinate * direction
                tensor.copy_(at)


@contextmanager
def untouched(model: torch.nn.Module) -> Iterator[None]:
    """Leave parameters, buffers, training modes and random states exactly as they were.

    Inside, the model is in evaluation mode: no dropout, no running statistics moved.
    """
    original = Weights(model)
    modes = [(module, module.training) for module in model.modules()]
    states = _random_states()
    model.eval()
    try:
        yield
    finally:
        original.put(original.centre)
        for module, training in modes:
            module.training = training
        _set_random_states(states)


def seed_all(seed: int) -> None:
    """Seed Python, NumPy and PyTorch: whatever a loss draws, it draws the same at every point."""
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _random_states() -> dict[str, Any]:
    import torch

    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": cuda,
    }


def _set_random_states(states: Mapping[str, Any]) -> None:
    import torch

    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if states["cuda"] is not None:
        torch.cuda.set_rng_state_all(states["cuda"])
