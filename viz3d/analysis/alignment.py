"""What runs are laid side by side along: the step, or tokens, FLOPs or time where they logged it.

Nothing is guessed. A run that did not log the quantity, or logged it in a way that does not grow
with the step, has no place on that axis and a reason why.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.configs import flat_config

if TYPE_CHECKING:
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

# A time is in seconds, unless its name ends like this.
_UNITS = {"_ms": 1e-3, "_min": 60.0, "_minutes": 60.0, "_h": 3600.0, "_hours": 3600.0}
# Seconds above this are a clock's, counted from 1970; above those, its smaller units.
_CLOCK = 1e8
_CLOCK_UNITS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))


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
    """

    axis: str
    step: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    x: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, np.float64))
    metric: str = ""
    said: str = ""
    reason: str = ""


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
        says how many a step takes, that many for each step, which is said. Times are in seconds;
        those of a clock count from the first row.

    Raises
    ------
    ValueError
        If there is no such axis.
    """
    if axis not in AXES:
        raise ValueError(f"axis is {axis!r}; it must be one of: {', '.join(AXES)}.")
    steps = run.history.index.to_numpy(np.int64)
    if axis == "step":
        return Alignment(axis, steps, steps.astype(np.float64))
    series = run.role(axis)
    metric = run.roles.get(axis, "")
    if series is None or not len(series):
        return _configured(run, steps) if axis == "tokens" else _missing(axis)
    x = np.asarray(series, dtype=np.float64)
    finite: NDArray[np.bool_] = np.isfinite(x)
    x, at = x[finite], series.index.to_numpy(np.int64)[finite]
    if not len(x):
        return _missing(axis)
    back = np.flatnonzero(np.diff(x) < 0)
    if len(back) or (len(x) > 1 and x[0] == x[-1]):
        how = f"goes back at step {at[back[0] + 1]:,}" if len(back) else "never grows"
        return Alignment(axis, reason=f"Its metric {metric!r} {how}, so it does not count "
                         f"{_PLAIN[axis]} since the start.")  # fmt: skip
    scaled, said = _seconds(metric, x) if axis == "time" else (x, "")
    return Alignment(axis, at, scaled, metric, said)


def _missing(axis: str) -> Alignment:
    return Alignment(axis, reason=f"It did not log {_PLAIN[axis]}.")


def _configured(run: Run, steps: NDArray[np.int64]) -> Alignment:
    """Count the tokens of each step as the config states them."""
    stated = {
        key: float(value)
        for key, value in flat_config(run.config).items()
        if PER_STEP.fullmatch(key)
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value > 0
    }
    if len(set(stated.values())) != 1 or not len(steps):
        return _missing("tokens")
    key, each = next(iter(stated.items()))
    said = f"the step times {each:,.0f}, which its config states as {key!r}"
    return Alignment("tokens", steps, np.multiply(steps, each), said=said)


def _seconds(metric: str, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """Return times in seconds from the start, and what was done to them."""
    ending = next((end for end in _UNITS if metric.lower().endswith(end)), "")
    guessed = next((unit for above, unit in _CLOCK_UNITS if x[0] > above), 1.0)
    unit = _UNITS.get(ending, guessed)
    if x[0] * unit > _CLOCK:
        return np.subtract(x, x[0]) * unit, "a clock, counted from the first row"
    return x * unit, f"{ending[1:]} as seconds" if ending else ""
