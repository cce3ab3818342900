"""The numbers of the reward landscape: rows in which the reward and another metric meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.alignment import Alignment
from viz3d.analysis.event import Event
from viz3d.analysis.events import find_events
from viz3d.analysis.quantities import named_metrics
from viz3d.analysis.stretches import stretch_medians
from viz3d.analysis.surface import Surface, fit_surface
from viz3d.errors import ChartError, MissingMetric
from viz3d.figures.along import LeftOut, check_along, place_runs, unplaced
from viz3d.figures.budget import shares, thin
from viz3d.figures.crowd import stretches
from viz3d.figures.frame import Frame, Range, span
from viz3d.figures.needs import RECORD, as_runs, having
from viz3d.figures.pins import Pin, event_pin
from viz3d.figures.provenance import origins
from viz3d.figures.text import in_words, safe, short_names
from viz3d.run import Run

KIND = "reward-landscape"
TITLE = "Reward landscape"

MOST_POINTS = 8_000
"""Rows drawn as points, of all runs together."""

MARGIN = (0.005, 0.995)
"""The axes hold this range of quantiles of the other metric; what is outside is counted."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RewardRows:
    """Rows of one run that hold both metrics, sorted by step; arrays of shape (n,).

    Attributes
    ----------
    run : str
    step : ndarray of int64
    x : ndarray of float64
        Places of the steps along the axis.
    other, reward : ndarray of float64
    unjoined : int
        Rows with a reward that lack the other metric, or where one of them is not finite.
    drawn : ndarray of int64, shape (m,)
        Indices of the rows drawn as points: extremes of the reward and of the other metric.
    path : ndarray of float64, shape (b, 3)
        Median place, other metric and reward of each stretch.
    places : Alignment
        Where all steps of the run lie.
    unplaced : int
        Rows with both at steps without a place; they are left out.
    events : tuple of (str, Event)
        Events of the reward and of the other metric, which goes by its role where it has one.
    """

    run: str
    step: NDArray[np.int64]
    x: Floats
    other: Floats
    reward: Floats
    unjoined: int
    drawn: NDArray[np.int64]
    path: Floats
    places: Alignment
    unplaced: int
    events: tuple[tuple[str, Event], ...]


@dataclass(frozen=True)
class RewardLandscapeResult:
    """Everything that the chart draws and says.

    Attributes
    ----------
    along : {"step", "tokens", "flops", "time"}
        What the first axis is.
    against : str
        Role or metric on the second axis.
    rows : tuple of RewardRows
    surface : Surface
        Fitted reward over that and the other metric, with a `reason` where there is none.
    outside : int
        Rows outside the axis of the other metric.
    frame : Frame
    unused : tuple of str
        Runs that have no row with a reward, the other metric and a place.
    left_out : tuple of (str, str)
        Runs without a place along the first axis, each with the reason.
    settings, origins : as in every chart
    """

    along: str
    against: str
    rows: tuple[RewardRows, ...]
    surface: Surface
    outside: int
    frame: Frame
    unused: tuple[str, ...]
    left_out: LeftOut
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]


def compute(
    runs: Run | Sequence[Run],
    *,
    against: str = "loss",
    strictness: str = "default",
    along: str = "step",
) -> RewardLandscapeResult:
    """Join reward and another metric on the step, and fit what they support.

    Parameters
    ----------
    runs : Run or sequence of Run
    against : str
        Role or metric for the second axis.
    strictness : {"strict", "default", "loose"}
        How near the data and how sure a point of the surface must be.
    along : {"step", "tokens", "flops", "time"}
        What the first axis is; runs that did not log it are left out.

    Raises
    ------
    BadArgument
        If there is no such axis.
    MissingMetric
        If no run has a reward, or none has the other metric at the same steps.
    ChartError
        If no run logged its place along the axis.
    ValueError
        If `strictness` is none of its choices.
    """
    check_along(along)
    chosen = as_runs(runs, TITLE)
    rewarded = having(chosen, "reward", TITLE)
    places, left_out = place_runs(rewarded, along, "reward")
    joined = [(run, join(run, against, where)) for run, where in places]
    used = [(run, rows) for run, rows in joined if rows is not None and len(rows.step)]
    if not used:
        lost = any(rows.unplaced for _, rows in joined if rows is not None)
        raise no_rows([run for run, _ in places], against, along, lost=lost)
    allowed = shares([len(rows.step) for _, rows in used], MOST_POINTS)
    most = stretches(len(used))
    rows = tuple(
        _rows(run, found, n, most, against) for (run, found), n in zip(used, allowed, strict=True)
    )
    frame = _frame(rows)
    low, high = frame.known()[1]
    known = {id(run) for run, _ in used} | {id(run) for run in rewarded} - {
        id(run) for run, _ in places
    }
    return RewardLandscapeResult(
        along=along,
        against=against,
        rows=rows,
        surface=_fit(rows, strictness),
        outside=sum(int(((r.other < low) | (r.other > high)).sum()) for r in rows),
        frame=frame,
        unused=tuple(run.name for run in chosen if id(run) not in known),
        left_out=left_out,
        settings={"against": against, "strictness": strictness, "along": along},
        origins=origins([run for run, _ in used]),
    )


def compute_each(groups: Sequence[Sequence[Run]], **settings: Any) -> list[RewardLandscapeResult]:
    """Compute several groups, each by itself."""
    return [compute(group, **settings) for group in groups]


def other_axes(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return what a reward can be drawn against: roles first, then other metrics.

    A metric is offered when some run logged it at a step at which it logged a reward.
    """
    found: dict[str, None] = {}
    for run in runs:
        reward = run.roles.get("reward")
        if reward not in run.metrics:
            continue
        rows = run.history[run.history[reward].notna()]
        named = named_metrics(run).items()
        usable = [name for name, m in named if m != reward and rows[m].notna().any()]
        found |= dict.fromkeys(sorted(name for name in usable if name in run.roles))
        found |= dict.fromkeys(usable)
    return tuple(sorted(found, key=lambda name: name != "loss"))


class Joined(NamedTuple):
    """Rows of a run with a reward, the other metric and a place, each array of shape (n,)."""

    step: NDArray[np.int64]
    x: Floats
    other: Floats
    reward: Floats
    places: Alignment
    unjoined: int
    unplaced: int


def join(run: Run, against: str, places: Alignment) -> Joined | None:
    """Return the rows with a reward and another metric; None where that was not logged at all."""
    metric = run.roles.get(against, against)
    if metric not in run.metrics:
        return None
    rows = run.columns([metric, run.roles["reward"]]).set_axis(["other", "reward"], axis=1)
    rows = rows[rows["reward"].notna()]
    whole = rows[np.isfinite(rows.to_numpy(np.float64)).all(axis=1)]
    x = places.at(whole.index)
    there = np.isfinite(x)
    other, reward = whole.to_numpy(np.float64)[there].T
    lost = len(rows) - len(whole), int((~there).sum())
    return Joined(whole.index.to_numpy(np.int64)[there], x[there], other, reward, places, *lost)


def event_pins(result: RewardLandscapeResult, frame: Frame) -> list[list[Pin]]:
    """Return the events of each run, each at the row of its step or the last one before it.

    The x is NaN where the step of the event has no place along the axis.
    """
    labels = [safe(name, 24) for name in short_names([rows.run for rows in result.rows])]
    return [
        [
            event_pin(rows.run, label, event, _place(rows, event, frame), safe(in_words(name)))
            for name, event in rows.events
        ]
        for rows, label in zip(result.rows, labels, strict=True)
    ]


def _place(rows: RewardRows, event: Event, frame: Frame) -> tuple[float, float, float]:
    at = max(0, int(np.searchsorted(rows.step, event.step, side="right")) - 1)
    # The other axis holds most rows, not all.
    other = np.clip(rows.other[at], *frame.known()[1])
    x = rows.x[at] if np.isfinite(rows.places.at([event.step])).all() else np.nan
    return float(x), float(other), float(rows.reward[at])


def _rows(run: Run, found: Joined, n_out: int, most: int, against: str) -> RewardRows:
    step, x, other, reward, places, *lost = found
    # Both metrics have extremes of their own; they share the points.
    each = n_out if len(step) <= n_out else max(8, n_out // 2)
    drawn = np.union1d(thin(x, reward, each), thin(x, other, each))
    path = stretch_medians(np.column_stack([x, other, reward]), most)
    metrics = {"reward": run.roles["reward"], against: run.roles.get(against, against)}
    events = tuple(
        (name, event) for name, metric in metrics.items() for event in find_events(run, metric)
    )
    unjoined, lacking = lost
    return RewardRows(
        run.name, step, x, other, reward, unjoined, drawn, path, places, lacking, events
    )


def _fit(rows: Sequence[RewardRows], strictness: str) -> Surface:
    return fit_surface(
        np.concatenate([r.x for r in rows]),
        np.concatenate([r.other for r in rows]),
        np.concatenate([r.reward for r in rows]),
        run=np.repeat(np.arange(len(rows)), [len(r.step) for r in rows]),
        y_scale="linear",
        z_scale="linear",
        strictness=strictness,
    )


def _frame(rows: Sequence[RewardRows]) -> Frame:
    other = np.concatenate([r.other for r in rows])
    reward = span(*[r.reward for r in rows])
    low, high = (float(q) for q in np.quantile(other, MARGIN))
    wide: Range = (low, high) if high > low else (low - 0.5, high + 0.5)
    return Frame(x=span(*[r.x for r in rows]), y=wide, z=reward, color=reward)


def no_rows(
    runs: Sequence[Run], against: str, along: str, *, lost: bool, chart: str = TITLE
) -> ChartError:
    """Return the error that says why runs with a reward have no row to draw.

    Parameters
    ----------
    runs : sequence of Run
        Those that have a place along the first axis.
    against, along : str
    lost : bool
        Whether there are rows, but at steps without a place.
    chart : str
    """
    if lost:
        return unplaced(f"a reward and a finite {in_words(against)}", along, chart)
    choices = ", ".join(other_axes(runs)) or "none"
    logged = any(run.roles.get(against, against) in run.metrics for run in runs)
    remedy = "" if logged else RECORD.get(against, "")
    return MissingMetric(
        chart,
        f"{against!r} at the steps that have a reward",
        list(dict.fromkeys(metric for run in runs for metric in run.metrics)),
        f"Choose another axis (against one of: {choices}). "
        + (remedy or f"Log {against!r} at the steps that have a reward."),
    )
