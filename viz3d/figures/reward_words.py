"""What the reward landscape says in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.alignment import AXES
from viz3d.figures.along import (
    at_step,
    left_out_brief,
    left_out_sentence,
    place_notes,
    reached,
    rounded,
    said_place,
    unplaced_note,
)
from viz3d.figures.budget import told
from viz3d.figures.event_words import summed_up, tally
from viz3d.figures.reward_data import RewardLandscapeResult
from viz3d.figures.style import MOST_NAMED
from viz3d.figures.text import (
    Drawn,
    count,
    in_words,
    listed,
    say,
    unique_names,
    with_names,
    wrapped,
)

CAPTION = "Association along the run, not a response surface."


def numbers(result: RewardLandscapeResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    best = max(result.rows, key=lambda rows: rows.path[:, 2].max())
    at = int(best.path[:, 2].argmax())
    names = unique_names([rows.run for rows in result.rows])
    medians = [rows.path[:, 2] for rows in result.rows]
    return {
        "runs": len(result.rows),
        "against": result.against,
        "first_reward": {run: m[0] for run, m in zip(names, medians, strict=True)},
        "last_reward": {run: m[-1] for run, m in zip(names, medians, strict=True)},
        "best_median_reward": best.path[at, 2],
        f"best_at_{result.along}": rounded(best.path[at, 0], result.along),
        "best_run": best.run,
        "rank_correlation": _rank_correlation(result),
        "share_supported": 0.0 if result.surface.reason else float(result.surface.share),
        "events": tally(event for rows in result.rows for _, event in rows.events),
        "points_drawn": sum(len(rows.drawn) for rows in result.rows),
        "points_total": sum(len(rows.step) for rows in result.rows),
    }


def _rank_correlation(result: RewardLandscapeResult) -> float | None:
    """Spearman's correlation of reward with the other metric, of one run; None for several."""
    if len(result.rows) > 1:
        return None
    rows = pd.DataFrame({"a": result.rows[0].other, "b": result.rows[0].reward}).rank()
    value = rows["a"].corr(rows["b"])
    return None if np.isnan(value) else float(value)


def summary(result: RewardLandscapeResult, said: Mapping[str, Any]) -> str:
    """Return one paragraph that reads well aloud."""
    name, along = in_words(result.against), result.along
    moves = [
        f"{rows.run} goes from {say(rows.path[0, 2])} to {say(rows.path[-1, 2])}"
        for rows in result.rows[:3]
    ]
    text = (
        f"Reward of {count(said['runs'], 'run')} over {AXES[along]} and {name}; medians of "
        f"stretches: {'; '.join(moves)}. The highest median, {say(said['best_median_reward'])}, is "
        f"at {said_place(along, said[f'best_at_{along}'])} of {said['best_run']}. "
    )
    if said["rank_correlation"] is not None:
        text += (
            f"The rank correlation of reward with {name} along the run is "
            f"{said['rank_correlation']:.2f}. "
        )
    left_out = left_out_sentence(along, result.left_out)
    parts = (text + CAPTION, summed_up(said["events"]), left_out)
    return " ".join(part for part in parts if part)


def notes(result: RewardLandscapeResult, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what was left out or thinned, with counts."""
    surface, name = result.surface, in_words(result.against)
    notes = [
        f"{CAPTION} Noise in {name} makes slopes along its axis look flatter than they are.",
        f"Points show {told(said['points_drawn'], said['points_total'])}; the path is the median "
        f"of each of up to {max(len(rows.path) for rows in result.rows):,} stretches.",
        f"There is no surface. {with_names(surface.reason, AXES[result.along], name, 'reward')}"
        if surface.reason
        else f"A surface is supported over {100 * surface.share:.0f} % of the box.",
    ]
    if len(result.rows) > MOST_NAMED:
        notes.append(
            f"The lines of the {len(result.rows):,} runs have no key; pointing at one in the 3D "
            "scene names its run. Their shades are in the order of the table."
        )
    return (*notes, *left_out(result))


def left_out(result: RewardLandscapeResult) -> list[str]:
    """Return which rows and runs are not in the chart, with counts."""
    unjoined = sum(rows.unjoined for rows in result.rows)
    name, notes = in_words(result.against), []
    if unjoined:
        notes.append(f"{count(unjoined, 'row')} with a reward but no finite {name} left out.")
    for why, n in result.surface.dropped.items():
        said = with_names(why, AXES[result.along], name, "reward")
        notes.append(f"{count(n, 'point')} {said} left out of the fit.")
    if result.outside:
        notes.append(
            f"{count(result.outside, 'row')} outside the {name} axis, which holds 99 % of them."
        )
    if result.unused:
        both = f"a reward and a finite {name} {at_step(result.along)}"
        notes.append(f"Not drawn, for want of {both}: {listed(list(result.unused))}.")
    had = [(rows.run, rows.places) for rows in result.rows]
    lost = sum(rows.unplaced for rows in result.rows)
    notes += place_notes(result.along, result.left_out, had)
    return [*notes, *unplaced_note(result.along, lost)]


def table(result: RewardLandscapeResult) -> pd.DataFrame:
    """Return one row per run."""
    return pd.DataFrame(
        {
            "run": rows.run,
            "rows": len(rows.step),
            **reached(result.along, rows.x, rows.places),
            "first median reward": rows.path[0, 2],
            "last median reward": rows.path[-1, 2],
            "highest reward": rows.reward.max(),
            "at step": int(rows.step[rows.reward.argmax()]),
        }
        for rows in result.rows
    )


def subtitle(result: RewardLandscapeResult) -> Drawn:
    """Return the line under the title."""
    drawn = sum(len(rows.drawn) for rows in result.rows)
    total = sum(len(rows.step) for rows in result.rows)
    left_out = left_out_brief(result.along, result.left_out)
    return wrapped(f"{CAPTION} {count(len(result.rows), 'run')}, {told(drawn, total)}.{left_out}")
