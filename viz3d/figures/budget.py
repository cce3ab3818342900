"""Keep every figure below 1 MB: the runs share a budget of points, extremes first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.downsample import FEWEST, min_max
from viz3d.figures.text import Drawn

LARGEST_FIGURE = 1_000_000
"""Bytes of a figure's JSON, for the sake of the network and of the browser."""

PER_RUN = 2_000
"""Most points of one curve: two for every pixel column of a wide plot."""

PER_FIGURE = 14_000
"""Most points of all curves together; a point of a 3D line costs 16 bytes in the figure."""

PER_CROWD = 8_000
"""The same where many runs share one trace, in which every point carries the name of its run."""

MOST_RUNS = 500
"""Runs one chart takes: with more, even the fewest points of each would not fit."""

EXACT_FLOAT32 = 2**24
NARROW = 1e-4
"""Integers up to here are exact in float32."""


def shares(lengths: Sequence[int], budget: int = PER_FIGURE) -> list[int]:
    """Split the budget over curves of these lengths: what short ones leave goes to the long ones.

    Returns
    -------
    list of int
        Points each curve may have, at least `FEWEST` and at most `PER_RUN`.
    """
    given = [0] * len(lengths)
    left = budget
    for place, i in enumerate(sorted(range(len(lengths)), key=lambda i: lengths[i])):
        fair = left // (len(lengths) - place)
        given[i] = max(FEWEST, min(lengths[i], fair, PER_RUN))
        left -= min(given[i], lengths[i])
    return given


def thin(x: NDArray, value: NDArray[np.float64], n_out: int) -> NDArray[np.int64]:
    """Return the indices to draw of a curve over sorted places; see `min_max`."""
    return min_max(value, n_out=n_out, x=x)


def told(shown: int, total: int) -> Drawn:
    """Say how many points are drawn: ``"2,000 of 105,385 points, every extreme kept"``."""
    if shown >= total:
        return f"all {total:,} points" if total != 1 else "the only point"
    return f"{shown:,} of {total:,} points, every extreme kept"


def compact(values: NDArray) -> NDArray:
    """Return floats as float32 where that is exact to seven digits, whole numbers where exact.

    What spans a small part of its size, as tokens late in a run do, needs the digits beyond.
    """
    values = np.asarray(values, dtype=np.float64)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return values.astype(np.float32)
    size = np.abs(finite)
    whole = bool(np.all(finite == np.round(finite)))
    if whole and size.max() > EXACT_FLOAT32:
        return values
    if 0 < float(finite.max()) - float(finite.min()) < NARROW * float(size.max()):
        return values
    small = size[size > 0]
    fits = size.max() < np.finfo(np.float32).max and (
        not len(small) or small.min() > np.finfo(np.float32).tiny
    )
    return values.astype(np.float32) if fits else values
