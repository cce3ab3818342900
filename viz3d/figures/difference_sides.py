"""The two sides of a difference: rows of each group in which the value and the second axis meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.curves import read_curve
from viz3d.figures.needs import having, missing
from viz3d.figures.reward_data import join, no_axis
from viz3d.run import Run

TITLE = "Difference A − B"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One side of the difference.

    Attributes
    ----------
    name : str
        "A" or "B".
    title : str
        What the viewer calls it, else the run's name or the number of runs.
    runs, unused : tuple of str
        Names of the runs, and of those that lack a metric.
    unjoined : int
        Rows with a value but no second axis at that step, which are left out.
    x, y, z : ndarray, shape (n,)
        Samples of all runs: step, second axis and value.
    run : ndarray of int, shape (n,)
        Position of each sample's run in `runs`.
    """

    name: str
    title: str
    runs: tuple[str, ...]
    unused: tuple[str, ...]
    unjoined: int
    x: Floats
    y: Floats
    z: Floats
    run: NDArray[np.int64]


class SideRows(NamedTuple):
    """Step, second axis and value of one run, shape (n,), and the rows without a second axis."""

    run: Run
    x: NDArray[Any]
    y: Floats
    z: Floats
    unjoined: int


def read_losses(runs: Sequence[Run], kind: str, name: str) -> list[SideRows]:
    """Return the rows with a loss and a learning rate of this kind.

    Raises
    ------
    MissingMetric
        If no run has any.
    """
    where = f"Side {name} of {TITLE}"
    pairs = [(run, read_curve(run, kind)) for run in having(runs, "loss", where)]
    found = [
        SideRows(run, curve.step, curve.rate, curve.loss, curve.unjoined)
        for run, curve in pairs
        if curve is not None and len(curve.step)
    ]
    if not found:
        raise missing(runs, "learning_rate", where)
    return found


def read_rewards(runs: Sequence[Run], against: str, name: str) -> list[SideRows]:
    """Return the rows with a reward and the other metric.

    Raises
    ------
    MissingMetric
        If no run has any.
    """
    rewarded = having(runs, "reward", f"Side {name} of {TITLE}")
    pairs = [(run, join(run, against)) for run in rewarded]
    found = [
        SideRows(
            run,
            rows.index.to_numpy(),
            rows["other"].to_numpy(),
            rows["reward"].to_numpy(),
            rows.attrs["unjoined"],
        )
        for run, rows in pairs
        if rows is not None and len(rows)
    ]
    if not found:
        raise no_axis(rewarded, against)
    return found


def put_together(name: str, title: str, runs: Sequence[Run], found: Sequence[SideRows]) -> Side:
    """Return the rows of all runs of a side as its samples."""
    x, y, z = (
        np.concatenate([getattr(rows, axis) for rows in found]).astype(np.float64) for axis in "xyz"
    )
    used = {id(rows.run) for rows in found}
    return Side(
        name=name,
        title=title,
        runs=tuple(rows.run.name for rows in found),
        unused=tuple(run.name for run in runs if id(run) not in used),
        unjoined=sum(rows.unjoined for rows in found),
        x=x,
        y=y,
        z=z,
        run=np.repeat(np.arange(len(found)), [len(rows.x) for rows in found]),
    )
