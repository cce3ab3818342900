"""How noisy one run is about its own curve, and how far that noise is correlated along the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from viz3d.analysis._groups import Floats, Groups, Ints

SIDES = (14, 7, 3, 1)
"""Blocks along x over which a run is taken as straight; longer ones where samples are few."""

SCATTER = 0.02
"""Neighbouring samples that jump farther in y, in unit axes, form a cloud and not a curve."""

ENOUGH = 8
"""Samples that a block needs for a variance."""

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
        Variance of each sample; zero where the samples are too few to tell.
    share : float
        Part of that variance that neighbouring samples have in common, 0 to 1.
    memory : float
        Samples over which the common part decays by a factor e.
    """

    sample: Floats
    share: float = 0.0
    memory: float = 1.0

    def own(self, count: Ints) -> Floats:
        """Variance of the median of the white part over `count` samples of unit variance."""
        return np.where(count > 2, MEDIAN_COST, 1.0) * (1 - self.share) / count

    def common(self, count: Ints) -> Floats:
        """Variance of the mean of the AR(1) part over `count` neighbouring samples."""
        ratio = self.memory / count
        return self.share * 2 * ratio * (1 - ratio * -np.expm1(-1 / ratio))

    def kept(self, count: Ints) -> Floats:
        """Part of the variance that is left once a line was taken out of `count` samples."""
        taken = 2 * ((1 - self.share) / count + self.common(count))
        return np.maximum(1 - taken, 0.5 * (1 - self.share) + 0.02)


def measure_noise(u: Floats, v: Floats, w: Floats, run: Ints) -> Noise:
    """Estimate the noise from what is left of each run after a plane over each block.

    Parameters
    ----------
    u, v, w : ndarray, shape (n,)
        Unit coordinates and fitted value, sorted by run, then by `u`.
    run : ndarray of int, shape (n,)
        Code of each sample's run.
    """
    blocks = _blocks(u, v, run)
    usable = blocks.count >= ENOUGH
    if not usable.any():
        return Noise(np.zeros(len(u)))
    member = blocks.member
    residual = _detrend(u, v, w, blocks, member)
    variance = np.where(usable, _clipped_variance(residual, blocks, member), 0.0)
    scale = np.sqrt(variance)[member]
    standard = np.divide(residual, scale, out=np.zeros(len(u)), where=scale > 0)
    share, memory = _autocorrelation(np.clip(standard, -3.0, 3.0), blocks)
    variance = variance / Noise(variance, share, memory).kept(blocks.count)
    # A small block borrows from the blocks of all runs at about the same x.
    place, weight = blocks.mean(u), blocks.count * usable
    columns = Groups.by(np.floor(place[usable] * SIDES[0]).astype(np.int64))
    typical = np.interp(place, columns.mean(place[usable]), columns.median(variance[usable]))
    variance = (weight * variance + ENOUGH * typical) / (weight + ENOUGH)
    return Noise(variance[member], share, memory)


def _blocks(u: Floats, v: Floats, run: Ints) -> Groups:
    """Cut each run along x, a cloud of samples along y too, leaving most blocks of some size."""
    cloud = np.median(np.abs(np.diff(v))) > SCATTER
    for columns in SIDES:
        rows = (columns + 1) // 2 if cloud else 1
        column = np.floor(u * columns).astype(np.int64) + columns
        row = np.floor(v * rows).astype(np.int64) + rows
        blocks = Groups.by((run * 3 * columns + column) * 3 * rows + row)
        if blocks.count[blocks.count >= ENOUGH].sum() > 0.5 * len(u):
            break
    return blocks


def _detrend(u: Floats, v: Floats, w: Floats, blocks: Groups, member: Ints) -> Floats:
    """Residuals from a plane in u and v over each block."""

    def without(target: Floats, against: Floats) -> Floats:
        square = blocks.mean(against**2)
        product = blocks.mean(target * against)
        slope = np.divide(product, square, out=np.zeros(len(square)), where=square > 1e-12)
        return target - slope[member] * against

    du, dv, dw = (a - blocks.mean(a)[member] for a in (u, v, w))
    return without(without(dw, du), without(dv, du))


def _clipped_variance(residual: Floats, blocks: Groups, member: Ints) -> Floats:
    square = residual**2
    robust = 1.4826**2 * blocks.median(square)
    return blocks.mean(np.minimum(square, CLIP * robust[member]))


def _autocorrelation(residual: Floats, blocks: Groups) -> tuple[float, float]:
    """Share and memory of the AR(1) part, from the blocks that are long enough to show it."""
    from scipy.signal import correlate

    residual = residual[blocks.order]
    long = blocks.count >= 0.5 * blocks.count.max()
    typical = np.array([np.median(blocks.count[long])], dtype=np.int64)
    total = np.zeros(max(min(int(blocks.count.max()), LONGEST) // 3, 1))
    for start, count in zip(blocks.first[long], blocks.count[long], strict=True):
        part = residual[start : start + min(count, LONGEST)]
        lags = correlate(part, part, method="fft")[len(part) - 1 :][: len(total)]
        total[: len(lags)] += lags * len(part) / (len(part) - np.arange(len(lags)))
    if not total[0] > 0:
        return 0.0, 1.0
    noise, seen = Noise(total), total / total[0]
    for _ in range(3):
        # Taking a line out of a block lowers every correlation in it; undo that.
        noise = Noise(total, *_exponential(1 - noise.kept(typical) * (1 - seen)))
    # A curve that is not straight over a block looks like noise of very long memory.
    return noise.share, min(noise.memory, 0.1 * float(typical[0]))


def _exponential(correlation: Floats) -> tuple[float, float]:
    """Fit share * exp(-lag / memory) to the correlations before they are lost in noise."""
    last = int(np.argmax(np.r_[correlation, 0.0] < 0.1))
    if last < 3:
        return 0.0, 1.0
    slope, level = np.polyfit(np.arange(1, last), np.log(correlation[1:last]), 1)
    memory = -1 / slope if slope < 0 else float(last)
    return float(np.clip(np.exp(level), 0.0, 0.98)), float(memory)
