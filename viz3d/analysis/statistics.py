"""Statistics of runs: one number per seed, and what such numbers can and cannot tell.

The steps of one run are no independent samples of what another seed would do: a test over steps
calls four of five pairs different that are not. So every test here takes one number per run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE = 0.95
"""Of every interval."""

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

SHORT = 0.01
"""Share of a run's rows over which a median is taken, and for which it must stay at the target."""

ONE_RUN = (
    "No test: with one run on a side nothing is known about how much runs differ by their seed "
    "alone. Run two or more seeds of each, better five."
)
NO_SPREAD = "No test: the runs of each side have one and the same value."

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """A mean of n numbers; its t interval is None where it would say nothing."""

    mean: float
    n: float
    lower: float | None = None
    upper: float | None = None


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


@dataclass(frozen=True)
class Comparison:
    """Two groups of runs, one number per run.

    Attributes
    ----------
    difference : float
        Mean of the first group less that of the second.
    n : (int, int)
    lower, upper : float or None
        Welch's t interval of the difference.
    p : float or None
        Of Welch's test that both groups have one mean.
    hedges_g : float or None
        The difference in pooled standard deviations, corrected for small groups.
    reason : str
        Why there is no test; empty where there is one.
    """

    difference: float
    n: tuple[int, int]
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    hedges_g: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Reached:
    """How many runs reached a target.

    Attributes
    ----------
    steps : tuple of int or None
        Step at which each run did; None for one that did not.
    median : float or None
        Median over all runs, those that did not reach it included (Kaplan and Meier 1958); None
        where fewer than half did.
    """

    steps: tuple[int | None, ...]
    median: float | None

    @property
    def k(self) -> int:
        """Runs that reached it."""
        return sum(step is not None for step in self.steps)


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
    return int((step > step[-1] - share * (step[-1] - step[0])).sum())


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
    size = rows * effective_size(_residual(value)) / len(value)
    if size < FEWEST_EFFECTIVE:
        return Interval(mean, size)
    # The line took two of the independent values with it.
    variance = np.mean(_residual(window) ** 2) / (1 - 2 / size)
    half = float(t.ppf((1 + CONFIDENCE) / 2, size - 1) * np.sqrt(variance / size))
    return Interval(mean, size, mean - half, mean + half)


def _residual(value: Floats) -> Floats:
    """Take a straight line out."""
    place = np.arange(len(value)) - (len(value) - 1) / 2
    slope = (place @ value) / (place @ place)
    return value - value.mean() - slope * place


def mean_interval(values: ArrayLike) -> Interval:
    """Return the mean of one number per seed and its t interval, which needs two or more."""
    from scipy.stats import sem, t

    numbers = _finite(values)
    n = len(numbers)
    mean = float(numbers.mean()) if n else float("nan")
    if n < 2:
        return Interval(mean, n)
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1) * sem(numbers))
    return Interval(mean, n, mean - half, mean + half)


def compare(first: ArrayLike, second: ArrayLike) -> Comparison:
    """Compare two groups by Welch's t test, one number per run.

    Parameters
    ----------
    first, second : array_like, shape (n,), (m,)
        Numbers that are not finite are left out.

    Returns
    -------
    Comparison
        Without a test where a side has one run or none, or no side has any spread.
    """
    from scipy.stats import ttest_ind

    a, b = _finite(first), _finite(second)
    sizes = (len(a), len(b))
    if min(sizes) < 1:
        return Comparison(float("nan"), sizes, reason="No test: a side has no run with a value.")
    difference = float(a.mean() - b.mean())
    if min(sizes) < 2:
        return Comparison(difference, sizes, reason=ONE_RUN)
    if np.ptp(a) == 0 and np.ptp(b) == 0:
        return Comparison(difference, sizes, reason=NO_SPREAD)
    tested = ttest_ind(a, b, equal_var=False)
    low, high = tested.confidence_interval(CONFIDENCE)
    return Comparison(
        difference, sizes, float(low), float(high), float(tested.pvalue), _hedges_g(a, b)
    )


def _hedges_g(a: Floats, b: Floats) -> float:
    """Difference in pooled standard deviations, less biased in small groups (Hedges 1981)."""
    free = len(a) + len(b) - 2
    pooled = np.sqrt(((a - a.mean()) ** 2).sum() / free + ((b - b.mean()) ** 2).sum() / free)
    return float((a.mean() - b.mean()) / pooled * (1 - 3 / (4 * free - 1)))


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Correct p values for there being several of them (Holm 1979); None stays None."""
    tested = sorted((value, i) for i, value in enumerate(p) if value is not None)
    corrected: list[float | None] = [None] * len(p)
    largest = 0.0
    for rank, (value, i) in enumerate(tested):
        largest = max(largest, min(1.0, value * (len(tested) - rank)))
        corrected[i] = largest
    return corrected


def steps_to_target(step: Steps, value: Floats, target: float, *, lower: bool = True) -> int | None:
    """Return the first step from which the running median stays at the target or better.

    The median goes over the last 1 % of the run's rows, and it must stay for as many rows.

    Parameters
    ----------
    step, value : ndarray, shape (n,)
        A median over NaN or infinity has not reached anything.
    target : float
    lower : bool
        Whether lower is better.

    Returns
    -------
    int or None
        None if the run ended before.
    """
    import pandas as pd

    w = max(1, round(SHORT * len(step)))
    median = pd.Series(np.where(np.isfinite(value), value, np.nan)).rolling(w).median()
    good = (median <= target) if lower else (median >= target)
    stays = good[::-1].rolling(w).sum()[::-1] == w
    return int(step[int(stays.to_numpy().argmax())]) if stays.any() else None


def reached(steps: Sequence[int | None], ends: Sequence[int]) -> Reached:
    """Put the steps to a target together.

    Parameters
    ----------
    steps : sequence of int or None
        From `steps_to_target`, one per run.
    ends : sequence of int
        Last step of each run: one that did not reach the target is known to need more than that.
    """
    from scipy.stats import CensoredData, ecdf

    done = [float(step) for step in steps if step is not None]
    open_ends = [float(end) for s, end in zip(steps, ends, strict=True) if s is None]
    if not done:
        return Reached(tuple(steps), None)
    survival = ecdf(CensoredData(uncensored=done, right=open_ends)).sf
    below = survival.quantiles[survival.probabilities <= 0.5]
    return Reached(tuple(steps), float(below[0]) if len(below) else None)


def _finite(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[np.isfinite(numbers)]
