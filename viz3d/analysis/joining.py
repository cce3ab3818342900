"""One run that was found in several places, such as its report in a bucket, its history in W&B."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from viz3d.analysis.configs import flat_config, value_key
from viz3d.analysis.roles import recognise, said_roles
from viz3d.run import Problem, Run

if TYPE_CHECKING:
    import pandas as pd

MOST_NAMED = 5
"""Metrics or settings that a remark names; the number of the rest is said."""


def join_runs(first: Run, *others: Run) -> Run:
    """Join what several places hold of one run, on the logged step.

    Where two of them say something of the same thing, the run that is named first counts: a value
    of a metric at a step, a setting, the report, the layers, a landscape. All that gave way is
    counted in `Run.problems`.

    Parameters
    ----------
    first : Run
        Gives the name.
    *others : Run

    Returns
    -------
    Run
        `Run.origins` holds those of all, so that each series keeps its provenance.
    """
    joined = replace(first, problems=tuple(_placed(first))) if others else first
    for other in others:
        joined = _join(joined, other)
    return joined


def _join(a: Run, b: Run) -> Run:
    history, nonfinite, told = _histories(a, b)
    roles = {**recognise(list(history.columns), history), **said_roles(b), **said_roles(a)}
    names = {grid.name for grid in a.landscapes}
    head = Problem(f"Joined on the step from {a.source!r} and {b.source!r}.")
    return replace(
        a,
        source=f"{a.source} + {b.source}",
        history=history,
        config=_deep(b.config, a.config),
        layers=b.layers if a.layers is None else a.layers,
        report=b.report if a.report is None else a.report,
        landscapes=(*a.landscapes, *(g for g in b.landscapes if g.name not in names)),
        roles=roles,
        attempts=b.attempts if a.attempts is None else a.attempts,
        nonfinite=nonfinite,
        problems=(head, *told, *_other_counts(a, b), *_gave_way(a, b), *_other_roles(a, b, roles),
                  *a.problems, *_placed(b)),
        digest=hashlib.sha256(f"{a.digest} {b.digest}".encode()).hexdigest(),
        origins=(*a.origins, *b.origins),
    )  # fmt: skip


def _gave_way(a: Run, b: Run) -> Iterator[Problem]:
    """Tell of what both hold beside the history: that of the first was taken."""
    taken = f"{a.source!r} was taken."
    differ = _differing(flat_config(a.config), flat_config(b.config))
    if differ:
        verb = "differs" if len(differ) == 1 else "differ"
        what = f"{_n(len(differ), 'setting')} of the config {verb} ({_names(differ)}); {taken}"
        yield Problem(what, _swap(b))
    for what, one, two in (("layers", a.layers, b.layers),
                           ("superseded rows", a.attempts, b.attempts)):  # fmt: skip
        if one is not None and two is not None:
            gone = f"the {_n(len(two), 'row')} of {b.source!r} gave way to those of {a.source!r}."
            yield Problem(f"Both hold {what}; {gone}", _swap(b))
    if a.report is not None and b.report is not None and a.report != b.report:
        yield Problem(f"Both hold a report; that of {taken}", _swap(b))
    names = {grid.name for grid in a.landscapes}
    twice = [grid.name for grid in b.landscapes if grid.name in names]
    if twice:
        what = f"Both hold {_n(len(twice), 'landscape')} ({_names(twice)}); {taken}"
        yield Problem(what, _swap(b))


def _other_counts(a: Run, b: Run) -> Iterator[Problem]:
    """Tell where steps were counted in two ways: W&B's own count calls of log(), for one."""
    one, two = ({each.counts for each in run.origins if each.rows} for run in (a, b))
    if one and two and one != two:
        yield Problem(
            f"Steps are counted by {_names(sorted(one))} in {a.source!r} and by "
            f"{_names(sorted(two))} in {b.source!r}; where these are not the same, rows were "
            "joined that do not belong together.",
            "Log the same step in both, or look at them as two runs.",
        )


def _other_roles(a: Run, b: Run, roles: Mapping[str, str]) -> Iterator[Problem]:
    """Tell of roles that other metrics play in the two places: one of them counts from now on."""
    both = [role for role in roles if a.roles.get(role, roles[role]) != roles[role]
            or b.roles.get(role, roles[role]) != roles[role]]  # fmt: skip
    if both:
        plays = [f"{role} by {a.roles.get(role, 'none')} and {b.roles.get(role, 'none')}, now by "
                 f"{roles[role]}" for role in both]  # fmt: skip
        verb = "is" if len(both) == 1 else "are"
        yield Problem(
            f"{_n(len(both), 'role')} {verb} played by other metrics in {a.source!r} and "
            f"{b.source!r}: {_names(plays, '; ')}.",
            "Give a role to another metric where that is not right.",
        )


def _swap(b: Run) -> str:
    return f"If that of {b.source!r} is right, name it first."


def _placed(run: Run) -> Iterator[Problem]:
    """Yield the problems of a run; those of a file say which source it lies in."""
    for problem in run.problems:
        yield replace(problem, file=f"{run.source}/{problem.file}") if problem.file else problem


def _histories(a: Run, b: Run) -> tuple[pd.DataFrame, pd.DataFrame | None, list[Problem]]:
    """Return both histories as one, what in it is not finite, and what has to be told."""
    import pandas as pd

    index = a.history.index.union(b.history.index).astype(np.int64).rename("step")
    one, two = a.history.reindex(index), b.history.reindex(index)
    columns = {str(name): one[name].to_numpy(copy=True) for name in one.columns}
    odd = [] if a.nonfinite is None else [a.nonfinite]
    same = differ = 0
    where: list[str] = []
    for name in map(str, two.columns):
        theirs, logged = two[name].to_numpy(), _logged(b, name, two)
        if name not in columns:
            columns[name], taken = theirs, logged
        else:
            ours, mine = columns[name], _logged(a, name, one)
            both, taken = mine & logged, logged & ~mine
            equal = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
            same += int((both & equal).sum())
            if gone := int((both & ~equal).sum()):
                differ += gone
                where.append(name)
            ours[taken] = theirs[taken]
        if b.nonfinite is not None:
            mark = b.nonfinite[b.nonfinite["metric"] == name]
            odd.append(mark[taken[index.get_indexer(pd.Index(mark["step"]))]])
    told = []
    if same:
        told.append(Problem(f"{_n(same, 'value')} {_was(same)} logged in both places, alike."))
    if differ:
        what = (
            f"{_n(differ, 'value')} {_was(differ)} logged in both places with different numbers "
            f"({_names(where)}); {a.source!r} was taken."
        )
        remedy = (
            f"If those of {b.source!r} are right, as after a restart there, name it first; if it "
            "is another run, do not join them."
        )
        told.append(Problem(what, remedy))
    nonfinite = pd.concat(odd, ignore_index=True) if odd else None
    if nonfinite is not None:
        nonfinite = nonfinite.sort_values("step", kind="stable", ignore_index=True)
    return pd.DataFrame(columns, index=index, dtype=np.float64), nonfinite, told


def _logged(run: Run, metric: str, frame: pd.DataFrame) -> np.ndarray:
    """Say at which steps of `frame` a metric was logged, as NaN too."""
    import pandas as pd

    there = frame[metric].notna().to_numpy(copy=True)
    if run.nonfinite is not None:
        steps = run.nonfinite.loc[run.nonfinite["metric"] == metric, "step"]
        there[frame.index.get_indexer(pd.Index(steps))] = True
    return there


def _differing(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    return [key for key, value in a.items() if key in b and value_key(b[key]) != value_key(value)]


def _deep(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one config over another, setting by setting."""
    both = {key: _deep(under[key], value) for key, value in over.items()
            if isinstance(value, Mapping) and isinstance(under.get(key), Mapping)}  # fmt: skip
    return {**under, **over, **both}


def _n(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _names(names: Sequence[str], between: str = ", ") -> str:
    more = len(names) - MOST_NAMED
    return between.join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
