"""The end of a run as one number, and how far the noise within the run lets it be known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.statistics import CONFIDENCE, Floats, Interval

WINDOW = 0.1
"""Share of a run's steps, at its end, whose mean is the run's number."""

MEMORY = 0.5
"""Share of a run's steps, at its end, that tells how far its noise is correlated."""

FEWEST_ROWS = 5
"""Rows that the final window holds at least; it reaches further back where rows are sparse."""

FEWEST_EFFECTIVE = 5.0
"""Effective rows below which the noise within a run cannot be told from its trend."""

NOTHING_LEFT = 0.05
"""Autocorrelations are added up until the first one below this."""

Steps = NDArray[np.int64]


@dataclass(frozen=True)
class Final:
    """The end of one run.

    Attributes
    ----------
    mean : float
        NaN if the run logged NaN or infinity in the window, or too few rows.
    rows : int
        Rows in the window.
    first, last : int
        Its steps.
    noise : Interval
        About the mean, from the noise within the run. It says nothing about other seeds; its `n`
        is the effective sample size.
    """

    mean: float
    rows: int
    first: int
    last: int
    noise: Interval


def final_window(step: Steps, value: Floats) -> Final | None:
    """Return the mean of the last tenth of a run's steps; None if it logged nothing.

    Parameters
    ----------
    step : ndarray of int64, shape (n,)
        Sorted.
    value : ndarray of float64, shape (n,)
        NaN or infinite where that was logged.
    """
    if not len(step):
        return None
    # Back from the last step, so that it is the end of training whatever the spacing of the rows.
    rows = max(_rows_within(step, WINDOW), min(FEWEST_ROWS, len(step)))
    inside = value[-rows:]
    usable = rows >= FEWEST_ROWS and bool(np.isfinite(inside).all())
    mean = float(inside.mean()) if usable else float("nan")
    half = value[-max(_rows_within(step, MEMORY), rows) :]
    noise = noise_interval(half[np.isfinite(half)], rows) if usable else Interval(mean, 0.0)
    return Final(mean, rows, int(step[-rows]), int(step[-1]), noise)


def _rows_within(step: Steps, share: float) -> int:
    """Rows in this share of the steps, at the end of the run."""
    first, last = float(step[0]), float(step[-1])  # as integers their distance may not fit
    return int((step > last - share * (last - first)).sum())


def effective_size(residual: Floats) -> float:
    """Return how many independent values carry as much as these: n / (1 + 2 sum of correlations).

    The correlations between values so many rows apart are added up until the first below 0.05.

    Parameters
    ----------
    residual : ndarray of float64, shape (n,)
        What is left once the trend was taken out.
    """
    from scipy.signal import correlate

    n = len(residual)
    lags = correlate(residual, residual, method="fft" if n > 64 else "direct")[n - 1 :]
    if not lags[0] > 0:
        return float(n)
    correlation = lags[1:] / lags[0]
    gone = np.flatnonzero(correlation < NOTHING_LEFT)
    last = int(gone[0]) if len(gone) else len(correlation)
    return float(n / (1 + 2 * correlation[:last].sum()))


def noise_interval(value: Floats, rows: int) -> Interval:
    """Return the mean of the last rows of a run and how far the noise within it lets it be known.

    The noise is what is left of a straight line. Its variance is that of the last rows; how many of
    them count as independent comes from all of `value`, because a short window looks less
    correlated than it is. Fewer than five give no interval.

    Parameters
    ----------
    value : ndarray of float64, shape (n,)
        Finite.
    rows : int
        Size of the window at its end, at least 3.
    """
    from scipy.stats import t

    window = value[-rows:]
    mean = float(window.mean())
    with np.errstate(over="ignore", invalid="ignore"):
        size = rows * effective_size(_residual(value)) / len(value)
        noise = np.mean(_residual(window) ** 2)
    # Squares of the largest numbers leave the range of floats: then nothing is known.
    if not (size >= FEWEST_EFFECTIVE and np.isfinite(noise)):
        return Interval(mean, size)
    # The line took two of the independent values with it.
    variance = noise / (1 - 2 / size)
    half = float(t.ppf((1 + CONFIDENCE) / 2, size - 1) * np.sqrt(variance / size))
    return Interval(mean, size, mean - half, mean + half)


def _residual(value: Floats) -> Floats:
    """Take a straight line out."""
    place = np.arange(len(value)) - (len(value) - 1) / 2
    slope = (place @ value) / (place @ place)
    return value - value.mean() - slope * place
