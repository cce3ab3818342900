"""What the seeds chart says: one row per group, the comparisons, a paragraph and notes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.statistics import Comparison, Interval
from viz3d.figures.frame import Range
from viz3d.figures.seeds_data import Group, SeedsResult
from viz3d.figures.seeds_traces import thin_groups
from viz3d.figures.text import count, in_words, listed, say, wrapped

SIGNIFICANT = 0.05


def table(result: SeedsResult) -> pd.DataFrame:
    """Return one row per group, numbers rounded by nobody."""
    return pd.DataFrame([_row(group) for group in result.groups])


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
    return pd.DataFrame(rows)


def numbers(result: SeedsResult) -> dict[str, Any]:
    """Return what the summary is made of."""
    return {
        "groups": {group.title: _row(group) for group in result.groups},
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


def subtitle(result: SeedsResult) -> str:
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
    parts += [_of_group(group) for group in result.groups[:MOST_TOLD]]
    if len(result.groups) > MOST_TOLD:
        parts.append(f"{len(result.groups) - MOST_TOLD:,} more groups stand in the table.")
    parts += _of_tests(result)
    parts += _of_target(result)
    return " ".join(parts)


MOST_TOLD = 6
"""Groups that the paragraph names; nobody listens to more."""


def notes(result: SeedsResult, z: Range) -> tuple[str, ...]:
    """Say what was joined, left out, cut off and thinned, with counts.

    Parameters
    ----------
    result : SeedsResult
    z : (low, high)
        The axis of the metric.
    """
    said = [
        "The band is pointwise: at each step by itself it covers the mean over seeds in 95 of 100 "
        "cases. A whole curve lies inside its band far less often.",
        "Runs are joined on the steps that they logged; nothing is interpolated. A mean stands "
        "only where two or more runs of a group logged a finite value.",
    ]
    for group in result.groups:
        said += _of_join(group)
    said += _of_ends(result)
    lines = thin_groups(result.groups)
    total, shown = sum(one.total for one in lines), sum(len(o.step) - len(o.runs) for o in lines)
    if shown < total:
        said.append(f"Drawn are {shown:,} of {total:,} points of the runs, every extreme kept.")
    total, shown = sum(one.means for one in lines), sum(len(one.mean) for one in lines)
    if shown < total:
        said.append(
            f"Drawn are {shown:,} of {total:,} points of the means, the extremes of the bands kept."
        )
    said += _of_axis(result, z)
    if result.repeated:
        said.append(
            f"Left out, because an earlier run has the same settings and the same seed: "
            f"{listed(list(result.repeated))}."
        )
    if result.unknown:
        said.append(
            "Not grouped, because no seed or nothing but a seed is known of their settings: "
            f"{listed(list(result.unknown))}."
        )
    if result.unused:
        said.append(f"Without {in_words(result.metric)}: {listed(list(result.unused))}.")
    return tuple(said)


def _runs(result: SeedsResult) -> int:
    return sum(len(group.members) for group in result.groups)


def _row(group: Group) -> dict[str, Any]:
    n = len(group.members)
    interval = group.members[0].final.noise if n == 1 else group.final
    return {
        "group": group.title,
        "n": n,
        "final mean": group.final.mean,
        "lower 95 %": interval.lower,
        "upper 95 %": interval.upper,
        "interval from": _from(interval, n),
        "effective rows": round(interval.n, 1) if n == 1 else None,
        "target reached": f"{group.reached.k} of {n}",
        "median steps to target": group.reached.median,
        "runs": ", ".join(member.run for member in group.members),
    }


def _from(interval: Interval, n: int) -> str:
    if interval.lower is None:
        return "none: too few independent rows" if n == 1 else "none: too few runs"
    return "within-run noise, not seeds" if n == 1 else "seeds"


def _of_group(group: Group) -> str:
    end = group.final
    n = len(group.members)
    if np.isnan(end.mean):
        return f"{group.title}: {count(n, 'run')}, no final value."
    if n == 1:
        return f"{group.title}: one run, which ends at {say(end.mean)}."
    said = f"{group.title}: mean {say(end.mean)}"
    if end.lower is not None:
        said += f", 95 % interval {say(end.lower)} to {say(end.upper)}"
    return f"{said}, n = {int(end.n)}."


def _of_tests(result: SeedsResult) -> list[str]:
    """Sentences on the comparisons, those without a test together."""
    said, untested = [], dict[str, list[str]]()
    for title, one in result.comparisons.items():
        if one.reason:
            untested.setdefault(one.reason, []).append(title)
        else:
            said.append(f"{title} against {result.baseline}: {_verdict(result, title, one)}")
    said = said[:MOST_TOLD]
    for reason, titles in untested.items():
        said.append(f"{listed(titles)} against {result.baseline}: {reason}")
    return said


def _verdict(result: SeedsResult, title: str, one: Comparison) -> str:
    p = result.holm[title]
    if p is None:
        return one.reason
    apart = f"{say(abs(one.difference))} {'lower' if one.difference < 0 else 'higher'}"
    if p < SIGNIFICANT:
        return f"{apart}, more than seeds explain (p = {p:.2g})."
    return f"{apart}, which seeds alone can explain (p = {p:.2g})."


def _of_target(result: SeedsResult) -> list[str]:
    if np.isnan(result.target):
        return []
    where = f", where {result.baseline} ended" if result.target_is_baseline else ""
    said = [f"{g.title} {g.reached.k} of {len(g.members)}" for g in result.groups]
    return [f"Target {say(result.target)}{where}: reached by {listed(said, MOST_TOLD)}."]


def _of_join(group: Group) -> list[str]:
    joined, n = group.joined, len(group.members)
    if n < 2:
        return []
    said = []
    if group.ignored:
        said.append(f"settings that differ and were ignored: {listed(list(group.ignored))}")
    whole = int((joined.n == n).sum())
    said.append(f"{count(whole, 'step')} with all {n} runs, {len(joined.n) - whole:,} with fewer")
    if joined.alone:
        said.append(f"{count(joined.alone, 'step')} with one run, where there is no mean")
    if joined.ended:
        said.append(f"at {count(joined.ended, 'step')} a run had ended or not begun")
    if joined.apart:
        said.append(f"{count(joined.apart, 'step')} not logged by a run that was under way")
    if joined.nonfinite:
        said.append(
            f"at {count(joined.nonfinite, 'step')} a run logged NaN or infinity and the mean is "
            "that of the others, which flatters the group"
        )
    return [f"{group.title}: {'; '.join(said)}."]


def _of_ends(result: SeedsResult) -> list[str]:
    members = [member for group in result.groups for member in group.members]
    ends = sorted({member.final.last for member in members})
    said = []
    if len(ends) > 1:
        said.append(
            f"Runs end at steps from {ends[0]:,} to {ends[-1]:,}; the number of each is from its "
            "own end."
        )
    without = [member.run for member in members if np.isnan(member.final.mean)]
    if without:
        said.append(
            "No final mean, because the last tenth holds NaN, infinity or too few rows; left out "
            f"of intervals and tests, which can flatter a group: {listed(without)}."
        )
    return said


def _of_axis(result: SeedsResult, z: Range) -> list[str]:
    low, high = z
    values = np.concatenate([m.value for group in result.groups for m in group.members])
    outside = int((np.isfinite(values) & ((values < low) | (values > high))).sum())
    cut = sum(
        int(((group.joined.lower < low) | (group.joined.upper > high)).sum())
        for group in result.groups
    )
    said = []
    if outside:
        said.append(f"{count(outside, 'point')} of the runs lie outside the axis.")
    if cut:
        said.append(f"The band is cut off at the ends of the axis at {count(cut, 'step')}.")
    below = sum(int((group.joined.lower < 0).sum()) for group in result.groups)
    if below and not (values < 0).any():
        said.append(
            f"At {count(below, 'step')} the band reaches below zero although no value does: with "
            "so few runs it takes their spread as equal on both sides of the mean."
        )
    return said
