"""What the PCA view of training dynamics says in words and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.embedding import Embedding
from viz3d.analysis.walks import DRAWS
from viz3d.figures.dynamics_data import DynamicsResult
from viz3d.figures.event_words import summed_up, tally
from viz3d.figures.text import Drawn, count, listed, say, wrapped


def numbers(result: DynamicsResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    e = result.embedding
    return {
        "runs": len(e.trajectories),
        "metrics": list(e.metrics),
        "explained": e.explained,
        "random_walks_mean": e.null_mean,
        "random_walks_95": e.null_high,
        "tested_axes": e.tested,
        "explained_together": e.total,
        "random_walks_together_mean": e.null_total_mean,
        "random_walks_together_95": e.null_total_high,
        "p_value": e.p_value,
        "harmonic_r2": e.harmonic,
        "effective_points": e.effective,
        "outside_axes": float(np.mean(np.concatenate([t.outside for t in e.trajectories]))),
        "values": e.points,
        "interpolated": e.interpolated,
        "dropped": dict(e.dropped),
        "events": tally(event for events in result.events for _, event in events),
    }


def summary(result: DynamicsResult) -> str:
    """Return one paragraph that reads well aloud."""
    e = result.embedding
    axes = "The first axis explains" if e.tested == 1 else f"The first {e.tested} axes explain"
    verdict = (
        "more than chance would explain"
        if e.p_value <= 0.05
        else "no more than random walks may well do"
    )
    parts = [
        f"Paths of {count(len(e.trajectories), 'run')} through "
        f"{count(len(e.metrics), 'metric')}: {listed(list(e.metrics), 6)}.",
        f"{axes} {percent(e.total)} of the variance; the same of random walks explain "
        f"{percent(e.null_total_mean)} on average and {percent(e.null_total_high)} at most in "
        f"95 of 100 cases, so this is {verdict} (p = {say(round(e.p_value, 3))}).",
        _dim(e),
        *e.warnings,
        _leaders(e),
        summed_up(numbers(result)["events"]),
    ]
    return " ".join(part for part in parts if part)


def notes(result: DynamicsResult) -> tuple[str, ...]:
    """Return how the axes were made and what was left out, with counts."""
    e = result.embedding
    m = len(e.trajectories[0].step)
    return tuple(
        note
        for note in (
            f"Every run is resampled to {m:,} points, the medians of equally wide ranges of steps, "
            "so that all runs weigh the same in the one basis.",
            f"{e.interpolated:,} of {e.points:,} values lie between two logged rows and were "
            f"interpolated there, never beyond a metric's first or last row: {_ranges(e)}."
            if e.interpolated
            else "No value was interpolated.",
            "The bold lines are medians of stretches, the faint ones every point.",
            "Metrics are put on a log scale where they are positive and skewed, then through "
            "asinh of their robust score, then standardised over all runs.",
            f"The random walks are {DRAWS} draws from the metrics' own steps, shifted and with "
            "random signs.",
            f"The paths amount to about {say(round(e.effective))} independent points.",
            *(f"Left out: {name}, {reason}." for name, reason in e.dropped.items()),
        )
        if note
    )


def table(result: DynamicsResult) -> pd.DataFrame:
    """Return the correlation of each metric with each axis."""
    e = result.embedding
    frame = pd.DataFrame({"metric": e.metrics})
    for i in range(e.loadings.shape[1]):
        frame[f"PC{i + 1}"] = e.loadings[:, i]
    frame["log scale"] = [e.scaling[name].log for name in e.metrics]
    return frame


def subtitle(result: DynamicsResult) -> Drawn:
    """Return the line under the title: what the axes explain, beside random walks."""
    e = result.embedding
    axes = "1 axis explains" if e.tested == 1 else f"{e.tested:d} axes explain"
    return wrapped(
        f"{count(len(e.trajectories), 'run')}, {count(len(e.metrics), 'metric')}, one basis. "
        f"{axes} {percent(e.total)} of the variance, {percent(e.null_total_mean)} of random walks."
    )


def _dim(e: Embedding) -> str:
    """Name the axes that explain no more than the same axes of random walks."""
    dim = [f"PC{i + 1}" for i, above in enumerate(e.above_null) if not above]
    if not dim:
        return ""
    verb, those = ("explains", "it") if len(dim) == 1 else ("explain", "them")
    return (
        f"{listed(dim)} {verb} no more than in random walks; structure along {those} means little."
    )


def _leaders(e: Embedding) -> str:
    """Say what the first axis mostly is."""
    size = np.abs(e.loadings[:, 0])
    names = [e.metrics[i] for i in np.argsort(-size, kind="stable")[:3] if size[i] > 0.5]
    return f"PC1 goes mostly with {listed(names)}." if names else ""


def _ranges(e: Embedding) -> str:
    ends = {(round(t.step[0]), round(t.step[-1])) for t in e.trajectories}
    if len(ends) == 1:
        first, last = ends.pop()
        return f"steps {first:,} to {last:,}"
    return f"steps {min(a for a, _ in ends):,} to {max(b for _, b in ends):,}, by run"


def percent(share: float) -> Drawn:
    """Return a share as whole per cent."""
    return f"{100 * share:.0f} %"
