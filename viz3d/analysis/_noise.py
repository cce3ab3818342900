"""How noisy one run is about its own curve, and how far that noise is correlated along the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis._axes import Floats

Ints = NDArray[np.int64]

BLOCKS = 14
"""A run is taken as straight over this share of the axis."""

CLIP = 9.0
"""A squared residual counts at most as this many robust variances, so a spike is not noise."""

MEDIAN_COST = 1.4
"""Variance of a median against that of a mean (pi / 2 for many Gaussian samples, 1 for few)."""

LONGEST = 20_000
"""Samples of a block that give the autocorrelation; more cost time and add nothing."""


@dataclass(frozen=True)
class Noise:
    """Noise of the samples about their run's curve: a white part and an AR(1) part.

    Attributes
    ----------
    sample : ndarray, shape (n,)
        Variance of each sample.
    share : float
        Part of that variance that neighbouring samples have in common, 0 to 1.
    memory : float
        Samples over which the common part decays by a factor e.
    """

    sample: Floats
    share: float = 0.0
    memory: float = 1.0

    def white(self, count: Ints) -> Floats:
        """Variance of the median of `count` samples of unit variance: what no other bin shares."""
        return np.where(count > 2, MEDIAN_COST, 1.0) * (1 - self.share) / count

    def common(self, count: Ints) -> Floats:
        """Variance of the mean of the AR(1) part over `count` neighbouring samples."""
        ratio = self.memory / count
        return self.share * 2 * ratio * (1 - ratio * -np.expm1(-1 / ratio))


def measure_noise(u: Floats, w: Floats, run: Ints) -> Noise:
    """Estimate the noise from what is left of each run after a line over each block of `u`.

    Parameters
    ----------
    u, w : ndarray, shape (n,)
        Unit coordinate along the run and fitted value, sorted by run, then by `u`.
    run : ndarray of int, shape (n,)
        Code of each sample's run.
    """
    block = run * 3 * BLOCKS + np.floor(u * BLOCKS).astype(np.int64) + BLOCKS
    first = np.flatnonzero(np.r_[True, block[1:] != block[:-1]])
    count = np.diff(np.r_[first, len(block)])
    usable = count >= 8
    if not usable.any():
        return Noise(np.zeros(len(u)))
    which = np.repeat(np.arange(len(first)), count)
    residual = _detrend(u, w, first, count, which)
    variance = np.where(usable, _clipped_variance(residual, first, count, which), 0.0)
    scale = np.sqrt(variance)[which]
    standard = np.divide(residual, scale, out=np.zeros(len(u)), where=scale > 0)
    long = count >= 0.5 * count.max()
    share, memory = _autocorrelation(np.clip(standard, -3.0, 3.0), first[long], count[long])
    variance = variance / _kept(count, share, memory)
    typical = float(np.median(variance[usable]))
    variance = (count * variance * usable + 8 * typical) / (count * usable + 8)
    return Noise(variance[which], share, memory)


def _kept(count: Ints, share: float, memory: float) -> Floats:
    """Part of the variance that is left after a line was taken out of `count` samples."""
    unit = Noise(np.ones(1), share, memory)
    return np.maximum(1 - 2 * ((1 - share) / count + unit.common(count)), 0.5 * (1 - share) + 0.02)


def _detrend(u: Floats, w: Floats, first: Ints, count: Ints, which: Ints) -> Floats:
    du = u - (np.add.reduceat(u, first) / count)[which]
    dw = w - (np.add.reduceat(w, first) / count)[which]
    square = np.add.reduceat(du * du, first)
    slope = np.divide(
        np.add.reduceat(du * dw, first), square, out=np.zeros(len(first)), where=square > 0
    )
    return dw - slope[which] * du


def _clipped_variance(residual: Floats, first: Ints, count: Ints, which: Ints) -> Floats:
    square = residual**2
    ordered = square[np.lexsort((square, which))]
    robust = 1.4826**2 * (ordered[first + (count - 1) // 2] + ordered[first + count // 2]) / 2
    return np.add.reduceat(np.minimum(square, CLIP * robust[which]), first) / count


def _autocorrelation(residual: Floats, first: Ints, count: Ints) -> tuple[float, float]:
    """Share and memory of the AR(1) part, from the blocks that are long enough to show it."""
    from scipy.signal import correlate

    total: Floats = np.zeros(count.max() // 3)
    for start, n in zip(first, np.minimum(count, LONGEST), strict=True):
        part = residual[start : start + n]
        lags = correlate(part, part, method="fft")[n - 1 :][: len(total)]
        total[: len(lags)] += lags * n / (n - np.arange(len(lags)))
    if not len(total) or not total[0] > 0:
        return 0.0, 1.0
    share, memory = 0.0, 1.0
    seen = total / total[0]
    for _ in range(3):
        # Taking a line out of a block lowers every correlation in it; undo that.
        kept = float(_kept(np.array([np.median(count)]), share, memory)[0])
        share, memory = _exponential(1 - kept * (1 - seen))
    return share, memory


def _exponential(correlation: Floats) -> tuple[float, float]:
    """Fit share * exp(-lag / memory) to the correlations before they are lost in noise."""
    last = int(np.argmax(np.r_[correlation, 0.0] < 0.1))
    if last < 3:
        return 0.0, 1.0
    slope, level = np.polyfit(np.arange(1, last), np.log(correlation[1:last]), 1)
    memory = -1 / slope if slope < 0 else float(last)
    return float(np.clip(np.exp(level), 0.0, 0.98)), float(memory)
