"""Check and clean what a surface is fitted to, and count what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from viz3d.analysis._axes import RESOLUTION, admits
from viz3d.analysis._groups import Floats, Groups, Ints

SKEW = 2.0
"""z is fitted on a log scale when its 95 % quantile is above this many times its 5 % quantile."""

LARGEST = 1e150
"""Larger values have squares that overflow."""

FEWEST = 8
"""Samples below which there is nothing to tell a surface from noise."""

REFUSED = {"log": "not above 0", "log1p": "below 0"}


@dataclass(frozen=True)
class Samples:
    """Finite samples, sorted by run, then by x.

    Attributes
    ----------
    x, y, z : ndarray, shape (n,)
        Data units.
    run : ndarray of int, shape (n,)
        Codes 0, 1, 2 ... of the runs.
    z_scale : {"linear", "log"}
        The scale that was asked for, or that "auto" came to.
    dropped : mapping of str to int
        Samples left out, by reason.
    """

    x: Floats
    y: Floats
    z: Floats
    run: Ints
    z_scale: str
    dropped: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.z)

    @property
    def n_runs(self) -> int:
        """Runs with at least one sample left."""
        return int(self.run[-1]) + 1 if len(self.run) else 0

    @property
    def why_not(self) -> str:
        """Why no surface can be fitted, as one sentence, or an empty string."""
        if not len(self):
            left_out = ", ".join(f"{n} {reason}" for reason, n in self.dropped.items())
            return f"There is nothing to draw: no sample is left ({left_out or 'none was given'})."
        if len(self) < FEWEST:
            return f"A surface takes at least {FEWEST} samples, and there are {len(self)}."
        if np.ptp(self.z) <= RESOLUTION * np.max(np.abs(self.z)):
            return f"Every sample has the same z, {self.z[0]:.6g}: there is no shape to draw."
        return ""


def clean_samples(
    x: ArrayLike, y: ArrayLike, z: ArrayLike, run: ArrayLike | None, scales: tuple[str, str, str]
) -> Samples:
    """Drop, and count, what the axes cannot show; sort the rest.

    Parameters
    ----------
    x, y, z : array_like, shape (n,)
        Data units; anything that is not finite is dropped.
    run : array_like of labels, shape (n,), or None
        Which run each sample is of; None is one run.
    scales : tuple of str
        Scale of x, y and z.

    Raises
    ------
    ValueError
        If the columns differ in length.
    """
    columns = [np.asarray(column, dtype=np.float64).ravel() for column in (x, y, z)]
    codes = np.zeros(len(columns[0]), dtype=np.int64) if run is None else _codes(run)
    lengths = [len(column) for column in (*columns, codes)]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"x, y, z and run have {lengths[0]}, {lengths[1]}, {lengths[2]} and {lengths[3]} "
            "values; give one of each per sample."
        )
    finite = np.logical_and.reduce([np.isfinite(column) for column in columns])
    good = finite & np.logical_and.reduce([np.abs(column) <= LARGEST for column in columns])
    dropped = {"not finite": int(np.sum(~finite)), "too large": int(np.sum(finite & ~good))}
    z_scale = _z_scale(columns[2][good], scales[2])
    for name, column, scale in zip("xyz", columns, (scales[0], scales[1], z_scale), strict=True):
        shown = admits(column, scale)
        if scale in REFUSED:
            dropped[f"with {name} {REFUSED[scale]}"] = int(np.sum(good & ~shown))
        good &= shown
    kept = [column[good] for column in columns]
    order, codes = _in_order(codes[good], kept)
    counts = MappingProxyType({reason: n for reason, n in dropped.items() if n})
    xs, ys, zs = (column[order] for column in kept)
    return Samples(xs, ys, zs, codes, z_scale, counts)


def _codes(run: ArrayLike) -> Ints:
    """Count the runs up in order of appearance, whatever their labels are."""
    import pandas as pd

    labels = np.empty(len(run), dtype=object) if isinstance(run, list | tuple) else np.asarray(run)
    if isinstance(run, list | tuple):
        labels[:] = run
    return pd.factorize(labels.ravel(), use_na_sentinel=False)[0].astype(np.int64)


def _in_order(codes: Ints, columns: Sequence[Floats]) -> tuple[Ints, Ints]:
    """Sort by run, then by the columns, and count the runs up: what sorts them, and their codes.

    Runs are ordered by what they hold, so that no order of theirs changes the last bit of a sum.
    """
    if not len(codes):
        return codes, codes
    order = np.lexsort((*reversed(columns), codes))
    runs = Groups.by(codes[order])
    means = [runs.mean(column[order]) for column in reversed(columns)]
    rank = np.argsort(np.lexsort((runs.count, *means)))[runs.member]
    by_rank = np.argsort(rank, kind="stable")
    return order[by_rank], rank[by_rank]


def _z_scale(z: Floats, wanted: str) -> str:
    if wanted != "auto":
        return wanted
    if not len(z) or z.min() <= 0:
        return "linear"
    low, high = np.quantile(z, [0.05, 0.95])
    return "log" if high > SKEW * low else "linear"
