"""The path of a run's checkpoints: the plane that fits it best, and where it falls on a plane.

All of it streams through the weights in blocks, so that memory holds one block of each checkpoint
and the directions, however many checkpoints there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viz3d.errors import BadArgument
from viz3d.record.landscape.checkpoints import Checkpoint
from viz3d.record.landscape.weights import Tensors, Weights

if TYPE_CHECKING:
    import torch

BLOCK = 2**20
"""Numbers of each checkpoint that are worked on at a time."""

FLAT = 1e-6
"""Share of the largest extent below which a second direction is rounding error."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """Checkpoints projected on a plane.

    Attributes
    ----------
    coordinates : ndarray, shape (k, directions)
        Of the nearest point of the plane, in units of each direction.
    residual : ndarray, shape (k,)
        Distance from the plane over the distance from the centre, 0 to 1; 0 at the centre.
    distance : ndarray, shape (k,)
        Distance from the centre.
    """

    coordinates: Floats
    residual: Floats
    distance: Floats


def principal(
    weights: Weights, checkpoints: Sequence[Checkpoint]
) -> tuple[list[Tensors], list[float]]:
    """Return the plane through the centre that lies nearest to all checkpoints.

    Principal components of ``theta_k - theta_centre`` (Li et al. 2018, section 7.2; Lorch 2016),
    not centred on their mean: the plane goes through the centre, and no other such plane has
    smaller distances from the checkpoints.

    Parameters
    ----------
    weights : Weights
    checkpoints : sequence of Checkpoint

    Returns
    -------
    list of two {name: Tensor}
        Of unit length and orthogonal: coordinates are distances in weight space. The checkpoint
        farthest along a direction lies on its positive side.
    list of two float
        Share of the squared distances from the centre along each.

    Raises
    ------
    BadArgument
        If the checkpoints lie on one line through the centre, or there are fewer than two.
    """
    import torch

    gram = np.zeros((len(checkpoints),) * 2)
    for _, _, block in _blocks(weights, checkpoints):
        gram += (block @ block.T).numpy()
    values, vectors = np.linalg.eigh(gram)
    sizes = np.sqrt(np.clip(values[::-1][:2], 0, None))
    if sizes.size < 2 or not sizes[1] > FLAT * sizes[0]:
        raise BadArgument(
            "The checkpoints do not span a plane around the model's own weights; give at least two "
            "that differ from them and from each other, or use kind='line'."
        )
    leading = vectors[:, ::-1][:, :2]
    leading = leading * np.sign(leading[np.abs(leading).argmax(axis=0), [0, 1]])
    mix = torch.from_numpy((leading / sizes).T.copy())
    shapes = {name: (weights.centre[name].shape, _wide(weights, name)) for name in weights.trained}
    directions: list[Tensors] = [
        {
            name: weights.centre[name].new_zeros(shape, dtype=wide)
            for name, (shape, wide) in shapes.items()
        }
        for _ in sizes
    ]
    for name, part, block in _blocks(weights, checkpoints):
        for direction, values_here in zip(directions, mix @ block, strict=True):
            direction[name].view(-1)[part] = values_here.to(direction[name])
    return directions, [float(size**2 / np.trace(gram)) for size in sizes]


def project(
    weights: Weights, checkpoints: Sequence[Checkpoint], directions: Sequence[Tensors]
) -> Path:
    """Return where `checkpoints` fall on the plane (least squares), and how far they lie from it.

    Parameters
    ----------
    weights : Weights
    checkpoints : sequence of Checkpoint, length k
    directions : sequence of {name: Tensor}
        Of any length and angle.

    Returns
    -------
    Path
    """
    k, m = len(checkpoints), len(directions)
    inner, onto, squared, off = np.zeros((m, m)), np.zeros((k, m)), np.zeros(k), np.zeros(k)
    for name, part, block in _blocks(weights, checkpoints):
        axes = _part(directions, name, part, block)
        inner += (axes @ axes.T).numpy()
        onto += (block @ axes.T).numpy()
        squared += block.square().sum(dim=1).numpy()
    coordinates = _solved(inner, onto)
    # A second pass: the difference of two nearly equal squares would lose half the digits.
    for name, part, block in _blocks(weights, checkpoints):
        axes = _part(directions, name, part, block)
        off += (block - axes.new_tensor(coordinates) @ axes).square().sum(dim=1).numpy()
    distance = np.sqrt(squared)
    away = distance > 0
    residual = np.divide(np.sqrt(off), distance, out=np.zeros(k), where=away)
    return Path(coordinates, np.minimum(residual, np.float64(1)), distance)


def _solved(inner: Floats, onto: Floats) -> Floats:
    """Return coordinates from inner products; the shortest ones where directions are dependent."""
    if np.linalg.cond(inner) < 1 / FLAT**2:
        return np.asarray(np.linalg.solve(inner, onto.T).T, dtype=np.float64)
    return np.asarray(onto @ np.linalg.pinv(inner, rcond=FLAT**2, hermitian=True))


def _blocks(
    weights: Weights, checkpoints: Sequence[Checkpoint]
) -> Iterator[tuple[str, slice, torch.Tensor]]:
    """Yield (name, part of the flat tensor, differences from the centre (k, part) in float64)."""
    import torch

    for name in weights.trained:
        centre = weights.centre[name].flatten()
        for start in range(0, centre.numel(), BLOCK):
            part = slice(start, start + BLOCK)
            rows = [c.tensors[name].flatten()[part].cpu().double() for c in checkpoints]
            yield name, part, torch.stack(rows) - centre[part].cpu().double()


def _part(
    directions: Sequence[Tensors], name: str, part: slice, like: torch.Tensor
) -> torch.Tensor:
    """Return that part of all directions, (directions, part) as `like`; what is not named is 0."""
    import torch

    still = like.new_zeros(like.shape[1])
    rows = [d[name].flatten()[part] if name in d else still for d in directions]
    return torch.stack([row.to(like) for row in rows])


def _wide(weights: Weights, name: str) -> torch.dtype:
    import torch

    return torch.promote_types(weights.centre[name].dtype, torch.float32)
