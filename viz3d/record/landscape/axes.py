"""Where on a plane is measured: evenly spaced nodes, one of them exactly the centre."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from viz3d.errors import BadArgument

MARGIN = 0.15
"""Of the path's extent, beyond it on both sides."""

Floats = NDArray[np.float64]


def symmetric(points: int) -> Floats:
    """Return `points` nodes from -1 to 1; the middle one is exactly 0."""
    half = points // 2
    return np.arange(-half, half + 1) / half


def round_path(scores: Floats, points: int) -> Floats:
    """Return `points` nodes that reach past all `scores` and past 0, which is one of them."""
    low, high = min(0.0, float(scores.min())), max(0.0, float(scores.max()))
    margin = MARGIN * (high - low)
    low, high = low - margin, high + margin
    spacing = (high - low) / (points - 2)
    first = -math.ceil(-low / spacing)
    return np.arange(first, first + points) * np.float64(spacing)


def checked(name: str, values: Sequence[float] | Floats) -> Floats:
    """Return nodes that a user gave.

    Raises
    ------
    BadArgument
        Unless they are two or more finite, rising numbers.
    """
    try:
        nodes = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):  # text, lists of several lengths
        nodes = np.empty(0)
    if nodes.ndim != 1 or nodes.size < 2 or not (np.diff(nodes) > 0).all() or not _finite(nodes):
        raise BadArgument(
            f"{name} has to be two or more rising numbers; give for example "
            "numpy.linspace(-1, 1, 25)."
        )
    return nodes


def checked_points(points: int) -> int:
    """Return the number of nodes along an axis.

    Raises
    ------
    BadArgument
        Unless it is odd, so that the checkpoint itself is a node, and at least 3.
    """
    if not isinstance(points, Integral) or points < 3 or points % 2 == 0:
        raise BadArgument(
            f"points is {points!r:.80}; give an odd number from 3 on, so that the "
            "checkpoint itself is a point of the grid."
        )
    return int(points)


def _finite(nodes: Floats) -> bool:
    return bool(np.isfinite(nodes).all())
