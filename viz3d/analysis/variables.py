"""Choose the metrics that can span the space in which runs are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from viz3d.analysis.quantities import named_metrics
from viz3d.analysis.resample import Series, coverage
from viz3d.run import Run

COVERED = 0.9
"""A metric must reach over this share of a run's steps, for it is not continued past its ends."""

LARGEST = 1e100
"""Above this the squares of a metric, and with them the components, leave the range of floats."""

FILLED = 0.5
"""At least this share of the bins must hold a row; the rest is interpolated."""


@dataclass(frozen=True)
class Variables:
    """Usable metrics of each run.

    Attributes
    ----------
    series : tuple of mapping of str to Series
        One mapping per run, all with the same names, sorted.
    dropped : mapping of str to str
        Metrics left out, with the reason.
    """

    series: tuple[Mapping[str, Series], ...]
    dropped: Mapping[str, str]


def choose_variables(runs: Sequence[Run], m: int) -> Variables:
    """Return the metrics that every run logged well enough.

    A metric goes by its role where it has one, so that ``loss`` and ``train/loss`` of two runs
    meet.

    Parameters
    ----------
    runs : sequence of Run
    m : int
        Bins on which the metrics will be resampled.
    """
    series = [_series(run) for run in runs]
    spans = [_span(run) for run in runs]
    names = sorted({name for found in series for name in found})
    reasons = {name: _why_not(name, series, spans, m) for name in names}
    used = [name for name in names if not reasons[name]]
    return Variables(
        series=tuple({name: found[name] for name in used} for found in series),
        dropped={name: reason for name, reason in reasons.items() if reason},
    )


def _series(run: Run) -> dict[str, Series]:
    """Finite values of every metric, under its role or its own name."""
    found = {}
    for name, metric in named_metrics(run).items():
        column = run.column(metric)
        finite = column[np.isfinite(column.to_numpy(np.float64))]
        if len(finite):
            step = finite.index.to_numpy(np.float64)
            found[name] = Series(step, finite.to_numpy(np.float64))
    return found


def _span(run: Run) -> tuple[float, float]:
    return float(run.index[0]), float(run.index[-1])


def _why_not(
    name: str,
    series: Sequence[Mapping[str, Series]],
    spans: Sequence[tuple[float, float]],
    m: int,
) -> str:
    """Return why a metric cannot be used; empty if it can."""
    if not all(name in found for found in series):
        return "not logged by every chosen run"
    each = [found[name] for found in series]
    return _unfit(each) or _sparse(each, spans, m)


def _unfit(each: Sequence[Series]) -> str:
    """Return why the values of a metric cannot be used; empty if they can."""
    if any(np.abs(one.value).max() > LARGEST for one in each):
        return f"holds values beyond {LARGEST:g}, too large to compute with"
    if all(_constant(one) for one in each) and len({float(one.value[0]) for one in each}) == 1:
        return "constant"
    if all(_counter(one) for one in each):
        return "only ever rises or only ever falls, as a counter does"
    return ""


def _sparse(each: Sequence[Series], spans: Sequence[tuple[float, float]], m: int) -> str:
    """Return where rows of a metric are missing; empty if there are enough."""
    for one, (low, high) in zip(each, spans, strict=True):
        if one.step[-1] - one.step[0] < COVERED * (high - low):
            return f"logged over less than {100 * COVERED:.0f} % of a run's steps"
        if coverage(one.step, low, high, m) < FILLED:
            return f"more than {100 * (1 - FILLED):.0f} % of a run's stretches hold no row of it"
    return ""


def _constant(series: Series) -> bool:
    return bool(np.ptp(series.value) < 1e-12)


def _counter(series: Series) -> bool:
    change = np.diff(series.value)
    return len(change) > 0 and bool(np.all(change > 0) or np.all(change < 0))
