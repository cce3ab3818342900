"""Bring z to one size: far values pulled in, and the spread of the runs at each x divided out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from viz3d.analysis._axes import RESOLUTION
from viz3d.analysis._groups import Floats, Groups, Ints

COLUMNS = 40
"""Columns of x in which the runs are compared."""

SMOOTHING = 4.0
"""Standard deviation, in columns, of the mean that smooths the spread of the runs over x."""

LEAST = 0.4
"""The spread never falls under this share of its root mean square: runs agree by chance too."""

OFFSET = 0.06
"""Standard deviation of a run's offset by its seed, in robust deviations of all values.

No run can tell it by itself, and it is fixed: left free it would take the place of the second
axis, with which it is confounded.
"""

BEND = 2.0
"""Robust deviations from the median up to which a value is kept about as it is."""


@dataclass(frozen=True)
class Heights:
    """w = 2 arcsinh((t - centre) / (2 scale)) / spread(x), where t is z or its logarithm.

    The inverse hyperbolic sine keeps the bulk as it is and pulls a diverged run in without
    clipping it, so that one run's heavy tail does not set the smoothness of all (a warped Gaussian
    process: Snelson, Rasmussen and Ghahramani 2004, with a fixed warp). Where all runs agree, as
    late in a sweep, a small difference counts as much as a large one where they do not.

    Attributes
    ----------
    log : bool
        Whether t is the logarithm of z.
    centre, scale : float
        Median and robust standard deviation of t.
    spread : ndarray, shape (COLUMNS,)
        Spread of the runs in each column of x, root mean square 1.
    """

    log: bool
    centre: float
    scale: float
    spread: Floats

    @classmethod
    def learn(cls, u: Floats, z: Floats, run: Ints, *, log: bool) -> Heights:
        """Learn from samples that are not all equal, each array of shape (n,)."""
        t = np.log(z) if log else z
        column = np.clip(np.floor(u * COLUMNS), 0, COLUMNS - 1).astype(np.int64)
        cells = Groups.by(run * COLUMNS + column)
        medians = cells.median(t)
        centre, scale = float(np.median(medians)), _robust_scale(medians, t)
        table = np.full((int(run.max()) + 1, COLUMNS), np.nan)
        table.flat[cells.names] = BEND * np.arcsinh((medians - centre) / (BEND * scale))
        return cls(log, centre, scale, _spread(table))

    def forward(self, z: Floats, u: Floats) -> Floats:
        """From data units at unit x to fitted values."""
        t = np.log(z) if self.log else z
        return BEND * np.arcsinh((t - self.centre) / (BEND * self.scale)) / self._at(u)

    def inverse(self, w: Floats, u: Floats) -> Floats:
        """Back to data units."""
        # Past these bounds, far from any data, the result would overflow.
        bent = np.clip(w * self._at(u) / BEND, -300.0, 300.0)
        t = self.centre + self.scale * BEND * np.sinh(bent)
        return np.exp(np.clip(t, -700.0, 700.0)) if self.log else t

    def share(self, half: Floats, u: Floats, extent: tuple[float, float]) -> Floats:
        """Give a difference in fitted values at unit x as a share of the pulled-in extent of z."""
        t = np.log(extent) if self.log else np.asarray(extent)
        low, high = BEND * np.arcsinh((t - self.centre) / (BEND * self.scale))
        return half * self._at(u) / (high - low)

    def offset(self, u: Floats) -> Floats:
        """Give the standard deviation of a run's constant error at unit x, in fitted values."""
        return OFFSET * self.size(u)

    def size(self, u: Floats) -> Floats:
        """Give what one unit before the division by the spread is at unit x, in fitted values."""
        return 1 / self._at(u)

    def _at(self, u: Floats) -> Floats:
        return np.interp(u, (np.arange(COLUMNS) + 0.5) / COLUMNS, self.spread)


def _robust_scale(medians: Floats, t: Floats) -> float:
    low, high = np.quantile(medians, [0.25, 0.75])
    # One run that diverged to 30,000 beside losses of 1 is no reason to take those for one value.
    if high - low > RESOLUTION * np.ptp(medians):
        return float(high - low) / 1.35
    # Most of the curve is flat: the rest sets the scale.
    return float(np.ptp(medians) or np.ptp(t)) / 4


def _spread(table: Floats) -> Floats:
    """Interquartile range of the runs in each column, smoothed; ones for fewer than three runs."""
    width = np.zeros(COLUMNS)
    present = np.sum(np.isfinite(table), axis=0)
    shared = present >= 3
    if not shared.any():
        return np.ones(COLUMNS)
    low, high = np.nanquantile(table[:, shared], [0.25, 0.75], axis=0)
    width[shared] = high - low
    place = np.arange(COLUMNS)
    weight = np.exp(-0.5 * ((place[:, None] - place) / SMOOTHING) ** 2) * shared + 1e-12
    smooth = weight @ width / weight.sum(axis=1)
    typical = float(np.sqrt(np.mean(smooth**2)))
    if not typical > 0:
        return np.ones(COLUMNS)
    smooth = np.maximum(smooth / typical, LEAST)
    return smooth / float(np.sqrt(np.mean(smooth**2)))
