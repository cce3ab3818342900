"""The record of a landscape: loss measured on a plane, or a line, in weight space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Landscape:
    """Loss at ``centre + alpha * first direction + beta * second direction``, as measured.

    Nothing is fitted, clipped or filled: a loss that was NaN or infinite is NaN or infinite here.

    Attributes
    ----------
    name : str
    alpha : ndarray, shape (nx,)
    beta : ndarray, shape (ny,), or None for a line
    loss : ndarray, shape (ny, nx), or (nx,) for a line
        Mean over the same samples at every point.
    loss_se : ndarray, shape of `loss`
        Standard error of that mean; NaN where one sample, or a loss that is not finite, gives
        none.
    reward, reward_se : ndarray, shape of `loss`, or None
    path_alpha, path_beta : ndarray, shape (k,), or None
        Where each checkpoint falls on the plane; a line has no `path_beta`.
    path_residual : ndarray, shape (k,), or None
        Distance of each checkpoint from the plane over its distance from the centre, 0 to 1.
    path_step : ndarray of int64, shape (k,), or None
    path_loss : ndarray, shape (k,), or None
        The checkpoint's own loss on the same samples, not the plane's below it.
    eigenvalues : ndarray, shape (m,), or None
        The largest of the Hessian at the centre, falling.
    eigenvalue_residuals : ndarray, shape (m,), or None
        ``|H v - lambda v|`` for the unit vector v: an eigenvalue lies this near.
    meta : mapping
        ``schema``, ``kind`` (``"random"``, ``"pca"``, ``"line"``), ``centre_step``,
        ``normalisation``, ``seed``, ``ignored``, ``n_samples``, ``n_batches``, ``precision``,
        ``title_alpha``, ``title_beta``, ``explained``, ``version``, and beyond these
        ``centre_loss``, ``centre_loss_se``, ``problems``.
    """

    name: str
    alpha: Floats
    beta: Floats | None
    loss: Floats
    loss_se: Floats
    reward: Floats | None = None
    reward_se: Floats | None = None
    path_alpha: Floats | None = None
    path_beta: Floats | None = None
    path_residual: Floats | None = None
    path_step: NDArray[np.int64] | None = None
    path_loss: Floats | None = None
    eigenvalues: Floats | None = None
    eigenvalue_residuals: Floats | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))
