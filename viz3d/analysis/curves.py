"""Read a run's loss over step and learning rate, joined on the logged step.

Tokens, FLOPs or time may stand in the step's place, where they were logged at the same step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.alignment import Alignment, align
from viz3d.analysis.events import logged
from viz3d.analysis.roles import peak_learning_rate
from viz3d.run import Run

if TYPE_CHECKING:
    import pandas as pd

RATES = ("auto", "current", "peak")
SWEEP = 3
"""So many different peak rates make a sweep, and the peak rate its natural axis."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One run's loss where its learning rate, and its place along the axis, are known.

    Attributes
    ----------
    run : str
        Name of the run.
    step : ndarray of int64, shape (n,)
        Sorted.
    x : ndarray of float64, shape (n,)
        The places of the steps along the axis; never falling.
    rate, loss : ndarray of float64, shape (n,)
        The loss is NaN or infinite where that was logged.
    places : Alignment
        Where all steps of the run lie.
    unjoined : int
        Rows with a loss but without a learning rate at that step; they are not in the curve.
    unplaced : int
        Rows with both but without a place at that step; they are not in the curve either.
    attempt : int or None
        Number of the superseded attempt; None for the history.
    """

    run: str
    step: NDArray[np.int64]
    x: Floats
    rate: Floats
    loss: Floats
    places: Alignment
    unjoined: int = 0
    unplaced: int = 0
    attempt: int | None = None


def rate_axis(runs: Sequence[Run], wanted: str) -> str:
    """Decide which learning rate is the axis: ``"current"`` or ``"peak"``.

    Parameters
    ----------
    runs : sequence of Run
    wanted : {"auto", "current", "peak"}
        "auto" takes the peak rate for a sweep, that is three or more different peak rates, and
        where no run logged its schedule.

    Raises
    ------
    ValueError
        If `wanted` is none of the three.
    """
    if wanted not in RATES:
        raise ValueError(f"rate is {wanted!r}; choose one of: {', '.join(RATES)}.")
    if wanted != "auto":
        return wanted
    peaks = {float(f"{peak:.3g}") for run in runs if (peak := peak_learning_rate(run))}
    scheduled = any(run.role("learning_rate") is not None for run in runs)
    return "peak" if len(peaks) >= SWEEP or not scheduled else "current"


def read_curve(run: Run, axis: str, places: Alignment | None = None) -> Curve | None:
    """Read the history of a run; None when it has no loss or no such learning rate.

    Parameters
    ----------
    run : Run
    axis : {"current", "peak"}
        Which learning rate.
    places : Alignment, optional
        Where its steps lie; by default at their numbers.
    """
    metric = run.roles.get("loss")
    if metric is None:
        return None
    places = places or align(run, "step")
    step, loss = logged(run, metric)
    rate = _rates(run, axis, step)
    if rate is None:
        return None
    return _joined(run.name, (step, places.at(step), rate, loss), places)


def read_attempts(run: Run, axis: str, places: Alignment | None = None) -> tuple[Curve, ...]:
    """Read the rows that restarts superseded, one curve for each attempt; see `read_curve`."""
    metric = run.roles["loss"]
    if run.attempts is None or metric not in run.attempts.columns:
        return ()
    places = places or align(run, "step")
    curves = []
    for number, logged_rows in run.attempts.dropna(subset=[metric]).groupby("attempt"):
        rows = logged_rows.drop_duplicates("step", keep="last").sort_values("step")
        step = rows["step"].to_numpy(np.int64)
        rows = rows.set_index("step")
        rate = _rates(run, axis, step, rows)
        if rate is not None and len(step):
            columns = (step, places.of(rows), rate, rows[metric].to_numpy(np.float64))
            curves.append(_joined(run.name, columns, places, int(str(number))))
    return tuple(curves)


def _rates(
    run: Run, axis: str, step: NDArray[np.int64], rows: pd.DataFrame | None = None
) -> Floats | None:
    """Learning rate at each step, NaN where it was not logged; None when the run has none."""
    if axis == "peak":
        peak = peak_learning_rate(run)
        return None if peak is None else np.full(len(step), peak)
    metric = run.roles.get("learning_rate")
    if metric is None or metric not in (run.metrics if rows is None else rows.columns):
        return None
    logged_rates = run.column(metric) if rows is None else rows[metric]
    return logged_rates.reindex(step).to_numpy(np.float64)


def _joined(
    name: str,
    columns: tuple[NDArray[np.int64], Floats, Floats, Floats],
    places: Alignment,
    attempt: int | None = None,
) -> Curve:
    """Keep the rows whose rate and whose place are known; `columns` are step, x, rate and loss."""
    step, x, rate, loss = columns
    known, placed = np.isfinite(rate), np.isfinite(x)
    lost = int((~known).sum()), int((known & ~placed).sum())
    kept = known & placed
    return Curve(name, step[kept], x[kept], rate[kept], loss[kept], places, *lost, attempt)
