"""Find where a metric stopped being a number, and where it diverged.

These are facts of the recording and need no threshold, except divergence, whose rule stands at
`DIVERGED`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.event import Event

DIVERGED = 1.5
"""A run diverged when it ends with a median above this many times its best earlier level."""

TAIL = 0.05
"""Share of the run that counts as its end."""

FEWEST = 3
"""Rows of the end at least: one high row is no divergence."""

BLOCKS = 100
"""Divergence is judged on medians of this many stretches of the run, not on single steps."""

Steps = NDArray[np.int64]
Floats = NDArray[np.float64]


def not_finite(step: Steps, value: Floats, metric: str) -> list[Event]:
    """Return every stretch of rows that are NaN or infinite.

    Parameters
    ----------
    step, value : ndarray, shape (n,)
        All rows that were logged, sorted by step.
    metric : str
    """
    bad = ~np.isfinite(value)
    starts = np.flatnonzero(bad & ~np.r_[False, bad[:-1]])
    ends = np.flatnonzero(bad & ~np.r_[bad[1:], False])
    return [
        Event(
            kind="NaN" if np.isnan(value[start]) else "infinity",
            metric=metric,
            step=int(step[start]),
            last_step=int(step[end]),
            rows=int(end - start + 1),
            size=float(end - start + 1),
            level=float(value[start - 1]) if start else None,
            before=int(step[start - 1]) if start else None,
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def divergence(step: Steps, value: Floats, metric: str) -> list[Event]:
    """Return where a positive metric left its best level for good; one event at most.

    Parameters
    ----------
    step, value : ndarray, shape (n,)
        Finite rows, sorted by step.
    metric : str
    """
    # A ratio to the best level means nothing for a metric that is not positive throughout.
    if len(value) < BLOCKS // 5 or not value.min() > 0:
        return []
    edges = np.unique(np.linspace(0, len(value), min(BLOCKS, len(value)) + 1).astype(int))
    level = np.array([np.median(value[a:b]) for a, b in pairwise(edges)])
    above = level > DIVERGED * np.minimum.accumulate(level)
    end = float(np.median(value[-max(FEWEST, round(TAIL * len(value))) :]))
    if not above[-1] or end <= DIVERGED * level.min():
        return []
    # The last block that was still fine ends where the divergence begins.
    fine = np.flatnonzero(~above)[-1]
    start = edges[fine + 1]
    return [
        Event(
            kind="divergence",
            metric=metric,
            step=int(step[start]),
            last_step=int(step[-1]),
            rows=len(value) - int(start),
            size=end / float(level.min()),
            value=end,
            level=float(value[start - 1]),
            before=int(step[start - 1]),
        )
    ]
