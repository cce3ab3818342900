"""Several groups of runs side by side, and tables of how runs differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from viz3d.analysis.configs import flat_config
from viz3d.analysis.quantities import named_metrics
from viz3d.analysis.seeds import differing_settings
from viz3d.errors import BadArgument
from viz3d.figures.frame import union
from viz3d.figures.kinds import TWO_SIDES, module_of
from viz3d.figures.text import unique_names
from viz3d.run import Run

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart

NOT_SET = "not set"
"""What stands where a run's configuration lacks a key that others have."""


def side_by_side(groups: Sequence[Sequence[Run]], kind: str, **settings: Any) -> list[Chart]:
    """Make one chart for each group, all on one colour scale and the same axes.

    Parameters
    ----------
    groups : sequence of sequence of Run
        The runs of each panel.
    kind : str
        A key of `viz3d.figures.kinds.KINDS`.
    **settings
        Those of the chart.

    Returns
    -------
    list of Chart
        In the order of the groups.

    Raises
    ------
    BadArgument
        If the kind is unknown, or a difference.
    ChartError
        If a group does not hold what the chart needs.
    """
    module = module_of(kind)
    if kind == TWO_SIDES:
        raise BadArgument(f"A {kind} is of two groups already; choose another chart for panels.")
    results = module.compute_each(groups, **settings)
    frame = union([result.frame for result in results])
    return [module.finish(result, frame) for result in results]


def config_diff(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the settings in which runs differ.

    Parameters
    ----------
    runs : sequence of Run

    Returns
    -------
    pandas.DataFrame
        One row per key that differs (nested keys as ``outer.inner``), sorted; one column per run.
        A key that a run lacks reads "not set", which is the same as None.
    """
    flat = [flat_config(run.config) for run in runs]
    keys = sorted(differing_settings(runs))
    differing = {key: [config.get(key, NOT_SET) for config in flat] for key in keys}
    # As objects, or a seed of 2 beside a rate of 0.1 would read 2.0.
    columns = column_names(runs)
    return pd.DataFrame.from_dict(differing, orient="index", columns=columns, dtype=object)


def final_metrics(runs: Sequence[Run], baseline: int = 0) -> pd.DataFrame:
    """Return the last finite value of every metric, and its difference from the baseline's.

    Parameters
    ----------
    runs : sequence of Run
    baseline : int
        Position of the run that the others are compared with.

    Returns
    -------
    pandas.DataFrame
        One row per role, then per metric without one, in the order first met; for each run a
        column, and for each but the baseline its difference from it, and that in percent of the
        baseline's size: it has the sign of the difference, for a negative baseline too. NaN where
        a run has no finite value; percent also where the baseline is 0. The time of the last step
        is left out: it is no result.

    Raises
    ------
    ValueError
        If there is no run at `baseline`.
    """
    if not 0 <= baseline < len(runs):
        raise ValueError(f"baseline is {baseline}, and there are {len(runs)} runs, from 0.")
    last = [_last(run) for run in runs]
    names = list(dict.fromkeys(name for values in last for name in values))
    names.sort(key=lambda name: not any(name in run.roles for run in runs))
    columns = column_names(runs)
    table = pd.DataFrame(
        {c: [v.get(name, np.nan) for name in names] for c, v in zip(columns, last, strict=True)},
        index=pd.Index(names, name="metric"),
        dtype=np.float64,
    )
    base = table[columns[baseline]]
    for column in columns[:baseline] + columns[baseline + 1 :]:
        difference = table[column] - base
        table[f"{column} (difference)"] = difference
        table[f"{column} (percent)"] = 100 * difference / base.abs().where(base != 0)
    return table


def column_names(runs: Sequence[Run]) -> list[str]:
    """Return the runs' names, with the source and then a number where they are not unique."""
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = [f"{run.name} ({run.source})" for run in runs]
    return unique_names(names)


def _last(run: Run) -> dict[str, float]:
    """Last finite value of each metric but the time, under its role or its own name."""
    found = {}
    for name, metric in named_metrics(run).items():
        values = run.column(metric).to_numpy(np.float64)
        finite = values[np.isfinite(values)]
        if len(finite) and metric != run.roles.get("time"):
            found[name] = float(finite[-1])
    return found
