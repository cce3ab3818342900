"""The kernels that scikit-learn lacks: noise that samples share, and a size that changes with x."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from viz3d.analysis._groups import Floats


def shared_noise(covariance: Floats) -> Any:
    """Return a kernel of fixed covariance between samples, none with points that are predicted.

    What scikit-learn's ``WhiteKernel`` is for independent noise, for noise that is correlated.

    Parameters
    ----------
    covariance : ndarray, shape (n, n)
        Between the n samples that the process is fitted to.

    Returns
    -------
    sklearn.gaussian_process.kernels.Kernel
    """
    return _shared_noise_class()(covariance)


@cache
def _shared_noise_class() -> Any:
    """Make the class when it is first used: its base is in scikit-learn, which loads slowly."""
    from sklearn.gaussian_process.kernels import Kernel

    class SharedNoise(Kernel):
        def __init__(self, covariance: Floats) -> None:
            self.covariance = covariance

        def __call__(self, X: Floats, Y: Floats | None = None, eval_gradient: bool = False) -> Any:
            if Y is not None:
                return np.zeros((len(X), len(Y)))
            if eval_gradient:
                return self.covariance, np.empty((*self.covariance.shape, 0))
            return self.covariance

        def diag(self, X: Floats) -> Floats:
            # A prediction is of the surface, without the noise.
            return np.zeros(len(X))

        def is_stationary(self) -> bool:
            return False

    return SharedNoise


def sized(size: Callable[[Floats], Floats]) -> Any:
    """Return a kernel that makes another, times it, as large as `size` at each x.

    Parameters
    ----------
    size : callable
        Factor of the standard deviation at unit x, shape (n,).

    Returns
    -------
    sklearn.gaussian_process.kernels.Kernel
    """
    return _sized_class()(size)


@cache
def _sized_class() -> Any:
    from sklearn.gaussian_process.kernels import Kernel

    class Sized(Kernel):
        def __init__(self, size: Callable[[Floats], Floats]) -> None:
            self.size = size

        def __call__(self, X: Floats, Y: Floats | None = None, eval_gradient: bool = False) -> Any:
            covariance = np.outer(self.size(X[:, 0]), self.size((X if Y is None else Y)[:, 0]))
            if eval_gradient:
                return covariance, np.empty((*covariance.shape, 0))
            return covariance

        def diag(self, X: Floats) -> Floats:
            return self.size(X[:, 0]) ** 2

        def is_stationary(self) -> bool:
            return False

    return Sized
