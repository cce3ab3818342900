"""Directions in weight space: random ones, filter by filter, and the line to a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from viz3d.errors import BadArgument
from viz3d.record.blocks import clean
from viz3d.record.landscape.weights import Tensors, Weights

if TYPE_CHECKING:
    import torch

# Modules whose weights have the output second; everywhere else the first dimension is the filter.
OUTPUT_SECOND = frozenset({"Conv1D", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"})


def random_directions(
    model: torch.nn.Module, weights: Weights, seed: int
) -> tuple[list[Tensors], str]:
    """Draw two filter-normalised Gaussian directions (Li et al. 2018, section 4).

    Each filter (a row of a matrix, an output channel of a convolution) of a direction gets the
    Euclidean norm of the model's own filter. Biases, all else of fewer than two dimensions and all
    parameters of norms stay where they are. The two are nearly orthogonal in many dimensions, and
    not made more so.

    Parameters
    ----------
    model : torch.nn.Module
    weights : Weights
        Of this model.
    seed : int
        The same seed gives the same directions on every device.

    Returns
    -------
    list of two {name: Tensor}
        A tensor that is not named does not move.
    str
        What does not move, in words; empty where everything does.

    Raises
    ------
    BadArgument
        If the model has nothing but those, or zeros.
    """
    import torch

    axes = _filter_axes(model, weights)
    if not axes:
        raise BadArgument(
            "The model has no parameter but biases, scalars and norms, which random directions "
            "leave as they are; use kind='pca' or kind='line'."
        )
    if not any(weights.centre[name].any() for name in axes):
        raise BadArgument(
            "The weights that random directions could move are all zero, and so would be the "
            "directions; use kind='pca' or kind='line'."
        )
    generator = torch.Generator().manual_seed(seed)
    directions: list[Tensors] = []
    for _ in range(2):
        direction = {}
        for name, axis in axes.items():
            weight = weights.centre[name]
            noise = torch.randn(weight.shape, generator=generator)
            direction[name] = _like_filters(noise.to(weight.device), weight, axis)
        directions.append(direction)
    still, all_of = len(weights.trained) - len(axes), len(weights.trained)
    return directions, f"biases, scalars and norms ({still} of {all_of} tensors)" if still else ""


def line(weights: Weights, end: Tensors) -> Tensors:
    """Return the direction from the centre to `end`; buffers move too, so 1 is `end` itself."""
    import torch

    return {
        name: (end[name].to(at.device, torch.float64) - at.double()).to(_wide(at))
        for name, at in weights.centre.items()
        if name in end and at.is_floating_point()
    }


def _filter_axes(model: torch.nn.Module, weights: Weights) -> Mapping[str, int]:
    """Return the dimension that counts the filters, for each parameter that moves."""
    kinds = {
        clean(f"{path}.{own}" if path else own): type(module).__name__
        for path, module in model.named_modules()
        for own, _ in module.named_parameters(recurse=False)
    }
    return {
        name: int(kinds.get(name, "") in OUTPUT_SECOND)
        for name in weights.trained
        if weights.centre[name].dim() > 1 and "norm" not in kinds.get(name, "").lower()
    }


def _like_filters(noise: torch.Tensor, weight: torch.Tensor, axis: int) -> torch.Tensor:
    import torch

    wide = weight.to(_wide(weight))
    others = [dim for dim in range(weight.dim()) if dim != axis]
    norm = torch.linalg.vector_norm
    own = norm(noise, dim=others, keepdim=True)
    return noise * (norm(wide, dim=others, keepdim=True) / own)


def _wide(tensor: torch.Tensor) -> torch.dtype:
    import torch

    return torch.promote_types(tensor.dtype, torch.float32)
