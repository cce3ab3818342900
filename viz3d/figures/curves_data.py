"""The numbers of the curves chart: a metric of each run along step, tokens, FLOPs or time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from viz3d.analysis.alignment import Alignment, align
from viz3d.analysis.quantities import metric_of
from viz3d.figures.along import LeftOut, check_along, nowhere
from viz3d.figures.frame import WIDE, Frame, skewed, span
from viz3d.figures.needs import as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.text import Drawn, in_words, safe, short_names
from viz3d.figures.tidy import Part, columns_for, stack
from viz3d.run import Run

KIND, TITLE = "curves", "Curves"


@dataclass(frozen=True)
class Curve:
    """One run.

    Attributes
    ----------
    run, label : str
    step : ndarray of int64, shape (n,)
    x, value : ndarray of float64, shape (n,)
        Sorted by step; `value` is finite.
    places : Alignment
        Where all steps of the run lie.
    unplaced : int
        Finite values at steps whose place on the axis was not logged; they are not drawn.
    bad : int
        Values logged as NaN or infinity, which have no height.
    """

    run: str
    label: Drawn
    step: NDArray[np.int64]
    x: NDArray[np.float64]
    value: NDArray[np.float64]
    places: Alignment
    unplaced: int
    bad: int


@dataclass(frozen=True)
class CurvesResult:
    """Curves on one axis.

    Attributes
    ----------
    along : str
        A key of `viz3d.analysis.alignment.AXES`.
    metric : str
        Role or metric.
    curves : tuple of Curve
    left_out : tuple of (str, str)
        Runs that have no place on the axis or not the metric, each with the reason.
    settings, origins : as in every chart
    """

    along: str
    metric: str
    curves: tuple[Curve, ...]
    left_out: LeftOut
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]

    @property
    def frame(self) -> Frame:
        """Range of both axes."""
        values = np.concatenate([curve.value for curve in self.curves])
        x = span(*(curve.x for curve in self.curves))
        return Frame(x=x, z=span(values), log=skewed(values, WIDE))

    @property
    def common(self) -> float:
        """How far along the axis all of them came."""
        return min(float(curve.x[-1]) for curve in self.curves)


def compute(
    runs: Run | Sequence[Run], *, metric: str = "loss", along: str = "step"
) -> CurvesResult:
    """Place a metric of each run on one axis.

    Parameters
    ----------
    runs : Run or sequence of Run
    metric : str
        Role or metric.
    along : {"step", "tokens", "flops", "time"}

    Raises
    ------
    BadArgument
        If there is no such axis.
    ChartError
        If no run logged both the metric and its place on the axis.
    """
    check_along(along)
    chosen = as_runs(runs, TITLE)
    made = [(run, _curve(run, metric, along)) for run in chosen]
    used = [(run, curve) for run, curve in made if isinstance(curve, Curve)]
    left_out = tuple((run.name, why) for run, why in made if isinstance(why, str))
    if not used:
        lacks = along if any(metric_of(run, metric) for run in chosen) else metric
        raise nowhere(along, metric, left_out, lacks)
    labels = [safe(name, 40) for name in short_names([run.name for run, _ in used])]
    return CurvesResult(
        along=along,
        metric=metric,
        curves=tuple(
            replace(curve, label=label) for (_, curve), label in zip(used, labels, strict=True)
        ),
        left_out=left_out,
        settings={"metric": metric, "along": along},
        origins=origins([run for run, _ in used]),
    )


def compute_each(groups: Sequence[Sequence[Run]], **settings: Any) -> list[CurvesResult]:
    """Compute several groups, each by itself."""
    return [compute(group, **settings) for group in groups]


def _curve(run: Run, metric: str, along: str) -> Curve | str:
    """Return the curve of a run, or why it has none."""
    column = metric_of(run, metric)
    if column is None:
        return f"It did not log {in_words(metric)}."
    places = align(run, along)
    if places.reason:
        return places.reason
    logged = run.column(column).dropna()
    values = logged[np.isfinite(logged.to_numpy())]
    odd = run.nonfinite
    bad = 0 if odd is None else int((odd["metric"] == column).sum())
    x = places.at(values.index)
    there = np.isfinite(x)
    if not there.any():
        return (
            f"It has no finite {in_words(metric)} at a step whose place along the axis it logged."
        )
    return Curve(
        run=run.name,
        label="",  # told once all runs are known
        step=values[there].index.to_numpy(np.int64),
        x=x[there],
        value=values[there].to_numpy(),
        places=places,
        unplaced=int((~there).sum()),
        bad=bad,
    )


def tidy(result: CurvesResult) -> pd.DataFrame:
    """Return the part ``curve``: run, step, the place along the axis, and the metric."""
    names = [] if result.along == "step" else [result.along]
    *places, metric = columns_for([*names, result.metric])
    parts: list[Part] = [
        (
            "curve",
            {"run": c.run, "step": c.step, **dict.fromkeys(places, c.x), metric: c.value},
        )
        for c in result.curves
    ]
    return stack(parts)
