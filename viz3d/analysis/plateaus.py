"""Find stretches of a run without progress.

A decay that slows down looks flat in the noise, so that a change too small to be seen proves
nothing. A stretch is a plateau when its level changes by no more than the noise *and*, the noise
counted in, by less than a fifth of what the stretch before brought. The stretch before is as long
as it in the logarithm of the step, over which a power law keeps falling by nearly the same amounts.
A stretch without one, at the start of the run, is compared with what follows it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.event import Event

BLOCKS = 40
"""Plateaus are judged on medians of this many stretches of rows."""

ROWS = 5
"""Rows of a block at least."""

FEWEST = 20
"""Blocks below which nothing is said."""

SHARE = 0.25
"""Share of the run that a plateau lasts at least."""

SLOWED = 0.2
"""Share of the progress before it that a plateau stays below."""

SURE = 2.0
"""Standard errors that count as noise."""

EVEN = 1.5
"""The blocks of a plateau scatter by at most this many times their noise."""

LEAST = 0.002
"""Smallest noise of a block, as share of all that the metric changed; a smooth curve has none."""

LAGS = (1, 2)
"""Distances of blocks over which noise is looked for."""

Steps = NDArray[np.int64]
Floats = NDArray[np.float64]


def plateaus(step: Steps, value: Floats, metric: str) -> list[Event]:
    """Return stretches in which the level does not change beyond the noise, by step.

    Parameters
    ----------
    step, value : ndarray, shape (n,)
        Finite rows, sorted by step.
    metric : str
    """
    count = min(BLOCKS, len(value) // ROWS)
    if count < FEWEST:
        return []
    edges = np.arange(count + 1) * len(value) // count
    # Divided first: differences of values near the largest float would overflow.
    scaled = value / (np.abs(value).max() or 1.0)
    level = np.array([np.median(scaled[a:b]) for a, b in pairwise(edges)])
    if not np.ptp(level):
        # Most rows are equal, as of a sparse reward; its progress shows in the means.
        level = np.array([np.mean(scaled[a:b]) for a, b in pairwise(edges)])
    if not np.ptp(level):
        return [_event(step, value, metric, 0, len(value))]
    # Progress over orders of magnitude shows on the logarithm alone.
    scales = [level, *([np.log(level)] if level.min() > 0 else [])]
    noises = [max(_noise(scale), LEAST * float(np.ptp(scale))) for scale in scales]
    found = _longest(list(zip(scales, noises, strict=True)))
    return sorted(
        (_event(step, value, metric, edges[i], edges[j]) for i, j in found),
        key=lambda event: event.step,
    )


def _event(step: Steps, value: Floats, metric: str, first: int, end: int) -> Event:
    level = float(np.median(value[first:end]))
    return Event(
        kind="plateau",
        metric=metric,
        step=int(step[first]),
        last_step=int(step[end - 1]),
        rows=int(end - first),
        size=float(end - first),
        value=level,
        level=level,
        before=int(step[first - 1]) if first else None,
    )


def _noise(level: Floats) -> float:
    """Scatter of a block's median, from second differences, which a smooth trend leaves small.

    Noise with a memory hides from those of neighbours; the largest of several distances counts.
    """
    bends = [level[2 * lag :] - 2 * level[lag:-lag] + level[: -2 * lag] for lag in LAGS]
    return max(1.4826 * float(np.median(np.abs(bend))) / np.sqrt(6) for bend in bends)


def _longest(scales: list[tuple[Floats, float]]) -> list[tuple[int, int]]:
    """Non-overlapping stretches of blocks that are flat on every scale, the longest first."""
    n = len(scales[0][0])
    found: list[tuple[int, int]] = []
    for length in range(n, round(SHARE * n) - 1, -1):
        for i in range(n - length + 1):
            j = i + length
            apart = all(j <= a or i >= b for a, b in found)
            if apart and all(_flat(level, i, j, noise) for level, noise in scales):
                found.append((i, j))
    return found


def _flat(level: Floats, i: int, j: int, noise: float) -> bool:
    part, length = level[i:j], j - i
    mean = part.mean()
    if np.mean((part - mean) ** 2) > (EVEN * noise) ** 2:
        return False
    place = np.arange(length) - (length - 1) / 2
    change = abs(float(place @ part) / float(place @ place)) * length
    error = noise * np.sqrt(12 / length)
    if change > SURE * error:
        return False
    around = _around(level, i, j)
    if around is None:
        return True  # the whole run
    return bool(change + SURE * error < SLOWED * (abs(around - mean) - SURE * noise))


def _around(level: Floats, i: int, j: int) -> float | None:
    """Level before the stretch, as far away as it is long; after it where it is at the start."""
    if i > 0:
        return float(np.interp(i * i / j, np.arange(len(level)) + 0.5, level))
    return float(level[min(2 * j, len(level)) - 1]) if j < len(level) else None
