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

ONE_RUN = (
    "No test: one run on a side does not show how far runs differ by their seed alone, and its own "
    "steps cannot stand in for seeds. Run two or more seeds of each, better five."
)
NO_SPREAD = "No test: the runs of each side have one and the same value."

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean of n numbers; its t interval is None where it would say nothing."""

    mean: float
    n: float
    lower: float | None = None
    upper: float | None = None


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


def mean_interval(values: ArrayLike) -> Interval:
    """Return the mean of one number per seed and its t interval.

    The interval needs two numbers or more that are not all the same. What is not finite is left
    out.
    """
    from scipy.stats import sem, t

    numbers = _finite(values)
    n = len(numbers)
    mean = float(numbers.mean()) if n else float("nan")
    if n < 2 or np.ptp(numbers) == 0:
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


def _finite(values: ArrayLike) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[np.isfinite(numbers)]
