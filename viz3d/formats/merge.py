"""Joins several pieces of one run, each already joined on its steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from viz3d.formats.rows import Cells, Joined, Rows, concatenate, to_history


def merge(parts: Sequence[Joined]) -> Joined:
    """Join the histories of several pieces of one run on the step; a later piece wins.

    Parameters
    ----------
    parts : sequence of Joined
        At least one.

    Returns
    -------
    Joined
    """
    import pandas as pd

    if len(parts) == 1:
        return parts[0]
    steps = [part.history.index.to_numpy() for part in parts]
    whole = Rows(
        step=np.concatenate(steps),
        columns=_stack(parts, np.cumsum([0, *map(len, steps)])),
    )
    history, nonfinite, replaced = to_history(whole, np.ones(len(whole.step), dtype=bool))
    return Joined(
        history=history,
        attempts=pd.concat([part.attempts for part in parts], ignore_index=True),
        nonfinite=nonfinite,
        replaced=replaced + sum(part.replaced for part in parts),
        restarts=sum(part.restarts for part in parts),
        resorted=any(part.resorted for part in parts),
    )


def _stack(parts: Sequence[Joined], offsets: np.ndarray) -> dict[str, Cells]:
    """Lay the pieces' histories end to end, as rows that were logged one piece after the other."""
    pieces: dict[str, list[Cells]] = {}
    for part, offset in zip(parts, offsets, strict=False):
        index = part.history.index
        nan = part.nonfinite[np.isnan(part.nonfinite["value"].to_numpy(dtype=float))]
        for metric in part.history.columns:
            values = part.history[metric].to_numpy()
            logged = ~np.isnan(values)
            logged[index.get_indexer(nan.loc[nan["metric"] == metric, "step"])] = True
            at = np.flatnonzero(logged)
            pieces.setdefault(str(metric), []).append(Cells(at + offset, values[at]))
    return {metric: concatenate(cells) for metric, cells in pieces.items()}
