"""The two sides of a difference: rows of each group in which the value and the second axis meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.alignment import Alignment, align
from viz3d.analysis.curves import read_curve
from viz3d.figures.along import LeftOut, place_runs
from viz3d.figures.needs import having, unrated
from viz3d.figures.reward_data import join, no_rows
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
        Names of the runs, and of those without a row that holds all three.
    left_out : tuple of (str, str)
        Runs without a place along the first axis, each with the reason.
    places : tuple of Alignment
        Where the steps of each of the `runs` lie.
    unjoined, unplaced : int
        Rows with a value but no second axis at that step, or no place, which are left out.
    step : ndarray of int64, shape (n,)
    x, y, z : ndarray, shape (n,)
        Samples of all runs: place, second axis and value.
    run : ndarray of int, shape (n,)
        Position of each sample's run in `runs`.
    """

    name: str
    title: str
    runs: tuple[str, ...]
    unused: tuple[str, ...]
    left_out: LeftOut
    places: tuple[Alignment, ...]
    unjoined: int
    unplaced: int
    step: NDArray[np.int64]
    x: Floats
    y: Floats
    z: Floats
    run: NDArray[np.int64]


class SideRows(NamedTuple):
    """Step, place, second axis and value of one run, shape (n,), and the rows without an axis."""

    run: Run
    step: NDArray[np.int64]
    x: Floats
    y: Floats
    z: Floats
    places: Alignment
    unjoined: int
    unplaced: int


def read_losses(runs: Sequence[Run], kind: str, name: str, along: str) -> list[SideRows]:
    """Return the rows with a loss and a learning rate of this kind.

    Raises
    ------
    MissingMetric
        If no run has any.
    ChartError
        If none has a place along the axis.
    """
    where = f"Side {name} of {TITLE}"
    placed, _ = place_runs(having(runs, "loss", where), along, "loss")
    pairs = [(run, read_curve(run, kind, places)) for run, places in placed]
    found = [
        SideRows(run, c.step, c.x, c.rate, c.loss, c.places, c.unjoined, c.unplaced)
        for run, c in pairs
        if c is not None and len(c.step)
    ]
    if not found:
        lost = any(curve.unplaced for _, curve in pairs if curve is not None)
        raise unrated(runs, kind, along, where, lost=lost)
    return found


def read_rewards(runs: Sequence[Run], against: str, name: str, along: str) -> list[SideRows]:
    """Return the rows with a reward and the other metric.

    Raises
    ------
    MissingMetric
        If no run has any.
    ChartError
        If none has a place along the axis.
    """
    where = f"Side {name} of {TITLE}"
    placed, _ = place_runs(having(runs, "reward", where), along, "reward")
    pairs = [(run, join(run, against, places)) for run, places in placed]
    found = [
        SideRows(run, r.step, r.x, r.other, r.reward, r.places, r.unjoined, r.unplaced)
        for run, r in pairs
        if r is not None and len(r.step)
    ]
    if not found:
        lost = any(rows.unplaced for _, rows in pairs if rows is not None)
        raise no_rows([run for run, _ in placed], against, along, lost=lost, chart=where)
    return found


def put_together(
    name: str, title: str, runs: Sequence[Run], found: Sequence[SideRows], along: str
) -> Side:
    """Return the rows of all runs of a side as its samples."""
    x, y, z = (
        np.concatenate([getattr(rows, axis) for rows in found]).astype(np.float64) for axis in "xyz"
    )
    placeless = [(run, why) for run in runs if (why := align(run, along).reason)]
    used = {id(rows.run) for rows in found} | {id(run) for run, _ in placeless}
    return Side(
        name=name,
        title=title,
        runs=tuple(rows.run.name for rows in found),
        unused=tuple(run.name for run in runs if id(run) not in used),
        left_out=tuple((run.name, why) for run, why in placeless),
        places=tuple(rows.places for rows in found),
        unjoined=sum(rows.unjoined for rows in found),
        unplaced=sum(rows.unplaced for rows in found),
        step=np.concatenate([rows.step for rows in found]),
        x=x,
        y=y,
        z=z,
        run=np.repeat(np.arange(len(found)), [len(rows.x) for rows in found]),
    )
