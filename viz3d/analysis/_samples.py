"""Check and clean what a surface is fitted to, and count what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viz3d.analysis._axes import Floats, admits

SKEW = 2.0
"""z is fitted on a log scale when its 95 % quantile is above this many times its 5 % quantile."""

BELOW = {"log": "not above 0", "log1p": "below 0"}


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
        The scale that "auto" came to.
    dropped : mapping of str to int
        Samples left out, by reason.
    """

    x: Floats
    y: Floats
    z: Floats
    run: NDArray[np.int64]
    z_scale: str
    dropped: Mapping[str, int]

    @property
    def n_runs(self) -> int:
        """Runs with at least one sample left."""
        return int(self.run[-1]) + 1 if len(self.run) else 0


def clean_samples(
    x: ArrayLike, y: ArrayLike, z: ArrayLike, run: ArrayLike | None, scales: tuple[str, str, str]
) -> Samples:
    """Drop, and count, what no axis can show; sort the rest.

    Raises
    ------
    ValueError
        If the columns differ in length.
    """
    columns = {"x": _flat(x), "y": _flat(y), "z": _flat(z)}
    codes = _codes(run, len(columns["x"]))
    lengths = {name: len(column) for name, column in columns.items()} | {"run": len(codes)}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise ValueError(f"x, y, z and run must have one length, not {said}; pass one row per sample.")
    dropped: Counter[str] = Counter()
    good = np.logical_and.reduce([np.isfinite(column) for column in columns.values()])
    dropped["not a finite number"] = int(np.sum(~good))
    z_scale = _z_scale(columns["z"][good], scales[2])
    for (name, column), scale in zip(columns.items(), (*scales[:2], z_scale), strict=True):
        shown = admits(column, scale)
        dropped[f"{name} {BELOW.get(scale, '')}"] = int(np.sum(good & ~shown))
        good &= shown
    x, y, z = (column[good] for column in columns.values())
    codes = np.unique(codes[good], return_inverse=True)[1]
    order = np.lexsort((z, y, x, codes))
    counts = MappingProxyType({reason: n for reason, n in dropped.items() if n})
    return Samples(x[order], y[order], z[order], codes[order], z_scale, counts)


def _flat(column: ArrayLike) -> Floats:
    return np.asarray(column, dtype=np.float64).ravel()


def _codes(run: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Number the runs in order of appearance, whatever their labels are."""
    if run is None:
        return np.zeros(n, dtype=np.int64)
    import pandas as pd

    labels = np.asarray(run, dtype=object) if isinstance(run, list | tuple) else np.asarray(run)
    return pd.factorize(labels.ravel(), use_na_sentinel=False)[0].astype(np.int64)


def _z_scale(z: Floats, wanted: str) -> str:
    if wanted != "auto":
        return wanted
    if not len(z) or not z.min() > 0:
        return "linear"
    low, high = np.quantile(z, [0.05, 0.95])
    return "log" if high > SKEW * low else "linear"
