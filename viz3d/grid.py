"""The record of a landscape: values measured on a plane, or along a line, through the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LandscapePath:
    """Checkpoints of a run, projected onto the plane; arrays of shape (k,).

    Attributes
    ----------
    alpha, beta : ndarray of float64
        Where each lies on the plane; beta is 0 along a line.
    residual : ndarray of float64
        Its distance from the plane, as a share of its distance from the centre, 0 to 1; NaN where
        that was not recorded.
    step : ndarray of int64
    loss : ndarray of float64
        Of the checkpoint itself, not of its projection; NaN where that was not measured.
    reward : ndarray of float64, or None
        Likewise; None where no reward was measured at all.
    """

    alpha: Floats
    beta: Floats
    residual: Floats
    step: NDArray[np.int64]
    loss: Floats
    reward: Floats | None = None

    def own(self, quantity: str) -> Floats | None:
        """Return what the checkpoints gave by themselves, of a quantity that was measured."""
        return {"loss": self.loss, "reward": self.reward}.get(quantity)


@dataclass(frozen=True)
class LandscapeGrid:
    """Values measured at the nodes of a grid in weight space, whatever the trainer logged.

    It is no surface in the sense of `viz3d.analysis.surface`: nothing of it was fitted.

    Attributes
    ----------
    name : str
        Unique in its run.
    alpha : ndarray of float64, shape (nx,)
        Coordinates along the first direction, ascending.
    beta : ndarray of float64, shape (ny,), or None
        Along the second, ascending; None for a line.
    values : mapping of {quantity: ndarray of float64}
        Each of shape (ny, nx), or (nx,) for a line; NaN where a node was not measured.
    errors : mapping of {quantity: ndarray of float64}
        Standard errors of some of the quantities, same shape.
    path : LandscapePath or None
    eigenvalues, eigenvalue_residuals : ndarray of float64, shape (m,), or None
        Of the Hessian at the centre, the largest first, and the norm of what each leaves over;
        None where they were not measured.
    meta : mapping
        How it was measured: ``kind`` (``"random"``, ``"pca"``, ``"line"`` or empty),
        ``centre_step``, ``normalisation``, ``n_samples`` and so on, as far as recorded.
    """

    name: str
    alpha: Floats
    beta: Floats | None
    values: Mapping[str, Floats]
    errors: Mapping[str, Floats] = field(default_factory=dict)
    path: LandscapePath | None = None
    eigenvalues: Floats | None = None
    eigenvalue_residuals: Floats | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("values", "errors", "meta"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def nodes(self) -> int:
        """How many nodes the grid has, measured or not."""
        return len(self.alpha) * (1 if self.beta is None else len(self.beta))
