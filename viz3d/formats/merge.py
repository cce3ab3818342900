"""Joins several pieces of one run, each already joined on its steps."""

from __future__ import annotations

import numpy as np

from viz3d.formats import limits
from viz3d.formats.columns import ColumnsBuilder, Piece
from viz3d.formats.joining import Joined
from viz3d.formats.rows import CLOCKS


def merge(parts: list[Joined]) -> Joined:
    """Join the histories of several pieces of one run on the step; a later piece wins.

    Parameters
    ----------
    parts : list of Joined
        At least one. The list is emptied, so that their columns can go one after the other.

    Returns
    -------
    Joined
    """
    import pandas as pd

    if len(parts) == 1:
        return parts.pop()
    steps = np.unique(np.concatenate([part.history.index.to_numpy() for part in parts]))
    attempts = pd.concat([part.attempts for part in parts], ignore_index=True)
    counts = {
        name: sum(getattr(part, name) for part in parts)
        for name in ("replaced", "restarts", "beyond", "aside_beyond", "unlisted")
    }
    resorted = any(part.resorted for part in parts)
    pieces = [_Piece(part, steps) for part in parts]
    parts.clear()
    metrics = list(dict.fromkeys(metric for piece in pieces for metric in piece.columns))
    # What was set aside keeps its room.
    room = max(0, limits.HISTORY_CELLS - attempts.size)
    history = ColumnsBuilder(steps[: room // max(1, len(metrics))])
    for metric in metrics:
        found = [piece.spend(metric) for piece in pieces if metric in piece.columns]
        history.add(metric, found, counted=metric not in CLOCKS)
    counts["replaced"] += history.replaced
    counts["unlisted"] += history.unlisted
    counts["beyond"] += len(steps) - len(history.steps)
    return Joined(
        history=history.frame(metrics),
        attempts=attempts,
        nonfinite=history.nonfinite(metrics),
        resorted=resorted,
        **counts,
    )


class _Piece:
    """One part, whose columns are given up one by one."""

    def __init__(self, part: Joined, steps: np.ndarray) -> None:
        index = part.history.index
        self.columns = {str(name): column.to_numpy() for name, column in part.history.items()}
        self._place = np.searchsorted(steps, index.to_numpy()).astype(np.int32)
        nan = part.nonfinite[np.isnan(part.nonfinite["value"].to_numpy(dtype=float))]
        self._nan = {
            str(metric): index.get_indexer(found) for metric, found in nan.groupby("metric")["step"]
        }

    def spend(self, metric: str) -> Piece:
        """Return where the metric was logged, and its values there."""
        values = self.columns.pop(metric)
        logged = ~np.isnan(values)
        logged[self._nan.get(metric, np.empty(0, np.int64))] = True
        at = np.flatnonzero(logged)
        return at, values[at], self._place
