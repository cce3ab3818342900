"""Bring the metrics of a run onto one grid of steps, without inventing anything at the ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LONG_GAP = 0.1
"""A stretch without rows longer than this share of the run is drawn dashed."""


@dataclass(frozen=True)
class Series:
    """The finite values of one metric: `step` sorted, `value` of the same shape (n,)."""

    step: Floats
    value: Floats


@dataclass(frozen=True)
class Resampled:
    """Several metrics of one run on a common grid.

    Attributes
    ----------
    step : ndarray, shape (m,)
        Centres of equally wide bins over the steps that all metrics cover.
    values : mapping of str to ndarray, shape (m,)
        Median of the values in a bin; between two logged rows where a bin holds none.
    interpolated : mapping of str to int
        Bins without a row of the metric.
    gap : ndarray of bool, shape (m,)
        Bins inside a stretch without rows of some metric longer than a tenth of the run.
    """

    step: Floats
    values: Mapping[str, Floats]
    interpolated: Mapping[str, int]
    gap: NDArray[np.bool_]


def resample(metrics: Mapping[str, Series], m: int) -> Resampled:
    """Resample metrics on `m` bins over the range of steps that all of them cover.

    Parameters
    ----------
    metrics : mapping of str to Series
        At least one, each with at least one value; the common range must not be empty.
    m : int
        Number of bins.

    Raises
    ------
    ValueError
        If the metrics have no range of steps in common.
    """
    low = max(series.step[0] for series in metrics.values())
    high = min(series.step[-1] for series in metrics.values())
    if not high > low:
        raise ValueError("The metrics have no range of steps in common.")
    edges = np.linspace(low, high, m + 1)
    centre = (edges[:-1] + edges[1:]) / 2
    values, filled, gap = {}, {}, np.zeros(m, dtype=bool)
    for name, series in metrics.items():
        values[name], filled[name] = _on_bins(series, edges, centre)
        gap |= _in_long_gap(series.step, centre, LONG_GAP * (high - low))
    return Resampled(centre, values, filled, gap)


def coverage(step: Floats, low: float, high: float, m: int) -> float:
    """Return the share of `m` bins from `low` to `high` in which at least one of the steps lies."""
    inside = step[(step >= low) & (step <= high)]
    return len(np.unique(_bin(inside, np.linspace(low, high, m + 1)))) / m


def _bin(step: Floats, edges: Floats) -> NDArray[np.int64]:
    """Bin of each step; the last edge belongs to the last bin."""
    return np.clip(np.searchsorted(edges, step, side="right") - 1, 0, len(edges) - 2)


def _on_bins(series: Series, edges: Floats, centre: Floats) -> tuple[Floats, int]:
    # The centre of an empty bin lies between two rows: every metric covers the whole range.
    value = np.interp(centre, series.step, series.value)
    inside = (series.step >= edges[0]) & (series.step <= edges[-1])
    bins, inner = _bin(series.step[inside], edges), series.value[inside]
    order = np.lexsort((inner, bins))
    bins, inner = bins[order], inner[order]
    found, first, count = np.unique(bins, return_index=True, return_counts=True)
    value[found] = (inner[first + (count - 1) // 2] + inner[first + count // 2]) / 2
    return value, len(centre) - len(found)


def _in_long_gap(step: Floats, centre: Floats, longest: float) -> NDArray[np.bool_]:
    after = np.clip(np.searchsorted(step, centre), 1, len(step) - 1) if len(step) > 1 else None
    if after is None:
        return np.zeros(len(centre), dtype=bool)
    return step[after] - step[after - 1] > longest
