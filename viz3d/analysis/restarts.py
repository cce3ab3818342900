"""Find where a log went back and logged steps again."""

from __future__ import annotations

import numpy as np

from viz3d.analysis.event import Event
from viz3d.run import Run


def restarts(run: Run, metric: str) -> list[Event]:
    """Return one event for each attempt that a restart cut short, at the first superseded step.

    Parameters
    ----------
    run : Run
    metric : str
        A column of the run's history.
    """
    if run.attempts is None or metric not in run.attempts.columns:
        return []
    found = []
    for _, rows in run.attempts.dropna(subset=[metric]).groupby("attempt"):
        first = int(rows["step"].min())
        value = float(run.column(metric).get(first, np.nan))
        found.append(
            Event(
                kind="restart",
                metric=metric,
                step=first,
                last_step=int(rows["step"].max()),
                rows=len(rows),
                size=float(len(rows)),
                value=value if np.isfinite(value) else None,
            )
        )
    return found
