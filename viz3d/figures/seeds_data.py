"""The numbers of the seeds chart: groups of runs, their means, and how the groups compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.events import logged
from viz3d.analysis.seeds import Joined, SeedGroups, group_seeds, join_seeds
from viz3d.analysis.statistics import (
    Comparison,
    Final,
    Interval,
    Reached,
    compare,
    final_window,
    holm,
    mean_interval,
    reached,
    steps_to_target,
)
from viz3d.errors import BadArgument, ChartError, MissingMetric
from viz3d.figures.frame import Frame, Range, span
from viz3d.figures.needs import RECORD, WORDS, as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.text import SEPARATOR, unique_names
from viz3d.run import Run

KIND = "seeds"
TITLE = "Seeds"

MOST_GROUPS = 50
"""Groups one chart takes; more could not be told apart, and would not fit."""

MOST = 0.98
"""The axis of the metric holds this share of the values; see `ROOM`."""

ROOM = 0.3
"""It reaches this share of its length beyond them, or to the last value."""

SKEW = 10.0
"""The axis is logarmithic when the 95 % quantile is above this many times the 5 % one."""

HIGHER = frozenset({"reward", "accuracy", "tokens_per_second", "mfu"})
"""Roles of which more is better; of everything else less is."""

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]


@dataclass(frozen=True)
class Member:
    """One run of a group: its curve, NaN and infinities included, and its end."""

    run: str
    step: Steps
    value: Floats
    final: Final


@dataclass(frozen=True)
class Group:
    """Runs that are taken as repetitions of one another.

    Attributes
    ----------
    title : str
    members : tuple of Member
    joined : Joined
        Empty for a single run.
    final : Interval
        Mean of the members' final means, and the interval over seeds.
    reached : Reached
        Steps to the target.
    ignored : tuple of str
        Settings in which the members differ.
    """

    title: str
    members: tuple[Member, ...]
    joined: Joined
    final: Interval
    reached: Reached
    ignored: tuple[str, ...] = ()

    @property
    def ends(self) -> Floats:
        """Final mean of each member; NaN for one that has none."""
        return np.array([member.final.mean for member in self.members])


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
    origins: tuple[Mapping[str, str], ...]


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
    by_hand = isinstance(runs, Mapping)
    given = [run for group in runs.values() for run in group] if isinstance(runs, Mapping) else runs
    chosen = as_runs(given, TITLE)
    found = SeedGroups(()) if by_hand else group_seeds(chosen)
    titled = _by_hand(runs, chosen) if isinstance(runs, Mapping) else _titled(found)
    used = [run for run in chosen if len(_curve(run, metric)[0])]
    if not used:
        raise _missing(chosen, metric)
    groups = [made for group in titled if (made := _group(*group, metric)) is not None]
    if len(groups) > MOST_GROUPS:
        raise ChartError(
            f"{TITLE} was given {len(groups):,} groups of runs and takes at most {MOST_GROUPS}; "
            "choose fewer runs."
        )
    base = _baseline(groups, baseline)
    lower = metric not in HIGHER
    goal = base.final.mean if target is None else float(target)
    groups = [replace(group, reached=_reached(group, goal, lower=lower)) for group in groups]
    against = {g.title: compare(g.ends, base.ends) for g in groups if g.title != base.title}
    corrected = holm([one.p for one in against.values()])
    names = {title: [run.name for run in runs] for title, runs, _ in titled}
    return SeedsResult(
        metric=metric,
        groups=tuple(groups),
        by_hand=by_hand,
        baseline=base.title,
        comparisons=against,
        holm=dict(zip(against, corrected, strict=True)),
        target=goal,
        target_is_baseline=target is None,
        lower_is_better=lower,
        frame=_frame([member.value for group in groups for member in group.members], groups),
        unknown=found.unknown,
        repeated=found.repeated,
        unused=tuple(run.name for run in chosen if not len(_curve(run, metric)[0])),
        settings={"metric": metric, "target": target, "baseline": base.title, "groups": names},
        origins=origins(used),
    )


def compute_each(groups: Sequence[Chosen], **settings: Any) -> list[SeedsResult]:
    """Compute several selections, each by itself."""
    return [compute(group, **settings) for group in groups]


Titled = tuple[str, Sequence[Run], tuple[str, ...]]


def _by_hand(groups: Mapping[str, Sequence[Run]], chosen: Sequence[Run]) -> list[Titled]:
    if len({id(run) for run in chosen}) < len(chosen):
        raise BadArgument("A run stands in two groups or twice in one; give each run one place.")
    return [(title, runs, ()) for title, runs in groups.items() if runs]


def _titled(found: SeedGroups) -> list[Titled]:
    titles = unique_names([_title([run.name for run in g.runs]) for g in found.groups])
    return [(t, g.runs, g.ignored) for t, g in zip(titles, found.groups, strict=True)]


def _title(names: Sequence[str]) -> str:
    """Return what the names have in common with a star for the rest: ``lr-0.003-seed-*``."""
    if len(names) == 1:
        return names[0]
    words = [SEPARATOR.split(name) for name in names]
    head, tail = _common(words), _common([part[::-1] for part in words])
    tail = min(tail, min(map(len, words)) - head)
    before = "".join(words[0][:head])
    after = "".join(words[0][len(words[0]) - tail :])
    if not any(character.isalnum() for character in before + after):
        return f"{names[0]} and {len(names) - 1} more"
    return f"{before}*{after}"


def _common(words: Sequence[Sequence[str]]) -> int:
    """Leading words that all lists share."""
    columns = zip(*words, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))


def _curve(run: Run, metric: str) -> tuple[Steps, Floats]:
    """Return steps and values of a role or metric, empty where the run never logged it."""
    column = run.roles.get(metric, metric)
    if column not in run.history.columns:
        return np.empty(0, dtype=np.int64), np.empty(0)
    return logged(run, column)


def _group(title: str, runs: Sequence[Run], ignored: tuple[str, ...], metric: str) -> Group | None:
    members = []
    for run in runs:
        step, value = _curve(run, metric)
        final = final_window(step, value)
        if final is not None:
            members.append(Member(run.name, step, value, final))
    if not members:
        return None
    joined = join_seeds([(member.step, member.value) for member in members])
    ends = mean_interval([member.final.mean for member in members])
    return Group(title, tuple(members), joined, ends, Reached((), None), ignored)


def _baseline(groups: Sequence[Group], wanted: str | None) -> Group:
    if wanted is None:
        return max(groups, key=lambda group: len(group.members) > 1)
    for group in groups:
        if wanted == group.title or wanted in [member.run for member in group.members]:
            return group
    known = ", ".join(repr(group.title) for group in groups)
    raise BadArgument(f"There is no group {wanted!r} to compare with; choose one of: {known}.")


def _reached(group: Group, target: float, *, lower: bool) -> Reached:
    steps = [steps_to_target(m.step, m.value, target, lower=lower) for m in group.members]
    return reached(steps, [int(member.step[-1]) for member in group.members])


def _frame(curves: Sequence[Floats], groups: Sequence[Group]) -> Frame:
    """Axes that hold nearly all values; a spike or a diverged run must not flatten the rest."""
    values = np.concatenate(curves)
    values = values[np.isfinite(values)]
    x = span(*[member.step for group in groups for member in group.members])
    if not len(values):
        return Frame(x=x)
    low, high = np.quantile(values, [0.05, 0.95])
    log = bool(values.min() > 0 and high > SKEW * low)
    return Frame(x=x, z=_range(np.log10(values) if log else values, log=log), log=log)


def _range(values: Floats, *, log: bool) -> Range:
    low, high = np.quantile(values, [1 - MOST, MOST])
    room = ROOM * (high - low)
    low, high = max(low - room, values.min()), min(high + room, values.max())
    return (float(10**low), float(10**high)) if log else (float(low), float(high))


def _missing(runs: Sequence[Run], metric: str) -> MissingMetric:
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    remedy = RECORD.get(metric) or (
        f"Record it with `viz3d.Recorder(path).log(step, {metric}=...)`, or choose another metric."
    )
    return MissingMetric(TITLE, WORDS.get(metric, metric), metrics, remedy)
