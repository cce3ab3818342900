"""The estimator behind every surface: fit the samples of some runs, predict anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from viz3d.analysis._axes import SCALES, Axis
from viz3d.analysis._bins import bin_runs
from viz3d.analysis._gaps import doubt_between, gaps_left, misses
from viz3d.analysis._groups import Floats, Groups
from viz3d.analysis._heights import Heights
from viz3d.analysis._noise import measure_noise
from viz3d.analysis._process import LONGEST, NINETY, SHORTEST, fit_process, one_thread
from viz3d.analysis._samples import Samples, clean_samples
from viz3d.analysis._support import STRICTNESS, support_at

COARSE, FINE = 250, 700
"""Most bins to learn the kernel from, and to draw the surface from."""

CHUNK = 1024
"""Points predicted at once: keeps the matrix of covariances at a few megabytes."""

LEAST_KAPPA, MOST_KAPPA = 1.2, 3.0
"""Bounds of the widening of the band."""

TYPICAL = 3
"""Runs between others that it takes to speak of a typical one."""

PULLED_IN = 2 / 3
"""What a share of the pulled-in range of z counts against a share of the plain range.

A run that diverged makes the plain range so wide that any band is narrow in it.
"""

RANGE = (0.02, 0.98)
"""Quantiles of z between which the z range lies, so that a diverged run does not stretch it."""

AXES = {"x_scale": SCALES, "y_scale": SCALES, "z_scale": ("auto", "linear", "log")}


@dataclass(frozen=True)
class Prediction:
    """A fitted surface at n points, each array of shape (n,), in data units.

    Attributes
    ----------
    z : ndarray
        Median of the surface.
    lower, upper : ndarray
        Approximate 90 % band of the mean surface, widened by kappa. It holds no noise of samples.
    support : ndarray
        0 where the surface must not be shown, 1 where it may, between the two at the edge.
    """

    z: Floats
    lower: Floats
    upper: Floats
    support: Floats


class SurfaceModel:
    """z as a function of x and y, learned from samples along runs.

    Follows scikit-learn: settings in the constructor, what was learned in attributes that end in
    an underscore. Where the samples cannot carry a surface, `reason_` says why in one sentence and
    every prediction is NaN with support 0.

    Parameters
    ----------
    x_scale, y_scale : {"log1p", "log", "linear"}
        Axes on which the surface is fitted.
    z_scale : {"auto", "log", "linear"}
        "auto" is "log" for positive, skewed z.
    strictness : {"default", "strict", "loose"}
        How near the data and how narrow the band must be for a point to be supported.

    Attributes
    ----------
    samples_ : Samples
        The samples that were used and the count of those that were not.
    reason_ : str
        Why there is no surface, or an empty string.
    x_axis_, y_axis_ : Axis
        The box.
    n_bins_ : int
        Bins that the surface was fitted to.
    kappa_ : float
        Factor by which the band is wider than the Gaussian process says.
    z_range_ : tuple of float
        2 and 98 % quantile of z.
    length_scales_ : tuple of float
        Of x and y, as shares of the box.
    unresolved_ : tuple of str
        Axes whose length scale came to its bound: the data do not tell it.
    """

    def __init__(
        self,
        *,
        x_scale: str = "log1p",
        y_scale: str = "log",
        z_scale: str = "auto",
        strictness: str = "default",
    ) -> None:
        self.x_scale = x_scale
        self.y_scale = y_scale
        self.z_scale = z_scale
        self.strictness = strictness

    def fit(
        self, x: ArrayLike, y: ArrayLike, z: ArrayLike, run: ArrayLike | None = None
    ) -> SurfaceModel:
        """Learn the surface.

        Parameters
        ----------
        x, y, z : array_like, shape (n,)
            Samples, in any order.
        run : array_like of labels, shape (n,), optional
            Run of each sample; without it all are of one run.

        Raises
        ------
        ValueError
            If a setting is unknown or the columns differ in length.
        """
        self.check()
        self.samples_ = clean_samples(x, y, z, run, (self.x_scale, self.y_scale, self.z_scale))
        self.x_axis_ = Axis.over(self.samples_.x, self.x_scale)
        self.y_axis_ = Axis.over(self.samples_.y, self.y_scale)
        self.z_range_ = _z_range(self.samples_.z)
        self.n_bins_, self.kappa_ = 0, float("nan")
        self.length_scales_ = (float("nan"), float("nan"))
        self.unresolved_: tuple[str, ...] = ()
        self.reason_ = self.samples_.why_not or self._why_flat()
        if not self.reason_:
            with one_thread():
                self._fit(self.samples_)
        return self

    def predict(self, x: ArrayLike, y: ArrayLike) -> Prediction:
        """Read the surface off at points in data units, x and y of shape (n,)."""
        x, y = np.asarray(x, dtype=np.float64).ravel(), np.asarray(y, dtype=np.float64).ravel()
        if self.reason_:
            nothing = np.full(len(x), np.nan)
            return Prediction(nothing, nothing, nothing, np.zeros(len(x)))
        points = np.column_stack([self.x_axis_.unit(x), self.y_axis_.unit(y)])
        parts = range(0, max(len(points), 1), CHUNK)
        with one_thread():
            columns = [self._predict(points[start : start + CHUNK]) for start in parts]
        return Prediction(*np.concatenate(columns, axis=1))

    def check(self) -> None:
        """Raise `ValueError` where a setting is unknown."""
        for name, known in (*AXES.items(), ("strictness", tuple(STRICTNESS))):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name} is {value!r}; use one of {', '.join(known)}.")

    def _why_flat(self) -> str:
        for name, axis, values in (
            ("x", self.x_axis_, self.samples_.x),
            ("y", self.y_axis_, self.samples_.y),
        ):
            if axis.flat:
                return (
                    f"Every sample has the same {name}, {values[0]:.6g}: a surface needs samples "
                    f"that differ in {name}."
                )
        return ""

    def _fit(self, samples: Samples) -> None:
        u, v = self.x_axis_.unit(samples.x), self.y_axis_.unit(samples.y)
        # From more than half a box outside it, a sample says nothing about it.
        inside = (np.abs(u - 0.5) <= 1) & (np.abs(v - 0.5) <= 1)
        u, v, z, run = u[inside], v[inside], samples.z[inside], samples.run[inside]
        self._heights = Heights.learn(u, z, run, log=samples.z_scale == "log")
        w = self._heights.forward(z, u)
        noise = measure_noise(u, v, w, run)
        self._bins = bin_runs(u, v, w, run, noise, FINE)
        self.n_bins_ = len(self._bins)
        coarse = bin_runs(u, v, w, run, noise, COARSE)
        self._process = fit_process(
            coarse, self._bins, lambda bins: bins.shared(noise.memory, self._heights.offset(bins.u))
        )
        self.length_scales_ = self._process.lengths
        self.unresolved_ = tuple(
            name
            for name, length in zip("xy", self.length_scales_, strict=True)
            if not 1.01 * SHORTEST < length < 0.99 * LONGEST
        )
        self.kappa_, self._misses = self._validate()

    def _validate(self) -> tuple[float, Floats]:
        """Predict what is left out: the widening of the band, and what each run's absence misses.

        The band must hold 90 % of the bins when a tenth of the x axis of one run is left out, and
        have the size of the error when a whole run between others is. Of the latter the typical
        run counts: a single jump between two runs is seen to where it is.
        """
        bins = self._bins
        error, deviation = self._process.left_out(bins, bins.part)
        kappas = [float(np.quantile(np.abs(error) / deviation, 0.9)) / NINETY]
        error, deviation = self._process.left_out(bins, bins.run)
        noise = bins.own + bins.common + self._heights.offset(bins.u) ** 2
        gap = gaps_left(bins)
        inner = gap.between
        if len(np.unique(bins.run[inner])) >= TYPICAL:
            runs = Groups.by(bins.run[inner])
            kappas.append(float(np.sqrt(np.median(runs.mean((error / deviation)[inner] ** 2)))))
        return float(np.clip(max(kappas), LEAST_KAPPA, MOST_KAPPA)), misses(error, noise, bins, gap)

    def _predict(self, points: Floats) -> Floats:
        """Median, band and support at a chunk of unit points, shape (4, n)."""
        u = np.nan_to_num(points[:, 0], posinf=2.0, neginf=-1.0)
        safe = np.column_stack([u, np.nan_to_num(points[:, 1], posinf=2.0, neginf=-1.0)])
        mean, deviation = self._process.predict(safe)
        doubt = doubt_between(safe, self._bins, self._misses)
        half = NINETY * np.hypot(self.kappa_ * deviation, doubt)
        z, lower, upper = (self._heights.inverse(w, u) for w in (mean, mean - half, mean + half))
        share = (upper - lower) / (2 * NINETY) / (self.z_range_[1] - self.z_range_[0])
        pulled_in = self._heights.share(half / NINETY, u, self.z_range_)
        share = np.maximum(share, PULLED_IN * pulled_in)
        support = support_at(points, share, self._bins, self.strictness)
        return np.stack([z, lower, upper, support])


def _z_range(z: Floats) -> tuple[float, float]:
    if not len(z):
        return float("nan"), float("nan")
    low, high = np.quantile(z, RANGE)
    # So few samples differ from all others that the quantiles do not see them.
    return (float(low), float(high)) if high > low else (float(z.min()), float(z.max()))
