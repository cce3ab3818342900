"""Groups of runs: found by their seed or made by hand, each with its mean and its ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.events import logged
from viz3d.analysis.final import Final, final_window
from viz3d.analysis.seeds import Joined, SeedGroups, differing_settings, join_seeds
from viz3d.analysis.statistics import Interval, mean_interval
from viz3d.analysis.target import Reached, reached, steps_to_target
from viz3d.errors import BadArgument
from viz3d.figures.text import SEPARATOR, unique_names
from viz3d.run import Run

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]
Titled = tuple[str, Sequence[Run], tuple[str, ...]]
"""Title, runs, and the settings in which they differ."""


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
    differing : tuple of str
        Settings in which the members differ: for groups that were found seeds and names, for those
        by hand all but these.
    """

    title: str
    members: tuple[Member, ...]
    joined: Joined
    final: Interval
    reached: Reached
    differing: tuple[str, ...] = ()

    @property
    def ends(self) -> Floats:
        """Final mean of each member; NaN for one that has none."""
        return np.array([member.final.mean for member in self.members])


def by_hand(groups: Mapping[str, Sequence[Run]], used: Sequence[Run]) -> list[Titled]:
    """Return the groups that were given, with the runs that are `used`, without empty ones.

    Raises
    ------
    BadArgument
        If a run is there twice.
    """
    given = [id(run) for runs in groups.values() for run in runs]
    if len(set(given)) < len(given):
        raise BadArgument("A run stands in two groups or twice in one; give each run one place.")
    known = {id(run) for run in used}
    kept = {title: [run for run in runs if id(run) in known] for title, runs in groups.items()}
    return [(t, runs, differing_settings(runs, seeds=False)) for t, runs in kept.items() if runs]


def found_by_seed(found: SeedGroups) -> list[Titled]:
    """Return the groups that were found, under what the names of their runs have in common."""
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


def curve(run: Run, metric: str) -> tuple[Steps, Floats]:
    """Return steps and values of a role or metric, empty where the run never logged it."""
    column = run.roles.get(metric, metric)
    if column not in run.metrics:
        return np.empty(0, dtype=np.int64), np.empty(0)
    return logged(run, column)


def make_group(
    title: str, curves: Sequence[tuple[str, Steps, Floats]], differing: tuple[str, ...]
) -> Group:
    """Join runs, given as (name, step, value) with a row or more; without steps to a target."""
    members = [
        Member(name, step, value, final)
        for name, step, value in curves
        if (final := final_window(step, value)) is not None
    ]
    joined = join_seeds([(member.step, member.value) for member in members])
    ends = mean_interval([member.final.mean for member in members])
    return Group(title, tuple(members), joined, ends, Reached((), None), differing)


def steps_to(group: Group, target: float, *, lower: bool) -> Reached:
    """Return the steps that the members take to a target."""
    steps = [steps_to_target(m.step, m.value, target, lower=lower) for m in group.members]
    return reached(steps, [int(member.step[-1]) for member in group.members])
