"""Find rows that stand far above or below the rows before them.

A row is compared with the level of the rows before it, in units of their scatter. The level is
their median, corrected by the median of how far rows were from such medians, which on a slope lag.
The scatter is the median absolute deviation from such levels, scaled to the standard deviation of
normal noise. All stand firm against earlier spikes. Positive metrics are judged on their
logarithm, where the noise of a loss is about even.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.event import Event

WINDOW = 101
"""Rows before a row that tell its level and scatter."""

FEWEST = 5
"""Rows before a row below which nothing is said about it."""

ENOUGH = 20
"""Rows before a row that tell the scatter; with fewer, `EARLY` is the smallest."""

EARLY = 0.1
"""Smallest scatter of the logarithm at the start of a run: a spike more than doubles the level.
Of metrics that are not positive nothing is said there."""

THRESHOLD = 8.0
"""Scatters from the level that make a spike."""

BACK = 2.0
"""A spike is over at the first row within this many scatters of the level before it."""

MERGED = WINDOW // 10
"""Rows apart up to which hits are one spike."""

LONGEST = WINDOW // 2
"""Rows for which a return is waited for; by then the median itself would have moved."""

LEAST = 0.005
"""Smallest scatter, so that rounded or constant rows do not make any change a spike: of the
logarithm, else as a share of the whole range of the metric."""

DIRECTIONS = {
    "up": (("spike", 1.0),),
    "down": (("drop", -1.0),),
    "both": (("spike", 1.0), ("drop", -1.0)),
}

NORMAL = 1.4826
"""From the median absolute deviation to the standard deviation of normal noise."""

Steps = NDArray[np.int64]
Floats = NDArray[np.float64]


def spikes(
    step: Steps,
    value: Floats,
    metric: str,
    direction: str = "both",
    threshold: float = THRESHOLD,
) -> list[Event]:
    """Return spikes and sudden drops, by step.

    Parameters
    ----------
    step, value : ndarray, shape (n,)
        Finite rows, sorted by step.
    metric : str
    direction : {"both", "up", "down"}
        Whether rows far above the level are events (spikes), rows far below it (drops), or both.
    threshold : float
        Scatters from the level that make a spike.
    """
    if len(value) <= FEWEST:
        return []
    positive = bool(value.min() > 0)
    # Divided first: differences of values near the largest float would overflow.
    unit = 1.0 if positive else float(np.abs(value).max()) or 1.0
    scaled = np.log(value) if positive else value / unit
    least = np.full(len(scaled), LEAST if positive else LEAST * float(np.ptp(scaled)))
    least[:ENOUGH] = EARLY if positive else np.inf
    if not least.all():
        return []  # the metric is constant
    level, scatter = _before(scaled, least)
    found = []
    for kind, sign in DIRECTIONS[direction]:
        size = sign * (scaled - level) / scatter
        parts = _stretches(size, sign * scaled, sign * level, scatter, threshold)
        for first, top, end, returned in parts:
            found.append(
                Event(
                    kind=kind,
                    metric=metric,
                    step=int(step[top]),
                    last_step=int(step[end]),
                    rows=end - first + 1,
                    size=float(size[top]),
                    value=float(value[top]),
                    level=float(np.exp(level[first]) if positive else unit * level[first]),
                    before=int(step[first - 1]),
                    returned=returned,
                )
            )
    return sorted(found, key=lambda event: event.step)


def _before(scaled: Floats, least: Floats) -> tuple[Floats, Floats]:
    """Level and scatter of the rows before each row; NaN where there are too few of them."""
    import pandas as pd

    def rolling(rows: pd.Series) -> pd.api.typing.Rolling:
        return rows.shift().rolling(WINDOW, min_periods=FEWEST)

    rows = pd.Series(scaled)
    median = rolling(rows).median()
    # On a slope the median of the rows before lags; the median of that lag brings it up.
    level = median + rolling(rows - median).median().fillna(0.0)
    # The first rows have no level before them; that of the next ones tells their scatter.
    away = (rows - level.bfill(limit=FEWEST)).abs()
    scatter = NORMAL * rolling(away).median()
    # Where most rows are equal, as of a metric that is clipped or mostly zero, the median is blind.
    if (scatter == 0).any():
        scatter = scatter.where(scatter > 0, rolling(rows).std())
    return level.to_numpy(np.float64), np.maximum(scatter.to_numpy(np.float64), least)


def _stretches(
    size: Floats, scaled: Floats, level: Floats, scatter: Floats, threshold: float
) -> list[tuple[int, int, int, bool]]:
    """First row, top row, last row of each spike, and whether it went back."""
    hits = np.flatnonzero(size > threshold)
    if not len(hits):
        return []
    found = []
    for group in np.split(hits, np.flatnonzero(np.diff(hits) > MERGED) + 1):
        first, last = int(group[0]), int(group[-1])
        after = scaled[last + 1 : max(last + 2, first + LONGEST)]
        back = np.flatnonzero(after <= level[first] + BACK * scatter[first])
        end = last + int(back[0]) if len(back) else last
        found.append((first, int(group[scaled[group].argmax()]), end, bool(len(back))))
    return found
