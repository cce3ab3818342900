"""Medians of stretches of a run: the line that the eye can follow through noisy rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MOST = 40
"""Most stretches of a run."""

ROWS = 8
"""Rows that a stretch holds at least, where the run has enough of them."""

FEWEST = 4

Floats = NDArray[np.float64]


def stretch_medians(columns: Floats, most: int = MOST) -> Floats:
    """Return the median of each column over stretches of equally many rows.

    Parameters
    ----------
    columns : ndarray, shape (n, k)
        Rows in the order of steps, n > 0.
    most : int
        Most stretches.

    Returns
    -------
    ndarray, shape (b, k), b <= most
    """
    n = len(columns)
    count = int(np.clip(n // ROWS, min(FEWEST, n), most))
    edges = np.arange(count + 1) * n // count
    return np.array([np.median(columns[a:b], axis=0) for a, b in pairwise(edges)])
