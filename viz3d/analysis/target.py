"""Steps that runs take to a target; a run that did not get there counts as not having got there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.statistics import Floats

SHORT = 0.01
"""Share of a run's rows over which a median is taken, and for which it must stay at the target."""

Steps = NDArray[np.int64]


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
    # A window with NaN or infinity in it has no median.
    median = pd.Series(value).rolling(w).median()
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
    # The product of the steps down to one half may be a rounding error above it.
    below = survival.quantiles[survival.probabilities <= 0.5 + 1e-9]
    return Reached(tuple(steps), float(below[0]) if len(below) else None)
