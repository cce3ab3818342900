"""Summarise the samples of each run into few weighted bins that a Gaussian process can take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis._axes import Floats
from viz3d.analysis._noise import Noise

LATTICES = (40, 34, 28, 24, 20, 17, 14, 12, 10, 8, 7, 6)
"""Cells along one side of the box, finest first."""


@dataclass(frozen=True)
class Bins:
    """Medians of the samples that one run has in one cell of a lattice, each shape (n,).

    Attributes
    ----------
    u, v : mean position in unit axes
    w : median of the fitted value
    variance : of that median about the run's own curve, the part that is its own
    common : variance that it shares with the neighbouring bins of its run
    time : mean position in the order of the run's samples
    run : code of the run, or of the group of runs where there are too many
    """

    u: Floats
    v: Floats
    w: Floats
    variance: Floats
    common: Floats
    time: Floats
    run: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.u)


def bin_runs(
    u: Floats, v: Floats, w: Floats, run: NDArray[np.int64], noise: Noise, limit: int
) -> Bins:
    """Bin on the finest lattice that gives at most `limit` bins.

    Parameters
    ----------
    u, v, w : ndarray, shape (n,)
        Unit coordinates and fitted value of each sample.
    run : ndarray of int, shape (n,)
        Code of each sample's run.
    noise : Noise
        Gives the variance of a median of correlated samples.
    limit : int
        Most bins to return, where the coarsest lattice allows it.
    """
    for side in LATTICES:
        cell = _cells(u, v, run, side)
        if len(np.unique(cell)) <= limit:
            return _summarise(u, v, w, run, cell, noise)
    # So many runs: those with about the same mean of y share their bins.
    count = np.bincount(run)
    rank = np.argsort(np.argsort(np.bincount(run, v) / count))
    groups = limit // LATTICES[-1] ** 2
    return bin_runs(u, v, w, rank[run] * groups // len(count), noise, limit)


def _cells(u: Floats, v: Floats, run: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    column = np.floor(u * side).astype(np.int64) + side
    row = np.floor(v * side).astype(np.int64) + side
    return (run * 3 * side + column) * 3 * side + row


def _summarise(
    u: Floats, v: Floats, w: Floats, run: NDArray[np.int64], cell: NDArray[np.int64], noise: Noise
) -> Bins:
    order = np.lexsort((w, cell))
    cell, w = cell[order], w[order]
    first = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]])
    count = np.diff(np.r_[first, len(cell)])
    middle = (w[first + (count - 1) // 2] + w[first + count // 2]) / 2
    time = np.arange(len(u), dtype=np.float64)
    mean = [np.add.reduceat(a[order], first) / count for a in (u, v, noise.sample, time)]
    own, common = mean[2] * noise.white(count), mean[2] * noise.common(count)
    return Bins(mean[0], mean[1], middle, own, common, mean[3], run[order][first])
