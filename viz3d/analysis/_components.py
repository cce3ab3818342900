"""What is said of principal components and of the paths along them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def signs(axes: Floats) -> Floats:
    """Return the sign that makes the largest loading of each axis positive.

    Of equally large ones that of the first metric counts.
    """
    size = np.abs(axes)
    largest = (size >= size.max(axis=1, keepdims=True) * (1 - 1e-9)).argmax(axis=1)
    return np.where(axes[np.arange(len(axes)), largest] < 0, -1.0, 1.0)


def harmonics(scores: Floats) -> Floats:
    """Return the squared correlation of each axis with the cosine that random walks make it."""
    m, k = scores.shape
    time = (np.arange(m) + 0.5) / m
    waves = np.cos(np.pi * np.arange(1, k + 1) * time[:, None])
    centred = scores - scores.mean(axis=0)
    both = np.sqrt((centred**2).sum(axis=0) * (waves**2).sum(axis=0))
    # The cosines have mean zero on these points.
    return ((centred * waves).sum(axis=0) / np.where(both > 0, both, np.inf)) ** 2


def effective_points(score: Floats) -> float:
    """Return the length of a series divided by its correlation time.

    Correlations are summed until the first below 0.05.
    """
    centred = score - score.mean()
    power = float(centred @ centred)
    if power <= 0:
        return 1.0
    lags = np.correlate(centred, centred, "full")[len(centred) :] / power
    low = np.flatnonzero(lags < 0.05)
    return len(score) / (1 + 2 * float(lags[: low[0] if len(low) else None].sum()))


def outside(values: Floats, scores: Floats) -> Floats:
    """Return the share of the squared distance from the centre that the axes leave out."""
    whole = (values**2).sum(axis=1)
    shown = (scores**2).sum(axis=1)
    return np.clip(1 - shown / np.where(whole > 0, whole, np.inf), 0.0, 1.0)
