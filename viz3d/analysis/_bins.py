"""Summarise the samples of each run into few weighted bins that a Gaussian process can take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from viz3d.analysis._groups import Floats, Groups, Ints
from viz3d.analysis._noise import Noise

SIDES = (40, 34, 28, 24, 20, 17, 14, 12, 10, 8, 7, 6)
"""Cells along one side of the box, finest first."""


@dataclass(frozen=True)
class Bins:
    """Medians of the samples that one run has in one cell of a lattice, each shape (n,).

    Attributes
    ----------
    u, v : mean position in unit axes
    w : median of the fitted value
    own : variance of that median that no other bin shares
    common : variance that it shares with the neighbouring bins of its run
    time : mean place among the samples, which are sorted by run, then by x
    run : code of the run, or of a group of like runs where there are very many
    """

    u: Floats
    v: Floats
    w: Floats
    own: Floats
    common: Floats
    time: Floats
    run: Ints

    def __len__(self) -> int:
        return len(self.u)

    @property
    def n_runs(self) -> int:
        """Runs, or groups of runs, that have a bin."""
        return len(np.unique(self.run))

    @property
    def part(self) -> Ints:
        """Code of a tenth of the x axis of one run, in which the bin lies, shape (n,)."""
        return self.run * 100 + np.floor((self.u + 0.5) * 10).astype(np.int64)

    def shared(self, memory: float, offset: Floats) -> Floats:
        """Covariance of the noise that bins of one run share, shape (n, n).

        Parameters
        ----------
        memory : float
            Samples over which the correlated noise decays by a factor e.
        offset : ndarray, shape (n,)
            Standard deviation of the run's constant error at each bin.
        """
        same = self.run[:, None] == self.run
        decay = np.exp(-np.abs(self.time[:, None] - self.time) / memory)
        size = np.sqrt(self.common)
        return same * (decay * np.outer(size, size) + np.outer(offset, offset))


def bin_runs(u: Floats, v: Floats, w: Floats, run: Ints, noise: Noise, limit: int) -> Bins:
    """Bin on the finest lattice that gives at most `limit` bins.

    Parameters
    ----------
    u, v, w : ndarray, shape (n,)
        Unit coordinates within half a box of the box, and fitted value of each sample.
    run : ndarray of int, shape (n,)
        Code of each sample's run.
    noise : Noise
        Gives the variance of a median of correlated samples.
    limit : int
        Most bins to return, where the coarsest lattice allows it.
    """
    for side in SIDES:
        column = np.floor((u + 0.5) * side).astype(np.int64)
        row = np.floor((v + 0.5) * side).astype(np.int64)
        cell = (run * (2 * side + 1) + column) * (2 * side + 1) + row
        if _distinct(cell) <= limit:
            return _summarise(u, v, w, run, cell, noise)
    groups = limit // (2 * SIDES[-1] + 1) ** 2 + 1
    if int(run.max()) < groups:
        return _summarise(u, v, w, run, cell, noise)
    return bin_runs(u, v, w, _group_alike(v, run, groups), noise, limit)


def _distinct(cell: Ints) -> int:
    seen = np.zeros(int(cell.max()) + 1, dtype=bool)
    seen[cell] = True
    return int(seen.sum())


def _group_alike(v: Floats, run: Ints, groups: int) -> Ints:
    """Give runs of about the same mean of y one code, so that they share their bins."""
    runs = Groups.by(run)
    rank = np.argsort(np.argsort(runs.mean(v), kind="stable"), kind="stable")
    return (rank * groups // len(rank))[runs.member]


def _summarise(u: Floats, v: Floats, w: Floats, run: Ints, cell: Ints, noise: Noise) -> Bins:
    cells = Groups.by(cell)
    variance = cells.mean(noise.sample)
    return Bins(
        u=cells.mean(u),
        v=cells.mean(v),
        w=cells.median(w),
        own=variance * noise.own(cells.count),
        common=variance * noise.common(cells.count),
        time=cells.mean(np.arange(len(u), dtype=np.float64)),
        run=run[cells.order[cells.first]],
    )
