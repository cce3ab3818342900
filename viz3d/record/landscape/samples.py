"""One point of a landscape: means over fixed batches, with their standard errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.errors import BadArgument
from viz3d.record.landscape.weights import seed_all


@dataclass(frozen=True)
class Mean:
    """A mean over samples.

    Attributes
    ----------
    value : float
    se : float
        Standard deviation of the samples over the square root of their number; NaN for one.
    n : int
    """

    value: float
    se: float
    n: int


@dataclass(frozen=True)
class Measure:
    """Measures the model where it stands.

    Attributes
    ----------
    model : torch.nn.Module
    batches : tuple
        The same at every point.
    loss_fn, reward_fn : callable
        ``f(model, batch)`` -> one value per sample, any shape; or the batch's mean, which then
        counts as one sample.
    seed : int
        Everything random is seeded with it before each pass over the batches.
    """

    model: Any
    batches: Sequence[Any]
    loss_fn: Callable[[Any, Any], Any]
    reward_fn: Callable[[Any, Any], Any] | None
    seed: int

    def __call__(self) -> list[Mean]:
        """Return the mean loss and, where there is a `reward_fn`, the mean reward."""
        asked = [("loss_fn", self.loss_fn), ("reward_fn", self.reward_fn)]
        return [self._mean(name, function) for name, function in asked if function]

    def _mean(self, name: str, function: Callable[[Any, Any], Any]) -> Mean:
        import torch

        seed_all(self.seed)
        with torch.no_grad():
            return mean_of([_values(name, function(self.model, b)) for b in self.batches])


def mean_of(parts: Sequence[NDArray[np.float64]]) -> Mean:
    """Return the mean over all values of `parts`, as it is where it is not finite."""
    values = np.concatenate(parts)
    n = values.size
    with np.errstate(invalid="ignore", over="ignore"):
        se = float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
        return Mean(float(values.mean()), se, n)


def _values(name: str, found: Any) -> NDArray[np.float64]:
    import torch

    if isinstance(found, torch.Tensor):
        if found.is_complex():
            raise BadArgument(f"{name} gave complex numbers; let it return real ones.")
        found = found.detach().double().cpu().numpy()
    try:
        values = np.empty(0) if found is None else np.asarray(found, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        values = np.empty(0)
    if not values.size:
        raise BadArgument(
            f"{name} gave {type(found).__name__} for a batch; let it return one number per sample, "
            "as a tensor, or the mean of the batch."
        )
    return values
