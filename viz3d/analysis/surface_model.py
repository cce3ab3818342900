"""The estimator behind every surface: fit samples of runs, predict anywhere, with band and support."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from viz3d.analysis._axes import SCALES, Axis, Floats
from viz3d.analysis._bins import Bins, bin_runs
from viz3d.analysis._noise import measure_noise
from viz3d.analysis._process import LONGEST, NINETY, SHORTEST, Process, fit_process
from viz3d.analysis._samples import Samples, clean_samples
from viz3d.analysis._support import STRICTNESS, Reach, fade

COARSE, FINE = 250, 700
"""Most bins to learn the kernel from, and to draw the surface from."""


@dataclass(frozen=True)
class Prediction:
    """The fitted surface at some points, each array of shape (n,), in data units.

    `z` is the median, `lower` and `upper` bound the approximate 90 % band of the mean surface.
    All three are given wherever the model has a value; `support` says where it may be shown.
    """

    z: Floats
    lower: Floats
    upper: Floats
    support: Floats


class SurfaceModel:
    """z = f(x, y) from samples along runs, following the conventions of scikit-learn."""

    def __init__(
        self,
        *,
        x_scale: str = "log1p",
        y_scale: str = "log",
        z_scale: str = "auto",
        strictness: str = "default",
    ) -> None:
        self.x_scale, self.y_scale, self.z_scale = x_scale, y_scale, z_scale
        self.strictness = strictness

    def fit(
        self, x: ArrayLike, y: ArrayLike, z: ArrayLike, run: ArrayLike | None = None
    ) -> SurfaceModel:
        from threadpoolctl import threadpool_limits

        self._check()
        samples = clean_samples(x, y, z, run, (self.x_scale, self.y_scale, self.z_scale))
        self.samples_ = samples
        self.reason_ = _why_not(samples)
        if self.reason_:
            return self
        self.x_axis_ = Axis.over(samples.x, self.x_scale)
        self.y_axis_ = Axis.over(samples.y, self.y_scale)
        with threadpool_limits(1):
            self._fit(samples)
        return self

    def _fit(self, samples: Samples) -> None:
        u, v = self.x_axis_.unit(samples.x), self.y_axis_.unit(samples.y)
        inside = (np.abs(u - 0.5) <= 1) & (np.abs(v - 0.5) <= 1)
        u, v, run = u[inside], v[inside], samples.run[inside]
        w = self._forward(samples.z[inside])
        noise = measure_noise(u, w, run)
        fine = bin_runs(u, v, w, run, noise, FINE)
        coarse = bin_runs(u, v, w, run, noise, COARSE)
        self.bins_ = fine
        self.process_ = fit_process(coarse, fine, noise)
        from viz3d.analysis._process import FLOOR; self.noise_=noise; floor=FLOOR
        self.kappa_ = float(np.clip(max(self.process_.surprise(fine), floor), 1.0, 3.0))
        low, high = np.quantile(self._inverse(fine.w), [0.02, 0.98])
        self.z_range_ = (float(low), float(high))

    def _forward(self, z: Floats) -> Floats:
        return np.log(z) if self.samples_.z_scale == "log" else z

    def _inverse(self, w: Floats) -> Floats:
        return np.exp(w) if self.samples_.z_scale == "log" else w

    def predict(self, x: ArrayLike, y: ArrayLike) -> Prediction:
        from threadpoolctl import threadpool_limits

        points = np.column_stack([self.x_axis_.unit(x), self.y_axis_.unit(y)])
        with threadpool_limits(1):
            mean, std = self.process_.predict(points)
        half = NINETY * self.kappa_ * std
        lower, upper = self._inverse(mean - half), self._inverse(mean + half)
        distance, share = STRICTNESS[self.strictness]
        blur = (upper - lower) / (2 * NINETY) / (self.z_range_[1] - self.z_range_[0])
        support = np.minimum(Reach(self.bins_, distance).of(points), fade(blur, share))
        return Prediction(self._inverse(mean), lower, upper, support)

    def _check(self) -> None:
        pass


def _why_not(samples: Samples) -> str:
    return ""
