"""What runs are laid side by side along: the step, or tokens, FLOPs or time where they logged it.

Nothing is guessed. A run that did not log the quantity, or logged it in a way that does not grow
with the step, has no place on that axis and a reason why: a counter that begins anew after a
restart says nothing of what was before, and adding its parts up would invent what lies between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from viz3d.analysis.configs import flat_config
from viz3d.analysis.roles import recognise

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.run import Run

AXES = {
    "step": "step",
    "tokens": "tokens",
    "flops": "training FLOPs",
    "time": "time (s)",
}
"""What runs can be aligned by, and what stands at the axis."""

_PLAIN = {**AXES, "time": "time"}

PER_STEP = re.compile(r"(?:.*[./])?tokens_per_(?:step|batch|update|iteration)|batch_tokens")
"""Keys of a config that say how many tokens a step takes."""

_BATCH = re.compile(r".*(?:tokens_per_batch|batch_tokens)")
# Where a step takes several batches, who can say of which a key with "batch" in it tells?
_ACCUMULATION = re.compile(r"(?:.*[./])?[^./]*(?:accum|grad(?:ient)?_acc)[^./]*")

_MOST = 1e18

# A time is in seconds, unless its name ends like this.
_UNITS = {"_ms": 1e-3, "_min": 60.0, "_minutes": 60.0, "_h": 3600.0, "_hours": 3600.0}
# Seconds above this are a clock's, counted from 1970; above those, its smaller units.
_CLOCK = 1e8
_CLOCK_UNITS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))
# No clock shows this, which is in the year 2286: such a number is of a unit that nobody named.
_NO_CLOCK = 1e10


@dataclass(frozen=True)
class Alignment:
    """Where the steps of a run lie on an axis.

    Attributes
    ----------
    axis : str
        A key of `AXES`.
    step : numpy.ndarray, shape (n,), int64
        Steps whose place is known.
    x : numpy.ndarray, shape (n,), float64
        Their places: tokens, floating-point operations, or seconds.
    metric : str
        From which they are; empty where it is the step.
    said : str
        How they were had, where that is more than reading them.
    reason : str
        Why there are none; empty where there are.
    zero, unit : float
        A place is what was logged, less `zero`, times `unit`.
    """

    axis: str
    step: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    x: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    metric: str = ""
    said: str = ""
    reason: str = ""
    zero: float = 0.0
    unit: float = 1.0

    def at(self, steps: ArrayLike) -> NDArray[np.float64]:
        """Return the places of some steps of the run, NaN where none was logged at that step.

        What follows from the step alone has a place for each, be there a row or not.
        """
        wanted = np.asarray(steps, dtype=np.int64)
        if not self.metric and not self.reason:
            return np.multiply(wanted, self.unit)
        found = np.full(len(wanted), np.nan)
        if len(self.step):
            near = np.minimum(np.searchsorted(self.step, wanted), len(self.step) - 1)
            there = self.step[near] == wanted
            found[there] = self.x[near[there]]
        return found

    def of(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the places of rows that a restart superseded, NaN where none was logged.

        Parameters
        ----------
        rows : pandas.DataFrame
            Indexed by step, with the metrics that were logged.
        """
        if self.reason or (self.metric and self.metric not in rows.columns):
            return np.full(len(rows), np.nan)
        logged = rows[self.metric] if self.metric else rows.index
        x = (logged.to_numpy(np.float64) - self.zero) * self.unit
        return np.full(len(rows), np.nan) if _back(x) is not None else x


def align(run: Run, axis: str) -> Alignment:
    """Place the steps of a run on an axis, from what it logged alone.

    Parameters
    ----------
    run : Run
    axis : {"step", "tokens", "flops", "time"}

    Returns
    -------
    Alignment
        Tokens are those of the metric that plays the role; where none was logged and the config
        says how many a step takes, that many for each step, which is said; epochs, row numbers and
        calls of a logger are no steps. Times are in seconds; those of a clock count from the first
        row.

    Raises
    ------
    ValueError
        If there is no such axis.
    """
    if axis not in AXES:
        raise ValueError(f"axis is {axis!r}; it must be one of: {', '.join(AXES)}.")
    if axis == "step":
        steps = run.index.to_numpy(np.int64)
        return Alignment(axis, steps, steps.astype(np.float64))
    series = run.role(axis)
    metric = run.roles.get(axis) if series is not None and len(series) else None
    if metric is None and axis == "tokens" and (stated := _stated(run)):
        key, each = stated
        if counted := {origin.counts for origin in run.origins if origin.rows} - {"step"}:
            rows = f"its rows are counted by {', '.join(sorted(counted))}"
            return Alignment(
                axis, reason=f"It did not log tokens; {key!r} is of a step, and {rows}."
            )
        steps = run.index.to_numpy(np.int64)
        said = f"the step times {each:,.0f}, which its config states as {key!r}"
        return Alignment(axis, steps, np.multiply(steps, each), said=said, unit=each)
    # What is called like a total plays no role where it falls; it is the reason then.
    metric = metric or recognise(run.metrics).get(axis)
    if metric is None:
        return Alignment(axis, reason=f"It did not log {_PLAIN[axis]}.")
    return _placed(run, axis, metric)


def _placed(run: Run, axis: str, metric: str) -> Alignment:
    series = run.column(metric)
    series = series[np.isfinite(series.to_numpy(np.float64))]
    logged, steps = series.to_numpy(np.float64), series.index.to_numpy(np.int64)
    if not len(logged):
        return Alignment(axis, reason=f"It did not log {_PLAIN[axis]}.")
    why = _why_not(axis, logged, steps)
    zero, unit, said = _seconds(metric, logged) if axis == "time" else (0.0, 1.0, "")
    why = why or ("" if said is not None else _UNCLEAR)
    if why:
        return Alignment(axis, reason=f"Its metric {metric!r} {why}.")
    x = np.multiply(logged - zero, unit)
    return Alignment(axis, steps, x, metric, said or "", "", zero, unit)


def _why_not(axis: str, logged: NDArray[np.float64], steps: NDArray[np.int64]) -> str:
    """Return why these do not count something since the start; empty where they do."""
    no_count = f"so it does not count {_PLAIN[axis]} since the start"
    back = _back(logged)
    if back is not None:
        return f"goes back at step {steps[back]:,}, {no_count}"
    return f"never grows, {no_count}" if len(logged) > 1 and logged[0] == logged[-1] else ""


def _back(x: NDArray[np.float64]) -> int | None:
    """Return the first place that is below one before it."""
    finite = np.flatnonzero(np.isfinite(x))
    back = np.flatnonzero(np.diff(x[finite]) < 0)
    return int(finite[back[0] + 1]) if len(back) else None


def _stated(run: Run) -> tuple[str, float] | None:
    """Return the key of the config that says how many tokens a step takes, and the number."""
    config = flat_config(run.config)
    accumulated = any(
        _ACCUMULATION.fullmatch(key) and str(value) not in ("1", "1.0", "None", "False")
        for key, value in config.items()
    )
    stated = {
        key: float(value)
        for key, value in config.items()
        if PER_STEP.fullmatch(key)
        and not (accumulated and _BATCH.fullmatch(key))
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 < value < _MOST
    }
    return next(iter(stated.items())) if len(set(stated.values())) == 1 and len(run.index) else None


_UNCLEAR = (
    "is no time whose unit can be told: it is neither one clock from the first row to the last nor "
    "the time since the start"
)


def _seconds(metric: str, x: NDArray[np.float64]) -> tuple[float, float, str | None]:
    """Return where times begin, their unit in seconds, and what was done to them.

    The last is None where it cannot be told: rows of one metric from two places may hold a clock
    here and the time since the start there.
    """
    ending = next((end for end in _UNITS if metric.lower().endswith(end)), "")
    guessed = next((unit for above, unit in _CLOCK_UNITS if x[0] > above), 1.0)
    unit = _UNITS.get(ending, guessed)
    first, last = float(x[0]) * unit, float(x[-1]) * unit
    if (first > _CLOCK) != (last > _CLOCK) or last > _NO_CLOCK:
        return 0.0, 1.0, None
    if first > _CLOCK:
        return float(x[0]), unit, "a clock, counted from the first row"
    return 0.0, unit, f"{ending[1:]} as seconds" if ending else ""
