"""The largest eigenvalues of the loss's Hessian, from Hessian-vector products alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viz3d.record.landscape.samples import Measure
from viz3d.record.landscape.weights import seed_all

if TYPE_CHECKING:
    import torch

MOST_STEPS = 80
"""Of Lanczos; each costs one Hessian-vector product and keeps one vector as long as the weights."""

TOLERANCE = 1e-4
"""Residual, relative to the largest eigenvalue, at which the wanted ones are found."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Eigenvalues:
    """Extreme eigenvalues of a symmetric matrix.

    Attributes
    ----------
    values : ndarray, shape (m,)
        Falling. Fewer than asked for where the matrix has fewer different ones.
    residuals : ndarray, shape (m,)
        ``|H v - lambda v|`` for the unit vector v, from a product of its own: an eigenvalue of
        the matrix lies this near.
    """

    values: Floats
    residuals: Floats


def hessian_eigenvalues(
    measure: Measure, parameters: Sequence[torch.nn.Parameter], k: int
) -> Eigenvalues:
    """Return the `k` largest eigenvalues of the Hessian of the mean loss where the model stands.

    Parameters
    ----------
    measure : Measure
    parameters : sequence of torch.nn.Parameter
        The Hessian is over these, together.
    k : int

    Returns
    -------
    Eigenvalues

    Raises
    ------
    RuntimeError
        From PyTorch, if the loss cannot be differentiated twice.
    """
    import torch

    n = sum(parameter.numel() for parameter in parameters)
    generator = torch.Generator().manual_seed(measure.seed)
    wide = torch.promote_types(parameters[0].dtype, torch.float32)
    first = torch.randn(n, generator=generator).to(parameters[0].device, wide)
    with hessian(measure, parameters) as product:
        return lanczos(product, first, k)


@contextmanager
def hessian(
    measure: Measure, parameters: Sequence[torch.nn.Parameter]
) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
    """Make the product of the Hessian with a vector, shape (n,), which can be taken within."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    # The fused kernels of attention have no second derivative.
    with _differentiable(parameters), sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
        yield lambda vector: _product(measure, parameters, vector)


def lanczos(
    product: Callable[[torch.Tensor], torch.Tensor], first: torch.Tensor, k: int
) -> Eigenvalues:
    """Return the `k` largest eigenvalues (not magnitudes) of a symmetric matrix.

    Lanczos with full reorthogonalisation (Golub & Van Loan, Matrix Computations, 10.3). An
    eigenvalue that occurs several times is found once.

    Parameters
    ----------
    product : callable
        ``product(v)`` -> ``H v``, both of shape (n,).
    first : Tensor, shape (n,)
        Where to start; a random vector.
    k : int

    Returns
    -------
    Eigenvalues
    """
    import torch

    basis = [first / first.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        new = product(basis[-1])
        diagonal.append(float(new @ basis[-1]))
        stacked = torch.stack(basis)
        for _ in range(2):  # twice is enough (Parlett)
            new = new - stacked.T @ (stacked @ new)
        left = float(new.norm())
        tri = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        values, vectors = np.linalg.eigh(tri)
        size = float(np.abs(values).max())
        wanted = slice(-1, -min(k, len(values)) - 1, -1)
        estimated = left * np.abs(vectors[-1, wanted])
        spent = len(basis) == min(MOST_STEPS, first.numel()) or left <= 1e-6 * size
        if spent or not np.isfinite(left) or (
            len(values) > k and (estimated <= TOLERANCE * size).all()
        ):  # fmt: skip
            break
        beside.append(left)
        basis.append(new / left)
    mix = torch.from_numpy(vectors[:, wanted].T.copy()).to(stacked)
    found = mix @ stacked
    away = [product(v) - float(value) * v for v, value in zip(found, values[wanted], strict=True)]
    return Eigenvalues(values[wanted].copy(), np.array([float(v.norm()) for v in away]))


def _product(
    measure: Measure, parameters: Sequence[torch.nn.Parameter], vector: torch.Tensor
) -> torch.Tensor:
    """Return the Hessian times `vector`: the gradient of (gradient . vector), batch by batch."""
    import torch

    seed_all(measure.seed)
    total, samples = torch.zeros_like(vector), 0
    for batch in measure.batches:
        losses = measure.loss_fn(measure.model, batch)
        samples += losses.numel()
        gradients = torch.autograd.grad(
            losses.sum(), parameters, create_graph=True, materialize_grads=True
        )
        slope = torch.cat([g.flatten().to(vector.dtype) for g in gradients]) @ vector
        if slope.requires_grad:  # else the gradient does not depend on the weights: no curvature
            seconds = torch.autograd.grad(slope, parameters, materialize_grads=True)
            total += torch.cat([second.flatten().to(vector.dtype) for second in seconds])
    return total / samples


@contextmanager
def _differentiable(parameters: Sequence[torch.nn.Parameter]) -> Iterator[None]:
    """Let frozen parameters have gradients for a while."""
    frozen = [parameter for parameter in parameters if not parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
