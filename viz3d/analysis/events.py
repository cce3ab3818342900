"""Find where a metric stopped being a number, and where it diverged.

These are facts of the recording and need no threshold, except divergence, whose rule stands at
`DIVERGED`. Sudden but passing jumps (spikes) are not looked for here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viz3d.run import Run

if TYPE_CHECKING:
    import pandas as pd

DIVERGED = 1.5
"""A run diverged when it ends with a median above this many times its best earlier level."""

TAIL = 0.05
"""Share of the run that counts as its end."""

BLOCKS = 100
"""Divergence is judged on medians of this many stretches of the run, not on single steps."""


@dataclass(frozen=True)
class BadStep:
    """The first step of a stretch that went wrong.

    Attributes
    ----------
    step : int
        The first bad step.
    kind : {"NaN", "infinity", "divergence"}
    rows : int
        Logged rows in the stretch.
    last_step : int or None
        The last step before it with a finite value; None when there was none.
    last_value : float or None
        The value at that step.
    """

    step: int
    kind: str
    rows: int
    last_step: int | None
    last_value: float | None


def bad_steps(run: Run, metric: str) -> tuple[BadStep, ...]:
    """Return every stretch in which `metric` was not finite, and where it diverged, by step.

    Parameters
    ----------
    run : Run
    metric : str
        A column of the run's history.
    """
    step, value = logged(run, metric)
    found = [*_not_finite(step, value), *_divergence(step, value)]
    return tuple(sorted(found, key=lambda bad: (bad.step, bad.kind)))


def logged(run: Run, metric: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the steps at which `metric` was logged and its values, NaN and infinities included.

    Unlike the history alone this tells "logged as NaN" from "not logged".

    Returns
    -------
    step : ndarray of int64, shape (n,)
    value : ndarray of float64, shape (n,)
    """
    import pandas as pd

    series = run.history[metric].dropna()
    series = pd.concat([series, _nan_rows(run.nonfinite, metric)])
    series = series[~series.index.duplicated(keep="last")].sort_index()
    return series.index.to_numpy(np.int64), series.to_numpy(np.float64)


def _nan_rows(nonfinite: pd.DataFrame | None, metric: str) -> pd.Series:
    import pandas as pd

    if nonfinite is None or nonfinite.empty:
        return pd.Series([], index=pd.Index([], dtype=np.int64), dtype=np.float64)
    rows = nonfinite[nonfinite["metric"] == metric]
    return pd.Series(
        rows["value"].to_numpy(np.float64), index=pd.Index(rows["step"].to_numpy(np.int64))
    )


def _not_finite(step: NDArray[np.int64], value: NDArray[np.float64]) -> list[BadStep]:
    bad = ~np.isfinite(value)
    starts = np.flatnonzero(bad & ~np.r_[False, bad[:-1]])
    ends = np.flatnonzero(bad & ~np.r_[bad[1:], False])
    return [
        BadStep(
            step=int(step[start]),
            kind="NaN" if np.isnan(value[start]) else "infinity",
            rows=int(end - start + 1),
            last_step=int(step[start - 1]) if start else None,
            last_value=float(value[start - 1]) if start else None,
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def _divergence(step: NDArray[np.int64], value: NDArray[np.float64]) -> list[BadStep]:
    finite = np.isfinite(value)
    step, value = step[finite], value[finite]
    # A ratio to the best level means nothing for a metric that is not positive throughout.
    if len(value) < BLOCKS // 5 or not value.min() > 0:
        return []
    edges = np.unique(np.linspace(0, len(value), min(BLOCKS, len(value)) + 1).astype(int))
    level = np.array([np.median(value[a:b]) for a, b in pairwise(edges)])
    above = level > DIVERGED * np.minimum.accumulate(level)
    end = np.median(value[-max(1, round(TAIL * len(value))) :])
    if not above[-1] or end <= DIVERGED * level.min():
        return []
    # The last block that was still fine ends where the divergence begins.
    fine = np.flatnonzero(~above)[-1]
    start = edges[fine + 1]
    return [
        BadStep(
            step=int(step[start]),
            kind="divergence",
            rows=len(value) - int(start),
            last_step=int(step[start - 1]),
            last_value=float(value[start - 1]),
        )
    ]
