"""Which plane, or line, is measured: its directions, its nodes and what its axes mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viz3d.errors import BadArgument
from viz3d.record.landscape.axes import round_path, symmetric
from viz3d.record.landscape.checkpoints import Checkpoint
from viz3d.record.landscape.directions import line, random_directions
from viz3d.record.landscape.path import Path, principal, project
from viz3d.record.landscape.weights import Tensors, Weights

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float64]
KINDS = ("random", "pca", "line")


@dataclass(frozen=True)
class Plane:
    """A plane through the centre, or a line.

    Attributes
    ----------
    directions : sequence of {name: Tensor}
        Two, or one for a line.
    alpha, beta : ndarray
        Nodes along each; a line has no `beta`.
    titles : tuple of str
        What a coordinate along each direction means.
    normalisation : str
        ``"filter"`` or ``"none"``.
    ignored : str
        What does not move, in words; empty where everything does.
    explained : tuple of float
        Share of the checkpoints' squared distances along each direction, of a PCA plane.
    path : Path or None
    """

    directions: Sequence[Tensors]
    alpha: Floats
    beta: Floats | None
    titles: tuple[str, ...]
    normalisation: str = "none"
    ignored: str = ""
    explained: tuple[float, ...] = ()
    path: Path | None = None

    @property
    def rows(self) -> list[list[tuple[float, ...]]]:
        """Coordinates of every point; a row is measured as one, and so is a point of a line."""
        if self.beta is None:
            return [[(float(a),)] for a in self.alpha]
        return [[(float(a), float(b)) for a in self.alpha] for b in self.beta]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the grid: (ny, nx), or (nx,)."""
        nx = len(self.alpha)
        return (nx,) if self.beta is None else (len(self.beta), nx)

    def over(self, alpha: Floats | None, beta: Floats | None) -> Plane:
        """Return the same plane with nodes that a user gave."""
        if beta is not None and self.beta is None:
            raise BadArgument("A line has one axis; leave beta out.")
        return replace(
            self,
            alpha=self.alpha if alpha is None else alpha,
            beta=self.beta if beta is None else beta,
        )


def choose(
    kind: str,
    model: torch.nn.Module,
    weights: Weights,
    checkpoints: Sequence[Checkpoint],
    *,
    points: int,
    seed: int,
) -> Plane:
    """Return the plane of `kind` around `weights`, with the path of `checkpoints` on it."""
    if kind == "random":
        return _random(model, weights, checkpoints, points, seed)
    if kind == "pca":
        return _pca(weights, checkpoints, points)
    return _line(weights, checkpoints, points)


def _random(
    model: torch.nn.Module,
    weights: Weights,
    checkpoints: Sequence[Checkpoint],
    points: int,
    seed: int,
) -> Plane:
    directions, ignored = random_directions(model, weights, seed)
    return Plane(
        directions,
        symmetric(points),
        symmetric(points),
        tuple(f"random direction {i}, in lengths of each filter" for i in (1, 2)),
        normalisation="filter",
        ignored=ignored,
        path=project(weights, checkpoints, directions) if checkpoints else None,
    )


def _pca(weights: Weights, checkpoints: Sequence[Checkpoint], points: int) -> Plane:
    directions, explained = principal(weights, checkpoints)
    path = project(weights, checkpoints, directions)
    return Plane(
        directions,
        round_path(path.coordinates[:, 0], points),
        round_path(path.coordinates[:, 1], points),
        tuple(f"PCA direction {i} of the checkpoints, distance in weight space" for i in (1, 2)),
        explained=tuple(explained),
        path=path,
    )


def _line(weights: Weights, checkpoints: Sequence[Checkpoint], points: int) -> Plane:
    end = checkpoints[-1]
    directions = [line(weights, end.tensors)]
    if not any(directions[0][name].any() for name in weights.trained):
        raise BadArgument(
            f"Both ends of the line have the same weights (step {end.step}); give another "
            "checkpoint."
        )
    return Plane(
        directions,
        np.linspace(0.0, 1.0, points),
        None,
        (f"share of the way to step {end.step:,}",),
        path=project(weights, checkpoints, directions),
    )
