"""The kernel that scikit-learn lacks: noise that samples share."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from viz3d.analysis._groups import Floats


class SharedNoise(Kernel):
    """A fixed covariance between the samples, none with points that are predicted.

    What scikit-learn's ``WhiteKernel`` is for independent noise, for noise that is correlated.

    Parameters
    ----------
    covariance : ndarray, shape (n, n)
        Between the n samples that the process is fitted to.
    """

    def __init__(self, covariance: Floats) -> None:
        self.covariance = covariance

    def __call__(self, X: Floats, Y: Floats | None = None, eval_gradient: bool = False) -> Any:
        """Covariance of the samples with themselves (Y is None), else zeros."""
        if Y is not None:
            return np.zeros((len(X), len(Y)))
        if eval_gradient:
            return self.covariance, np.empty((*self.covariance.shape, 0))
        return self.covariance

    def diag(self, X: Floats) -> Floats:
        """Nothing: a prediction is of the surface, without the noise."""
        return np.zeros(len(X))

    def is_stationary(self) -> bool:
        """Tell scikit-learn that the covariance depends on the samples themselves."""
        return False
