"""The Gaussian process behind a surface: fit, chunked prediction, and the widening of its band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from viz3d.analysis._axes import Floats
from viz3d.analysis._bins import Bins
from viz3d.analysis._noise import Noise

NINETY = 1.6448536269514722
"""Standard deviations to each side that hold 90 % of a Gaussian."""

CHUNK = 1024
"""Points predicted at once: keeps the matrix of covariances at a few megabytes."""

SHORTEST, LONGEST = 0.1, 3.0
"""Bounds of the length scales, in unit axes."""


import os
OFFSET = float(os.environ.get('OFF','.05'))
FLOOR = float(os.environ.get('FLOOR','1.25'))

@dataclass(frozen=True)
class Process:
    """A fitted Gaussian process in unit axes."""

    model: Any
    centre: float
    spread: float
    lengths: tuple[float, float]

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the mean surface at unit points, shape (n, 2)."""
        mean, std = np.empty(len(points)), np.empty(len(points))
        for start in range(0, len(points), CHUNK):
            part = slice(start, start + CHUNK)
            mean[part], std[part] = self.model.predict(points[part], return_std=True)
        return self.centre + self.spread * mean, self.spread * std

    def surprise(self, bins: Bins) -> float:
        """How many times wider the band must be to hold 90 % of blocks left out in turn.

        A block is one run over a tenth of the first axis. Its prediction from all other bins
        comes in closed form from the inverse covariance (Rasmussen and Williams 2006, section
        5.4.2), so nothing is fitted again.
        """
        from scipy.linalg import cho_solve

        inverse = cho_solve((self.model.L_, True), np.eye(len(bins)))
        weighted = inverse @ ((bins.w - self.centre) / self.spread)
        block = bins.run * 1000 + np.floor(bins.u * 10).astype(np.int64)
        ratios = []
        for name in np.unique(block):
            held = np.flatnonzero(block == name)
            covariance = np.linalg.inv(inverse[np.ix_(held, held)])
            ratios.append(np.abs(covariance @ weighted[held]) / np.sqrt(np.diag(covariance)))
        return float(np.quantile(np.concatenate(ratios), 0.9)) / NINETY


def fit_process(coarse: Bins, fine: Bins, noise: Noise) -> Process:
    """Learn the kernel on the coarse bins, then condition it on the fine ones.

    Gaussian process regression with a Matern-3/2 kernel and one noise variance per bin
    (Rasmussen and Williams 2006, chapters 2, 4 and 5), by scikit-learn. One start of L-BFGS
    makes it deterministic.
    """
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    from viz3d.analysis._noise_kernel import SharedNoise

    centre, spread = float(np.median(fine.w)), float(np.std(fine.w))
    matern = Matern([0.4, 0.4], (SHORTEST, LONGEST), nu=1.5)
    kernel = ConstantKernel(1.0, (0.05, 50.0)) * matern + WhiteKernel(1e-3, (1e-6, 0.05))
    shared = SharedNoise(_shared(coarse, noise.memory) / spread**2)
    learner = GaussianProcessRegressor(kernel + shared, alpha=coarse.variance / spread**2 + 1e-8)
    learner.fit(np.column_stack([coarse.u, coarse.v]), (coarse.w - centre) / spread)
    smooth, white = learner.kernel_.k1.k1, learner.kernel_.k1.k2.noise_level
    # The learned white noise belongs to the bins, not to the surface that is drawn.
    shared = SharedNoise(_shared(fine, noise.memory) / spread**2)
    model = GaussianProcessRegressor(
        smooth + shared, alpha=fine.variance / spread**2 + white + 1e-8, optimizer=None
    )
    model.fit(np.column_stack([fine.u, fine.v]), (fine.w - centre) / spread)
    lengths = smooth.k2.length_scale
    return Process(model, centre, spread, (float(lengths[0]), float(lengths[1])))


def _shared(bins: Bins, memory: float) -> Floats:
    same = bins.run[:, None] == bins.run
    decay = np.exp(-np.abs(bins.time[:, None] - bins.time) / memory)
    return same * (decay * np.sqrt(np.outer(bins.common, bins.common)) + OFFSET**2*np.var(bins.w))
