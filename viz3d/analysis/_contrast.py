"""Fit two groups of runs together: what they have in common, and in what they differ.

Two surfaces fitted apart differ by the error of each, and between the runs of a sweep that error is
large and much the same on both sides. Fitted together it is learned once: f_side = common + own,
each a Gaussian process of its own size and smoothness, learned from both groups (after Hensman,
Lawrence and Rattray 2013, "Hierarchical Bayesian modelling of gene expression time series across
irregularly sampled replicates and clusters", BMC Bioinformatics 14:252, where the sides are
replicates over time). The difference of the two own parts is as sure as the
data make it, and it shrinks towards nothing where nothing tells the groups apart.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from viz3d.analysis._axes import Axis
from viz3d.analysis._bend import Bend
from viz3d.analysis._bins import Bins, bin_runs
from viz3d.analysis._groups import Floats, Ints
from viz3d.analysis._heights import OFFSET, Heights
from viz3d.analysis._noise import Noise, measure_noise
from viz3d.analysis._process import (
    JITTER,
    LONGEST,
    NINETY,
    SHORTEST,
    Process,
    SharedError,
    fit_process,
    one_thread,
)
from viz3d.analysis._samples import Samples
from viz3d.analysis.surface_model import CHUNK, COARSE, FINE, LEAST_KAPPA, MOST_KAPPA

OWN = (OFFSET**2, 50.0)
"""Bounds of the variance of what a side has of its own, where the spread of the runs is typical.

Not less than what a seed does to one run: let go to nothing, it says that the sides are one and the
same to any digit, which runs that differ by their seed cannot tell.
"""

SHARED_LENGTH, OWN_LENGTH = (1e3, 1.1e3), (1e-3, 1.1e-3)
"""Length scales along the side, 0 or 1, at which both sides are one, and at which they are apart.

A kernel of scikit-learn sees all columns, and this makes one of it that knows the side.
"""


@dataclass(frozen=True)
class Contrast:
    """The two sides at n points, each array of shape (n,).

    Attributes
    ----------
    a, b : ndarray
        Medians in data units.
    d : ndarray
        a - b, or log(a / b).
    deviation : ndarray
        Standard deviation of `d`, widened by kappa.
    """

    a: Floats
    b: Floats
    d: Floats
    deviation: Floats


class ContrastModel:
    """The difference of two groups of runs, learned from both at once.

    Parameters
    ----------
    scales : tuple of str
        Of x and y.
    log : bool
        Whether z is fitted on a logarithmic scale.

    Attributes
    ----------
    kappa_ : float
        Factor by which the joint band is wider than the process says.
    """

    def __init__(self, scales: tuple[str, str], *, log: bool) -> None:
        self.scales = scales
        self.log = log

    def fit(self, a: Samples, b: Samples) -> ContrastModel:
        """Learn from the samples of both sides."""
        x, y, z = (np.concatenate([getattr(side, name) for side in (a, b)]) for name in "xyz")
        run = np.concatenate([a.run, b.run + a.n_runs])
        self._axes = Axis.over(x, self.scales[0]), Axis.over(y, self.scales[1])
        u, v = self._axes[0].unit(x), self._axes[1].unit(y)
        inside = (np.abs(u - 0.5) <= 1) & (np.abs(v - 0.5) <= 1)
        u, v, z, run = u[inside], v[inside], z[inside], run[inside]
        self._heights = Heights.learn(u, z, run, log=self.log)
        w = self._heights.forward(z, u)
        noise = measure_noise(u, v, w, run)

        def shared(bins: Bins) -> Floats:
            return bins.shared(noise.memory, self._heights.offset(bins.u))

        coarse, fine = (
            _bin_sides((u, v, w), run, a.n_runs, noise, limit) for limit in (COARSE, FINE)
        )
        with one_thread():
            self._bend = fit_process(coarse[0], coarse[0], shared).bend
            kernel = _learn(*coarse, shared, self._bend, self._heights.size)
            self._model = _condition(kernel, *fine, shared, self._bend)
            self.kappa_ = _kappa(Process(self._model, self._bend, (np.nan, np.nan)), fine[0])
        return self

    def predict(self, x: Floats, y: Floats) -> Contrast:
        """Read both sides off at points in data units, x and y of shape (n,)."""
        points = np.column_stack([self._axes[0].unit(x), self._axes[1].unit(y)])
        parts = range(0, len(points), CHUNK)
        with one_thread():
            columns = [self._predict(points[start : start + CHUNK]) for start in parts]
        return Contrast(*np.concatenate(columns, axis=1))

    def _predict(self, points: Floats) -> Floats:
        from scipy.linalg import solve_triangular

        model, u = self._model, points[:, 0]
        covariance = [
            model.kernel_(_inputs(points, np.full(len(points), side), self._bend), model.X_train_)
            for side in (0.0, 1.0)
        ]
        mean_a, mean_b = (k @ model.alpha_ for k in covariance)
        told = solve_triangular(model.L_, (covariance[0] - covariance[1]).T, lower=True)
        own = model.kernel_.k1.k2.diag(_inputs(points, np.zeros(len(points)), self._bend))
        variance = 2 * own - np.sum(told**2, axis=0)
        half = self.kappa_ * np.sqrt(np.maximum(variance, JITTER)) / 2
        middle = (mean_a + mean_b) / 2
        a, b, upper, lower = (
            self._heights.inverse(w, u) for w in (mean_a, mean_b, middle + half, middle - half)
        )
        if self.log:
            return np.stack([a, b, np.log(a / b), np.log(upper / lower)])
        return np.stack([a, b, a - b, upper - lower])


def _bin_sides(
    columns: tuple[Floats, Floats, Floats], run: Ints, n_runs: int, noise: Noise, limit: int
) -> tuple[Bins, Floats]:
    """Bin each side by itself, with half of the limit; the bins and their side, 0 or 1."""
    parts = []
    for of_side in (run < n_runs, run >= n_runs):
        codes = np.unique(run[of_side], return_inverse=True)[1].astype(np.int64)
        own = replace(noise, sample=noise.sample[of_side])
        u, v, w = (column[of_side] for column in columns)
        parts.append(bin_runs(u, v, w, codes, own, limit // 2))
    first, second = parts
    # No run, and no stretch of time, is on both sides.
    second = replace(
        second, run=second.run + first.run.max() + 1, time=second.time + len(columns[0])
    )
    names = [field.name for field in fields(Bins)]
    both = [np.concatenate([getattr(part, name) for part in (first, second)]) for name in names]
    return Bins(*both), np.repeat([0.0, 1.0], [len(first), len(second)])


def _kappa(process: Process, bins: Bins) -> float:
    """Widen until 90 % of the bins are held when a tenth of the x axis of one run is left out."""
    error, deviation = process.left_out(bins, bins.part)
    needed = float(np.quantile(np.abs(error) / deviation, 0.9)) / NINETY
    return float(np.clip(needed, LEAST_KAPPA, MOST_KAPPA))


def _inputs(points: Floats, side: Floats, bend: Bend) -> Floats:
    return np.column_stack([points[:, 0], bend.at(points[:, 1]), side])


def _at(bins: Bins, side: Floats, bend: Bend) -> Floats:
    return _inputs(np.column_stack([bins.u, bins.v]), side, bend)


def _learn(
    bins: Bins, side: Floats, shared: SharedError, bend: Bend, size: Callable[[Floats], Floats]
) -> Any:
    """Fit the kernel ``(common + own) + white + shared`` by maximum likelihood, from one start.

    Fitted values are divided by the spread of the runs at each x, and what is one difference at all
    x is not one after that. So `own` has the size of what it was before.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    from viz3d.analysis._kernels import shared_noise, sized

    length = (SHORTEST, LONGEST)
    common = ConstantKernel(1.0, (0.05, 50.0)) * Matern(
        [0.4, 0.4, SHARED_LENGTH[0]], [length, length, SHARED_LENGTH], nu=1.5
    )
    own = ConstantKernel(0.05, OWN) * Matern(
        [1.0, 1.0, OWN_LENGTH[0]], [length, length, OWN_LENGTH], nu=1.5
    )
    own *= sized(size)
    white = WhiteKernel(1e-3, (1e-6, 0.05 if bins.own.any() else 1.0))
    kernel = common + own + white + shared_noise(shared(bins))
    learner = GaussianProcessRegressor(kernel, alpha=bins.own + JITTER)
    with warnings.catch_warnings():
        # A length scale at its bound is no fault: what a side has of its own may be a constant.
        warnings.simplefilter("ignore", ConvergenceWarning)
        learner.fit(_at(bins, side, bend), bins.w)
    return learner.kernel_


def _condition(kernel: Any, bins: Bins, side: Floats, shared: SharedError, bend: Bend) -> Any:
    from sklearn.gaussian_process import GaussianProcessRegressor

    from viz3d.analysis._kernels import shared_noise

    smooth, white = kernel.k1.k1, kernel.k1.k2.noise_level
    model = GaussianProcessRegressor(
        smooth + shared_noise(shared(bins)), alpha=bins.own + white + JITTER, optimizer=None
    )
    return model.fit(_at(bins, side, bend), bins.w)
