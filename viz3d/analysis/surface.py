"""Fit a surface z = f(x, y) to runs, drawn only where data support it and with a band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from viz3d.analysis._groups import Floats
from viz3d.analysis._process import NINETY
from viz3d.analysis.surface_model import SurfaceModel

SMALLEST_GRID, LARGEST_GRID = 2, 400


@dataclass(frozen=True)
class Surface:
    """A fitted surface on a grid, in data units.

    Attributes
    ----------
    x : ndarray, shape (nx,)
        From the 0.5 to the 99.5 % quantile of the data, evenly spaced on the fitted axis.
    y : ndarray, shape (ny,)
        Likewise.
    z : ndarray, shape (ny, nx)
        Median of the surface; NaN where the support is 0.
    lower, upper : ndarray, shape (ny, nx)
        Approximate 90 % band of the mean surface, widened by kappa; NaN where the support is 0.
    support : ndarray, shape (ny, nx)
        0 where the surface must not be drawn, 1 where it may, between the two at the edge.
    reason : str
        One plain sentence why nothing can be drawn, or an empty string.
    kappa : float
        Factor by which the band is wider than the Gaussian process says; NaN without a surface.
    n_points, n_runs, n_bins : int
        Samples used, runs that they are of, bins that the surface was fitted to.
    dropped : mapping of str to int
        Samples left out, by reason: "17 with y not above 0" stands as {"with y not above 0": 17}.
    x_scale, y_scale, z_scale : str
        Scales on which the surface was fitted; z_scale is never "auto".
    strictness : str
        Preset of the support.
    length_scales : tuple of float
        Of x and y, as shares of the box.
    unresolved : tuple of str
        Axes ("x", "y") whose length scale came to its bound: that direction is not resolved.
    z_range : tuple of float
        2 and 98 % quantile of z, of which the support's limit on the band is a share.
    """

    x: Floats
    y: Floats
    z: Floats
    lower: Floats
    upper: Floats
    support: Floats
    reason: str
    kappa: float
    n_points: int
    n_runs: int
    n_bins: int
    dropped: Mapping[str, int]
    x_scale: str
    y_scale: str
    z_scale: str
    strictness: str
    length_scales: tuple[float, float]
    unresolved: tuple[str, ...]
    z_range: tuple[float, float]

    @property
    def share(self) -> float:
        """Share of the box that is supported, 0 to 1."""
        return float(np.mean(self.support > 0))

    @property
    def deviation(self) -> Floats:
        """Standard deviation of the mean surface, widened by kappa, shape (ny, nx)."""
        return (self.upper - self.lower) / (2 * NINETY)


def fit_surface(
    x: ArrayLike,
    y: ArrayLike,
    z: ArrayLike,
    run: ArrayLike | None = None,
    *,
    x_scale: str = "log1p",
    y_scale: str = "log",
    z_scale: str = "auto",
    grid: int = 96,
    strictness: str = "default",
) -> Surface:
    """Fit a surface to samples of runs and evaluate it on a grid.

    Medians of each run on a lattice carry a Gaussian process; its band is widened until it covers
    data that are left out, and it is supported near the data or between runs where the band is
    narrow. The steps are described where they are taken, in the modules beside this one.

    Parameters
    ----------
    x, y, z : array_like, shape (n,)
        Samples in any order, for instance step, learning rate and loss.
    run : array_like of labels, shape (n,), optional
        Run of each sample. Without it all samples are of one run, which supports a ribbon alone.
    x_scale, y_scale : {"log1p", "log", "linear"}
        Axes on which the surface is fitted and evenly spaced.
    z_scale : {"auto", "log", "linear"}
        "auto" is "log" for positive z whose 95 % quantile is above twice its 5 % quantile.
    grid : int, default 96
        Points along each axis, 2 to 400.
    strictness : {"default", "strict", "loose"}
        How near the data and how narrow the band must be.

    Returns
    -------
    Surface
        With a `reason` and no support where the data cannot be a surface.

    Raises
    ------
    ValueError
        If the columns differ in length or a setting is out of its range.
    """
    if not SMALLEST_GRID <= grid <= LARGEST_GRID:
        raise ValueError(f"grid is {grid}; use {SMALLEST_GRID} to {LARGEST_GRID} points an axis.")
    model = SurfaceModel(x_scale=x_scale, y_scale=y_scale, z_scale=z_scale, strictness=strictness)
    return evaluate(model.fit(x, y, z, run), grid)


def evaluate(model: SurfaceModel, grid: int) -> Surface:
    """Evaluate a fitted model on `grid` x `grid` points over the box of its data."""
    x, y = model.x_axis_.ticks(grid), model.y_axis_.ticks(grid)
    at = model.predict(np.tile(x, grid), np.repeat(y, grid))
    reason = model.reason_
    if not reason and not at.support.any():
        reason = (
            "The runs are too few or too noisy for a surface: its band is nowhere narrow enough "
            f"for the {model.strictness} support."
        )
    z, lower, upper = (
        np.where(at.support > 0, values, np.nan).reshape(grid, grid)
        for values in (at.z, at.lower, at.upper)
    )
    return Surface(
        x=x,
        y=y,
        z=z,
        lower=lower,
        upper=upper,
        support=at.support.reshape(grid, grid),
        reason=reason,
        kappa=model.kappa_,
        n_points=len(model.samples_),
        n_runs=model.samples_.n_runs,
        n_bins=model.n_bins_,
        dropped=model.samples_.dropped,
        x_scale=model.x_scale,
        y_scale=model.y_scale,
        z_scale=model.samples_.z_scale,
        strictness=model.strictness,
        length_scales=model.length_scales_,
        unresolved=model.unresolved_,
        z_range=model.z_range_,
    )
