"""How much variance principal components would explain if the metrics were random walks.

Independent random walks have few large components by themselves (Antognini and Sohl-Dickstein,
2018): ten of them give 82 % in three. A share of explained variance means nothing without this.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 199
"""Random sweeps of walks; the smallest p-value they can give is 1/200."""

SEED = 20240501
"""Fixed, so that the same runs give the same figure."""


def walk_shares(runs: Sequence[Floats], k: int, draws: int = DRAWS) -> Floats:
    """Explained shares of the leading `k` components of random walks like the runs.

    The steps of each walk are a metric's own first differences, shifted in a circle by a random
    offset, each with a random sign, and summed up from the metric's first value. That keeps the
    sizes of the steps and destroys drift and any coupling between metrics.

    Parameters
    ----------
    runs : sequence of ndarray, each of shape (m, d)
        Transformed metrics, one array per run.
    k : int
    draws : int

    Returns
    -------
    ndarray, shape (draws, k)
    """
    random = np.random.default_rng(SEED)
    return np.array([shares(_walk(runs, random), k) for _ in range(draws)])


def shares(runs: Sequence[Floats], k: int) -> Floats:
    """Explained shares of the leading `k` components of the pooled, standardised metrics."""
    pooled = np.concatenate(runs)
    pooled = pooled - pooled.mean(axis=0)
    spread = pooled.std(axis=0)
    pooled = pooled / np.where(spread > 0, spread, 1.0)
    values = np.linalg.eigvalsh(pooled.T @ pooled)[::-1]
    return np.maximum(values[:k], 0) / values.sum()


def _walk(runs: Sequence[Floats], random: np.random.Generator) -> list[Floats]:
    walks = []
    for run in runs:
        steps = np.diff(run, axis=0)
        n, d = steps.shape
        turned = (np.arange(n)[:, None] + random.integers(n, size=d)) % n
        signs = random.choice([-1.0, 1.0], size=(n, d))
        moved = np.cumsum(np.take_along_axis(steps, turned, axis=0) * signs, axis=0)
        walks.append(np.vstack([run[:1], run[:1] + moved]))
    return walks
