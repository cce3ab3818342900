"""The Gaussian process behind a surface: fit, prediction, and the widening of its band."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz3d.analysis._bend import Bend
from viz3d.analysis._bins import Bins
from viz3d.analysis._groups import Floats, Ints

NINETY = 1.6448536269514722
"""Standard deviations to each side that hold 90 % of a Gaussian."""

SHORTEST, LONGEST = 0.1, 3.0
"""Bounds of the length scales, in unit axes."""

JITTER = 1e-8
"""Keeps the covariance of bins that lie on each other invertible."""

SharedError = Callable[[Bins], Floats]


@dataclass(frozen=True)
class Process:
    """A Gaussian process over unit x and bent unit y.

    Attributes
    ----------
    model : GaussianProcessRegressor
        Fitted to the bins.
    bend : Bend
        Of the second axis.
    lengths : tuple of float
        Length scales along the two axes.
    """

    model: Any
    bend: Bend
    lengths: tuple[float, float]

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the mean surface at unit points, shape (n, 2)."""
        mean, deviation = self.model.predict(_bent(points, self.bend), return_std=True)
        return mean, deviation

    def left_out(self, bins: Bins, block: Ints) -> tuple[Floats, Floats]:
        """Predict each block of bins from all other blocks: error and its standard deviation.

        In closed form from the inverse covariance (Rasmussen and Williams 2006, section 5.4.2, for
        blocks), so nothing is fitted again. The deviation holds the noise of the bins.

        Parameters
        ----------
        bins : Bins
            Those that the process was conditioned on.
        block : ndarray of int, shape (n,)
            Code of the block of each bin.
        """
        from scipy.linalg import cho_solve

        inverse = cho_solve((self.model.L_, True), np.eye(len(bins)))
        weighted = inverse @ bins.w
        error, deviation = np.empty(len(bins)), np.empty(len(bins))
        for name in np.unique(block):
            held = np.flatnonzero(block == name)
            covariance = np.linalg.inv(inverse[np.ix_(held, held)])
            error[held] = covariance @ weighted[held]
            deviation[held] = np.sqrt(np.diag(covariance))
        return error, deviation


def one_thread() -> AbstractContextManager[Any]:
    """Hold BLAS at one thread: the order of its sums, so the last bit, depends on their number."""
    import sklearn.gaussian_process  # noqa: F401  (loads the BLAS that is to be held)
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def fit_process(coarse: Bins, fine: Bins, shared: SharedError) -> Process:
    """Learn the kernel on the coarse bins, then condition it on the fine ones.

    Gaussian process regression with a Matern-3/2 kernel and the measured noise of the bins
    (Rasmussen and Williams 2006, chapters 2, 4 and 5), by scikit-learn. One start of L-BFGS
    makes it deterministic.

    Parameters
    ----------
    coarse, fine : Bins
        The same samples on two lattices.
    shared : callable
        Covariance of the noise that bins have in common, shape (n, n) for n bins.
    """
    bend = Bend.none()
    kernel = _learn(coarse, shared, bend)
    if coarse.n_runs >= 3:
        first = _condition(kernel, coarse, shared, bend)
        bend = Bend.learn(lambda points: first.predict(_bent(points, Bend.none())), coarse)
        kernel = _learn(coarse, shared, bend)
    lengths = kernel.k1.k1.k2.length_scale
    model = _condition(kernel, fine, shared, bend)
    return Process(model, bend, (float(lengths[0]), float(lengths[1])))


def _bent(points: Floats, bend: Bend) -> Floats:
    return np.column_stack([points[:, 0], bend.at(points[:, 1])])


def _learn(bins: Bins, shared: SharedError, bend: Bend) -> Any:
    """Fit the kernel ``(constant * Matern + white) + shared`` by maximum likelihood."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    from viz3d.analysis._kernels import shared_noise

    smooth = ConstantKernel(1.0, (0.05, 50.0)) * Matern([0.4, 0.4], (SHORTEST, LONGEST), nu=1.5)
    # Noise that was measured leaves little for the white part; otherwise it has to be all of it.
    white = WhiteKernel(1e-3, (1e-6, 0.05 if bins.own.any() else 1.0))
    kernel = smooth + white + shared_noise(shared(bins))
    learner = GaussianProcessRegressor(kernel, alpha=bins.own + JITTER)
    with warnings.catch_warnings():
        # A length scale at its bound is told as "direction not resolved".
        warnings.simplefilter("ignore", ConvergenceWarning)
        learner.fit(_bent(np.column_stack([bins.u, bins.v]), bend), bins.w)
    return learner.kernel_


def _condition(kernel: Any, bins: Bins, shared: SharedError, bend: Bend) -> Any:
    """Condition the learned kernel on the bins; what it predicts is the surface without noise."""
    from sklearn.gaussian_process import GaussianProcessRegressor

    from viz3d.analysis._kernels import shared_noise

    smooth, white = kernel.k1.k1, kernel.k1.k2.noise_level
    model = GaussianProcessRegressor(
        smooth + shared_noise(shared(bins)), alpha=bins.own + white + JITTER, optimizer=None
    )
    return model.fit(_bent(np.column_stack([bins.u, bins.v]), bend), bins.w)
