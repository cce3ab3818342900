"""What the seeds chart says: one row per group, the comparisons, a paragraph and notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.statistics import Comparison, Interval
from viz3d.figures.seeds_data import SeedsResult
from viz3d.figures.seeds_groups import Group
from viz3d.figures.text import Drawn, count, in_words, listed, say, short_names, wrapped

SIGNIFICANT = 0.05

MOST_TOLD = 4
"""Groups that the paragraph tells one by one; of more it tells the extremes."""


def table(result: SeedsResult) -> pd.DataFrame:
    """Return one row per group."""
    return _numeric(pd.DataFrame([_row(result, group) for group in result.groups]))


def comparisons(result: SeedsResult) -> pd.DataFrame:
    """Return one row for each group but the baseline: how it differs, and whether that is told.

    The difference is the group less the baseline, of the means of one number per run.
    """
    rows = []
    for title, one in result.comparisons.items():
        rows.append(
            {
                "group": title,
                "baseline": result.baseline,
                "n": f"{one.n[0]} and {one.n[1]}",
                "difference": one.difference,
                "lower 95 %": one.lower,
                "upper 95 %": one.upper,
                "p (Welch)": one.p,
                "p (Holm)": result.holm[title],
                "Hedges g": one.hedges_g,
                "what it says": _verdict(result, title, one),
            }
        )
    return _numeric(pd.DataFrame(rows))


def _numeric(table: pd.DataFrame) -> pd.DataFrame:
    """Make a column of nothing but None one of numbers, so that it is empty and sorts."""
    unknown = table.columns[table.isna().all()]
    return table.astype(dict.fromkeys(unknown, np.float64))


def numbers(result: SeedsResult) -> dict[str, Any]:
    """Return what the summary is made of."""
    return {
        "groups": {group.title: _row(result, group) for group in result.groups},
        "target": result.target,
        "baseline": result.baseline,
        "comparisons": {
            title: {
                "difference": one.difference,
                "lower": one.lower,
                "upper": one.upper,
                "p": one.p,
                "p_holm": result.holm[title],
                "hedges_g": one.hedges_g,
                "reason": one.reason,
            }
            for title, one in result.comparisons.items()
        },
    }


def subtitle(result: SeedsResult) -> Drawn:
    """Say under the title how many groups there are, and what the band is."""
    several = sum(len(group.members) > 1 for group in result.groups)
    band = "band: 95 % t interval of the mean at each step by itself (pointwise)"
    said = f"{count(len(result.groups), 'group')}, {count(_runs(result), 'run')}"
    return wrapped(f"{said}; {band if several else 'no group has two runs, so no band'}.")


def summary(result: SeedsResult) -> str:
    """Return one paragraph that reads well aloud."""
    name = in_words(result.metric)
    how = "grouped by hand" if result.by_hand else "grouped where only the seed differs"
    parts = [
        f"{name[:1].upper()}{name[1:]} of {count(_runs(result), 'run')} in "
        f"{count(len(result.groups), 'group')}, {how}. "
        "The number of a run is its mean over the last tenth of its steps."
    ]
    short = _short(result)
    if len(result.groups) > MOST_TOLD:
        parts += [*_of_extremes(result, short), *_of_many_tests(result, short)]
    else:
        parts += [_of_group(short[group.title], group) for group in result.groups]
        parts += _of_tests(result, short)
    parts += _of_target(result)
    return " ".join(parts)


def _runs(result: SeedsResult) -> int:
    return sum(len(group.members) for group in result.groups)


def _row(result: SeedsResult, group: Group) -> dict[str, Any]:
    n = len(group.members)
    interval = group.members[0].final.noise if n == 1 else group.final
    return {
        "group": group.title,
        "n": n,
        "final mean": group.final.mean,
        "lower 95 %": interval.lower,
        "upper 95 %": interval.upper,
        "interval from": _from(result, interval, n),
        "effective rows": round(interval.n, 1) if n == 1 else None,
        "target reached": "no target" if np.isnan(result.target) else f"{group.reached.k} of {n}",
        "median steps to target": group.reached.median,
        "runs": ", ".join(member.run for member in group.members),
    }


def _from(result: SeedsResult, interval: Interval, n: int) -> str:
    if np.isnan(interval.mean):
        return "none: no final value"
    if interval.lower is None:
        if n == 1:
            return "none: too few independent rows"
        return "none: too few runs" if interval.n < 2 else "none: all runs have one value"
    if n == 1:
        return "within-run noise, not seeds"
    return "runs of the group" if result.by_hand else "seeds"


def _short(result: SeedsResult) -> dict[str, str]:
    """Titles without what they share, as on the axis."""
    titles = [group.title for group in result.groups]
    return dict(zip(titles, short_names(titles), strict=True))


def _of_group(title: str, group: Group) -> str:
    end = group.final
    n = len(group.members)
    if np.isnan(end.mean):
        return f"{title}: {count(n, 'run')}, no final value."
    if n == 1:
        return f"{title}: one run, which ends at {say(end.mean)}."
    said = f"{title}: mean {say(end.mean)}"
    if end.lower is not None:
        said += f", 95 % interval {say(end.lower)} to {say(end.upper)}"
    return f"{said}, n = {int(end.n)}."


def _of_extremes(result: SeedsResult, short: Mapping[str, str]) -> list[str]:
    """Sentences on the groups that ended lowest and highest, and on those without an end."""
    ended = sorted(
        (group for group in result.groups if not np.isnan(group.final.mean)),
        key=lambda group: group.final.mean,
    )
    said = [
        f"{which}: {_of_group(short[group.title], group)}"
        for which, group in (("Lowest", ended[0]), ("Highest", ended[-1]))
    ] if ended else []  # fmt: skip
    if len(ended) < len(result.groups):
        said.append(f"{count(len(result.groups) - len(ended), 'group')} with no final value.")
    return [*said, "The table has each group."]


def _of_many_tests(result: SeedsResult, short: Mapping[str, str]) -> list[str]:
    """Say how many groups differ from the baseline, how many do not, and how many have no test."""
    tests = {title: p for title in result.comparisons if (p := result.holm[title]) is not None}
    apart = [
        f"{short[title]} {'lower' if result.comparisons[title].difference < 0 else 'higher'}"
        for title, p in tests.items()
        if p < SIGNIFICANT
    ]
    untested = len(result.comparisons) - len(tests)
    said = []
    if tests:
        named = f" ({listed(apart)})" if apart else ""
        said.append(
            f"{len(apart):,} of {count(len(tests), 'group')} differ from {short[result.baseline]} "
            f"by more than {_spread(result)} explains{named}."
        )
    if untested:
        said.append(f"No test against {short[result.baseline]} for {count(untested, 'group')}.")
    return said


def _of_tests(result: SeedsResult, short: Mapping[str, str]) -> list[str]:
    """Sentences on the comparisons, those without a test together."""
    base = short[result.baseline]
    said, untested = [], dict[str, list[str]]()
    for title, one in result.comparisons.items():
        if one.reason:
            untested.setdefault(one.reason, []).append(short[title])
        else:
            said.append(f"{short[title]} against {base}: {_verdict(result, title, one)}")
    for reason, titles in untested.items():
        said.append(f"{listed(titles)} against {base}: {reason}")
    return said


def _verdict(result: SeedsResult, title: str, one: Comparison) -> str:
    p = result.holm[title]
    if p is None:
        return one.reason
    apart = f"{say(abs(one.difference))} {'lower' if one.difference < 0 else 'higher'}"
    if p < SIGNIFICANT:
        return f"{apart}, more than {_spread(result)} explains (p = {p:.2g})."
    return f"{apart}, which {_spread(result)} alone can explain (p = {p:.2g})."


def _spread(result: SeedsResult) -> str:
    return "the spread within the groups" if result.by_hand else "the spread over seeds"


def _of_target(result: SeedsResult) -> list[str]:
    if np.isnan(result.target):
        return []
    short = _short(result)
    where = f", where {short[result.baseline]} ended" if result.target_is_baseline else ""
    said = [f"{g.reached.k} of {len(g.members)} in {short[g.title]}" for g in result.groups]
    if len(said) > MOST_TOLD:
        said = [f"{sum(g.reached.k for g in result.groups)} of {count(_runs(result), 'run')}"]
    better = "lower" if result.lower_is_better else "higher"
    return [
        f"Target {say(result.target)} or {better}{where}: reached by {listed(said, MOST_TOLD)}."
    ]
