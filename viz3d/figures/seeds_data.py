"""The numbers of the seeds chart: groups of runs, their means, and how the groups compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.roles import HIGHER_IS_BETTER
from viz3d.analysis.seeds import SeedGroups, group_seeds
from viz3d.analysis.statistics import Comparison, compare, holm
from viz3d.errors import BadArgument, ChartError, MissingMetric
from viz3d.figures.frame import WIDE, Frame, Range, skewed, span
from viz3d.figures.needs import RECORD, WORDS, as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.seeds_groups import Group, by_hand, curve, found_by_seed, make_group, steps_to
from viz3d.run import Run

KIND = "seeds"
TITLE = "Seeds"

MOST_GROUPS = 50
"""Groups one chart takes; more could not be told apart, and would not fit."""

MOST = 0.98
"""The axis of the metric holds this share of the values; see `ROOM`."""

ROOM = 0.3
"""It reaches this share of its length beyond them, or to the last value."""

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]


@dataclass(frozen=True)
class SeedsResult:
    """Everything that the chart draws and says.

    Attributes
    ----------
    metric : str
        Role or metric.
    groups : tuple of Group
    by_hand : bool
        Whether the groups were given, not found.
    baseline : str
        Title of the group that the others are compared with.
    comparisons : mapping of {title: Comparison}
        Each other group less the baseline.
    holm : mapping of {title: float or None}
        Their p values, corrected for there being several.
    target : float
        NaN where there is none.
    target_is_baseline : bool
        Whether the target is the mean at which the baseline ended.
    lower_is_better : bool
    frame : Frame
    unknown, repeated : tuple of str
        As in `viz3d.analysis.seeds.SeedGroups`.
    unused : tuple of str
        Runs without the metric.
    settings, origins : as in every chart
    """

    metric: str
    groups: tuple[Group, ...]
    by_hand: bool
    baseline: str
    comparisons: Mapping[str, Comparison]
    holm: Mapping[str, float | None]
    target: float
    target_is_baseline: bool
    lower_is_better: bool
    frame: Frame
    unknown: tuple[str, ...]
    repeated: tuple[str, ...]
    unused: tuple[str, ...]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]


Chosen = Run | Sequence[Run] | Mapping[str, Sequence[Run]]


def compute(
    runs: Chosen, *, metric: str = "loss", target: float | None = None, baseline: str | None = None
) -> SeedsResult:
    """Group runs by seed, join each group on the step and compare the groups.

    Parameters
    ----------
    runs : Run, sequence of Run, or mapping of {title: sequence of Run}
        A mapping is groups by hand; else the runs that differ only in their seed are a group.
    metric : str
        Role or metric.
    target : float, optional
        For the steps to a target; by default where the baseline ended.
    baseline : str, optional
        Title of the group that the others are compared with, or a run in it; by default the first
        group of several runs.

    Raises
    ------
    MissingMetric
        If no run logged the metric.
    ChartError
        If there are no runs, or too many groups.
    BadArgument
        If no group is or holds the baseline, or a run stands in two groups.
    """
    given = [run for group in runs.values() for run in group] if isinstance(runs, Mapping) else runs
    chosen = as_runs(given, TITLE)
    curves = {id(run): curve(run, metric) for run in chosen}
    has = {key for key, (step, _) in curves.items() if len(step)}
    if not has:
        raise _missing(chosen, metric)
    # A run without the metric must not stand in for one with the same seed.
    used = [run for run in chosen if id(run) in has]
    found = SeedGroups(()) if isinstance(runs, Mapping) else group_seeds(used)
    titled = by_hand(runs, used) if isinstance(runs, Mapping) else found_by_seed(found)
    groups = [
        make_group(title, [(run.name, *curves[id(run)]) for run in runs], keys)
        for title, runs, keys in titled
    ]
    if len(groups) > MOST_GROUPS:
        raise ChartError(
            f"{TITLE} was given {len(groups):,} groups of runs and takes at most {MOST_GROUPS}; "
            "choose fewer runs."
        )
    base = _baseline(groups, baseline)
    lower = not _is_higher_better(chosen, metric)
    goal = base.final.mean if target is None else float(target)
    groups = [replace(group, reached=steps_to(group, goal, lower=lower)) for group in groups]
    against = {g.title: compare(g.ends, base.ends) for g in groups if g.title != base.title}
    corrected = holm([one.p for one in against.values()])
    names = {title: [run.name for run in runs] for title, runs, _ in titled}
    return SeedsResult(
        metric=metric,
        groups=tuple(groups),
        by_hand=isinstance(runs, Mapping),
        baseline=base.title,
        comparisons=against,
        holm=dict(zip(against, corrected, strict=True)),
        target=goal,
        target_is_baseline=target is None,
        lower_is_better=lower,
        frame=_frame([member.value for group in groups for member in group.members], groups),
        unknown=found.unknown,
        repeated=found.repeated,
        unused=tuple(run.name for run in chosen if id(run) not in has),
        settings={"metric": metric, "target": target, "baseline": base.title, "groups": names},
        origins=origins([run for _, runs, _ in titled for run in runs]),
    )


def compute_each(groups: Sequence[Chosen], **settings: Any) -> list[SeedsResult]:
    """Compute several selections, each by itself."""
    return [compute(group, **settings) for group in groups]


def _is_higher_better(runs: Sequence[Run], metric: str) -> bool:
    """Whether more is better of a role or metric; of what plays no role less is."""
    names = {run.roles.get(role) for run in runs for role in HIGHER_IS_BETTER}
    return metric in HIGHER_IS_BETTER or metric in names


def _baseline(groups: Sequence[Group], wanted: str | None) -> Group:
    if wanted is None:
        return max(groups, key=lambda group: len(group.members) > 1)
    for group in groups:
        if wanted == group.title or wanted in [member.run for member in group.members]:
            return group
    known = ", ".join(repr(group.title) for group in groups)
    raise BadArgument(f"There is no group {wanted!r} to compare with; choose one of: {known}.")


def _frame(curves: Sequence[Floats], groups: Sequence[Group]) -> Frame:
    """Axes that hold nearly all values; a spike or a diverged run must not flatten the rest."""
    values = np.concatenate(curves)
    values = values[np.isfinite(values)]
    x = span(*[member.step for group in groups for member in group.members])
    if not len(values):
        return Frame(x=x)
    log = skewed(values, WIDE)
    return Frame(x=x, z=_range(values, log=log), log=log)


def _range(values: Floats, *, log: bool) -> Range:
    low, high = np.quantile(np.log10(values) if log else values, [1 - MOST, MOST])
    room = ROOM * (high - low)
    ends = np.array([low - room, high + room])
    # Cut in data units: a logarithm and back is off by a rounding error.
    with np.errstate(over="ignore"):
        low, high = np.clip(10**ends if log else ends, values.min(), values.max())
    return float(low), float(high)


def _missing(runs: Sequence[Run], metric: str) -> MissingMetric:
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    remedy = RECORD.get(metric) or (
        f"Record it with `viz3d.Recorder(path).log(step, {metric}=...)`, or choose another metric."
    )
    return MissingMetric(TITLE, WORDS.get(metric, metric), metrics, remedy)
