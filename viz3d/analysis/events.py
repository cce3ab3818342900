"""Find what happened to a metric: spikes, NaN, infinities, divergence, plateaus and restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.breakdowns import divergence, not_finite
from viz3d.analysis.event import Event
from viz3d.analysis.plateaus import plateaus
from viz3d.analysis.restarts import restarts
from viz3d.analysis.roles import HIGHER_IS_BETTER, LOWER_IS_BETTER
from viz3d.analysis.spikes import THRESHOLD, spikes
from viz3d.run import Run

if TYPE_CHECKING:
    import pandas as pd

PROGRESS = LOWER_IS_BETTER | {"reward", "accuracy"}
"""Of these a stretch without progress is an event."""

UPWARDS = LOWER_IS_BETTER | {"grad_norm"}
"""Of these a sudden rise is an event and a single low row is luck; of those for which higher is
better only a sudden drop is one; of all other metrics both are."""


def find_events(run: Run, metric: str, *, threshold: float = THRESHOLD) -> tuple[Event, ...]:
    """Return the events of one metric, by step.

    Divergence is looked for in losses and bits per byte, for another metric may well rise for good.
    Plateaus are looked for where there is such a thing as progress, in rewards and accuracies too.

    Parameters
    ----------
    run : Run
    metric : str
        A column of the run's history.
    threshold : float
        Scatters from the level that make a spike.

    Returns
    -------
    tuple of Event
    """
    step, value = logged(run, metric)
    finite = np.isfinite(value)
    found = [*not_finite(step, value, metric), *restarts(run, metric)]
    step, value = step[finite], value[finite]
    role = next((role for role, name in run.roles.items() if name == metric), "")
    if role in LOWER_IS_BETTER:
        found += divergence(step, value, metric)
    found += spikes(step, value, metric, _direction(role), threshold)
    if role in PROGRESS:
        found += plateaus(step, value, metric)
    return tuple(sorted(found, key=lambda event: (event.step, event.kind)))


def run_events(run: Run) -> tuple[Event, ...]:
    """Return the events of a run's losses, rewards, accuracies and gradient norm, by step."""
    watched = [run.roles[role] for role in sorted(UPWARDS | PROGRESS) if role in run.roles]
    known = [metric for metric in watched if metric in run.metrics]
    found = [event for metric in known for event in find_events(run, metric)]
    return tuple(sorted(found, key=lambda event: event.step))


def _direction(role: str) -> str:
    return "up" if role in UPWARDS else "down" if role in HIGHER_IS_BETTER else "both"


def logged(run: Run, metric: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the steps at which `metric` was logged and its values, NaN and infinities included.

    Unlike the history alone this tells "logged as NaN" from "not logged".

    Returns
    -------
    step : ndarray of int64, shape (n,)
    value : ndarray of float64, shape (n,)
    """
    import pandas as pd

    series = run.column(metric).dropna()
    series = pd.concat([series, _nan_rows(run.nonfinite, metric)])
    series = series[~series.index.duplicated(keep="last")].sort_index()
    return series.index.to_numpy(np.int64), series.to_numpy(np.float64)


def _nan_rows(nonfinite: pd.DataFrame | None, metric: str) -> pd.Series:
    import pandas as pd

    if nonfinite is None or nonfinite.empty:
        return pd.Series([], index=pd.Index([], dtype=np.int64), dtype=np.float64)
    rows = nonfinite[nonfinite["metric"] == metric]
    return pd.Series(
        rows["value"].to_numpy(np.float64), index=pd.Index(rows["step"].to_numpy(np.int64))
    )
