"""What the seeds chart joined, left out, cut off and thinned."""

from __future__ import annotations

import numpy as np

from viz3d.analysis.final import FEWEST_ROWS, WINDOW
from viz3d.figures.frame import Range
from viz3d.figures.seeds_data import SeedsResult
from viz3d.figures.seeds_groups import Group
from viz3d.figures.seeds_traces import thin_groups
from viz3d.figures.text import count, in_words, listed


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
        said += _of_join(group, by_hand=result.by_hand)
    said += _of_ends(result)
    lines = thin_groups(result.groups)
    total, shown = sum(one.total for one in lines), sum(len(o.step) - len(o.labels) for o in lines)
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


def _of_join(group: Group, *, by_hand: bool) -> list[str]:
    joined, n = group.joined, len(group.members)
    if n < 2:
        return []
    said = []
    if group.differing:
        keys = listed(list(group.differing))
        said.append(
            f"its runs differ in {keys}, so that its interval is not over seeds alone"
            if by_hand
            else f"settings that differ and were ignored: {keys}"
        )
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
    known = [member for member in members if len(member.step) >= FEWEST_ROWS]
    sparse = [m.run for m in known if m.final.first <= m.final.last - WINDOW * np.ptp(m.step)]
    if sparse:
        said.append(
            f"Their last tenth holds fewer than {FEWEST_ROWS} rows, so the number is the mean of "
            f"the last {FEWEST_ROWS}: {listed(sparse)}."
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
        said.append(f"Outside the axis: {count(outside, 'point')} of the runs.")
    if cut:
        said.append(f"The band is cut off at the ends of the axis at {count(cut, 'step')}.")
    below = sum(int((group.joined.lower < 0).sum()) for group in result.groups)
    if below and not (values < 0).any():
        said.append(
            f"At {count(below, 'step')} the band reaches below zero although no value does: with "
            "so few runs it takes their spread as equal on both sides of the mean."
        )
    return said
