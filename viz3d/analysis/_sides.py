"""One side of a difference by itself: a surface, or a line where that is all there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from viz3d.analysis._axes import Axis
from viz3d.analysis._groups import Floats
from viz3d.analysis._samples import Samples, clean_samples
from viz3d.analysis._support import STRICTNESS
from viz3d.analysis.surface_model import SurfaceModel

SAME = 1e-3
"""Runs whose y differ by no more than this share of the largest lie on one line."""

SampleColumns = tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike]
"""x, y, z and run of each sample, as `fit_surface` takes them."""


@dataclass(frozen=True)
class Side:
    """Where one side may be read off.

    Attributes
    ----------
    samples : Samples
    model : SurfaceModel or None
        None where all runs have the same y at the same x, as seeds of one schedule do.
    x_axis, y_axis : Axis
        The box.
    reason : str
        Why it cannot be read off anywhere, or an empty string.
    farthest : float
        Distance to the samples of a line, as a share of its x axis, up to which it may be read off.
    """

    samples: Samples
    model: SurfaceModel | None
    x_axis: Axis
    y_axis: Axis
    reason: str
    farthest: float

    @classmethod
    def fit(cls, columns: SampleColumns, scales: tuple[str, str, str], strictness: str) -> Side:
        """Fit a surface where the samples do not lie on one line.

        Parameters
        ----------
        columns : tuple of array_like
        scales : tuple of str
            Of x, y and z.
        strictness : {"strict", "default", "loose"}

        Raises
        ------
        ValueError
            If columns differ in length or a setting is unknown.
        """
        names = ("x_scale", "y_scale", "z_scale")
        model = SurfaceModel(**dict(zip(names, scales, strict=True)), strictness=strictness)
        model.check()
        # A rate of zero is a point of a line over the step, whatever the scale of rates.
        samples = clean_samples(*columns, (scales[0], "linear", scales[2]))
        farthest = STRICTNESS[strictness][0]
        if not _on_one_line(samples):
            model.fit(*columns)
            axes = model.x_axis_, model.y_axis_
            return cls(model.samples_, model, *axes, model.reason_, farthest)
        axes = Axis.over(samples.x, scales[0]), Axis.over(samples.y, "linear")
        flat = "Every sample has the same x: there is no curve to compare." if axes[0].flat else ""
        return cls(samples, None, *axes, samples.why_not or flat, farthest)

    def line(self, x: Floats) -> Floats:
        """Give y on the line at x, between the logged samples, both of shape (n,)."""
        order = np.argsort(self.samples.x, kind="stable")
        return np.interp(x, self.samples.x[order], self.samples.y[order])

    def support(self, x: Floats, y: Floats) -> Floats:
        """Give the support, 0 to 1, at points in data units, x and y of shape (n,)."""
        if self.model is not None:
            return self.model.predict(x, y).support
        logged, at = np.sort(self.x_axis.unit(self.samples.x)), self.x_axis.unit(x)
        after = np.clip(np.searchsorted(logged, at), 1, len(logged) - 1)
        nearest = np.minimum(np.abs(at - logged[after - 1]), np.abs(at - logged[after]))
        return (nearest <= self.farthest).astype(np.float64)


def _on_one_line(samples: Samples) -> bool:
    """Whether each run follows the first, as far as that one goes."""
    if samples.n_runs < 2:
        return True
    first = samples.run == 0
    x, y = samples.x[first], samples.y[first]
    met = (samples.x >= x[0]) & (samples.x <= x[-1])
    away = np.abs(samples.y - np.interp(samples.x, x, y))
    beyond = not met[~first].any()
    return not beyond and bool((away[met] <= SAME * np.abs(samples.y).max()).all())
