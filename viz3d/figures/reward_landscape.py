"""Reward landscape: reward over step x loss, along the path that training took.

Both axes but the step are outcomes, so this is an association along the run. It does not say what
the reward would be at another loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.budget import compact, told
from viz3d.figures.chart import Chart
from viz3d.figures.frame import Frame, Range, padded
from viz3d.figures.provenance import plain, stamp
from viz3d.figures.reward_data import (
    KIND,
    TITLE,
    RewardLandscapeResult,
    RewardRows,
    compute,
    compute_each,
    other_axes,
)
from viz3d.figures.surface_traces import color_scale, heat_traces, surface_traces
from viz3d.figures.text import count, listed, safe, say, short_names, wrapped
from viz3d.run import Run

__all__ = [
    "KIND",
    "TITLE",
    "RewardLandscapeResult",
    "chart",
    "compute",
    "compute_each",
    "draw",
    "draw_flat",
    "finish",
    "other_axes",
    "reward_landscape",
]

CAPTION = "Association along the run, not a response surface."


def draw(result: RewardLandscapeResult, frame: Frame | None = None) -> go.Figure:
    """Draw rows as points, paths with curtains below them, and a surface where one is supported."""
    frame = frame or result.frame
    x, y, z = frame.known()
    floor = padded(z)[0]
    colors = frame.color or z
    titles = _titles(result)
    surfaces = surface_traces(result.surface, colors, titles, log=False)
    for trace in surfaces:
        trace.opacity = 0.55 * trace.opacity
        trace.showscale = False
    traces: list[Any] = [*surfaces, *_points(result, colors), *_curtains(result, floor)]
    traces += _paths(result)
    scene = style.scene(
        style.axis(titles[0], range=padded(x, share=0.02)),
        style.axis(titles[1], range=padded(y)),
        style.axis(titles[2], range=padded(z)),
    )
    return style.figure(traces, style.layout(TITLE, _subtitle(result), scene=scene))


def draw_flat(result: RewardLandscapeResult, frame: Frame | None = None) -> go.Figure:
    """Draw rows and paths in the plane of step and the other metric, coloured by reward."""
    frame = frame or result.frame
    x, y, z = frame.known()
    colors = frame.color or z
    titles = _titles(result)
    traces = heat_traces(result.surface, colors, titles, log=False)
    for trace in traces:
        trace.showscale = False
    labels = _labels(result)
    for i, (rows, label) in enumerate(zip(result.rows, labels, strict=True)):
        traces.append(
            go.Scatter(
                x=compact(rows.step[rows.drawn]),
                y=compact(rows.other[rows.drawn]),
                mode="markers",
                name=label,
                showlegend=False,
                marker={
                    "size": 5,
                    "color": compact(rows.reward[rows.drawn]),
                    "line": {"width": 0.5, "color": style.PAPER},
                    **color_scale(colors, "reward", log=False, prefix="c", bar=i == 0),
                },
                hovertemplate=_hover(result, label, "%{marker.color:.4~g}"),
            )
        )
        traces.append(_flat_path(rows, label, style.run_color(i, len(labels))))
    layout = style.flat_layout(
        TITLE,
        _subtitle(result),
        style.axis(titles[0], range=padded(x, share=0.02), zeroline=False),
        style.axis(titles[1], range=padded(y), zeroline=False),
    )
    return style.figure(traces, layout)


def finish(result: RewardLandscapeResult, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together."""
    said = numbers(result)
    about = (KIND, result.origins, result.settings, said)
    return Chart(
        kind=KIND,
        title=TITLE,
        figure=stamp(draw(result, frame), *about),
        flat=stamp(draw_flat(result, frame), *about),
        table=_table(result),
        summary=_summary(result, said),
        numbers=plain(said),
        notes=_notes(result, said),
    )


def chart(runs: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the reward landscape; see `compute` for settings and errors."""
    return finish(compute(runs, **settings))


def reward_landscape(runs: Run | Sequence[Run], **settings: Any) -> go.Figure:
    """Draw reward over step and loss, with the paths that the runs took.

    Parameters
    ----------
    runs : Run or sequence of Run
        Runs with a reward.
    against : str
        Role or metric on the second axis, default ``"loss"``.
    strictness : {"default", "strict", "loose"}
        Where a fitted surface may be drawn.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    MissingMetric
        If no run has a reward, or none has the other metric at the same steps.
    ValueError
        If a setting is none of its choices.
    """
    return chart(runs, **settings).figure


def numbers(result: RewardLandscapeResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    best = max(result.rows, key=lambda rows: rows.path[:, 2].max())
    at = int(best.path[:, 2].argmax())
    return {
        "runs": len(result.rows),
        "against": result.against,
        "first_reward": {rows.run: rows.path[0, 2] for rows in result.rows},
        "last_reward": {rows.run: rows.path[-1, 2] for rows in result.rows},
        "best_median_reward": best.path[at, 2],
        "best_at_step": round(best.path[at, 0]),
        "best_run": best.run,
        "rank_correlation": _rank_correlation(result),
        "share_supported": 0.0 if result.surface.reason else float(result.surface.share),
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


def _summary(result: RewardLandscapeResult, said: Mapping[str, Any]) -> str:
    name = _name(result)
    moves = [
        f"{rows.run} goes from {say(rows.path[0, 2])} to {say(rows.path[-1, 2])}"
        for rows in result.rows[:3]
    ]
    text = (
        f"Reward of {count(said['runs'], 'run')} over step and {name}; medians of stretches: "
        f"{'; '.join(moves)}. The highest median, {say(said['best_median_reward'])}, is at step "
        f"{said['best_at_step']:,} of {said['best_run']}. "
    )
    if said["rank_correlation"] is not None:
        text += (
            f"The rank correlation of reward with {name} along the run is "
            f"{said['rank_correlation']:.2f}. "
        )
    return text + CAPTION


def _notes(result: RewardLandscapeResult, said: Mapping[str, Any]) -> tuple[str, ...]:
    unjoined = sum(rows.unjoined for rows in result.rows)
    surface = result.surface
    notes = [
        f"{CAPTION} Noise in {_name(result)} makes slopes along its axis look flatter than they "
        "are.",
        f"Points show {told(said['points_drawn'], said['points_total'])}; the path is the median "
        f"of each of up to {max(len(rows.path) for rows in result.rows):,} stretches.",
        f"There is no surface: {surface.reason}"
        if surface.reason
        else f"A surface is supported over {100 * surface.share:.0f} % of the box.",
    ]
    if unjoined:
        notes.append(
            f"{count(unjoined, 'row')} with a reward but no finite {_name(result)} left out."
        )
    if result.outside:
        notes.append(
            f"{count(result.outside, 'row')} outside the {_name(result)} axis, which holds 99 % "
            "of them."
        )
    if result.unused:
        notes.append(f"Not drawn, for want of a metric: {listed(list(result.unused))}.")
    return tuple(notes)


def _table(result: RewardLandscapeResult) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": rows.run,
            "rows": len(rows.step),
            "first median reward": rows.path[0, 2],
            "last median reward": rows.path[-1, 2],
            "highest reward": rows.reward.max(),
            "at step": int(rows.step[rows.reward.argmax()]),
        }
        for rows in result.rows
    )


def _name(result: RewardLandscapeResult) -> str:
    words = {"grad_norm": "gradient norm", "learning_rate": "learning rate"}
    return words.get(result.against, result.against)


def _titles(result: RewardLandscapeResult) -> tuple[str, str, str]:
    return "step", safe(_name(result)), "reward"


def _labels(result: RewardLandscapeResult) -> list[str]:
    return [safe(name, 24) for name in short_names([rows.run for rows in result.rows])]


def _subtitle(result: RewardLandscapeResult) -> str:
    drawn = sum(len(rows.drawn) for rows in result.rows)
    total = sum(len(rows.step) for rows in result.rows)
    return wrapped(f"{CAPTION} {count(len(result.rows), 'run')}, {told(drawn, total)}.")


def _hover(result: RewardLandscapeResult, label: str, reward: str) -> str:
    name = _titles(result)[1]
    return f"{label}<br>step %{{x:,.0f}}<br>{name} %{{y:.4~g}}<br>reward {reward}<extra></extra>"


def _points(result: RewardLandscapeResult, colors: Range) -> list[go.Scatter3d]:
    return [
        go.Scatter3d(
            x=compact(rows.step[rows.drawn]),
            y=compact(rows.other[rows.drawn]),
            z=compact(rows.reward[rows.drawn]),
            mode="markers",
            name=label,
            showlegend=False,
            marker={
                "size": 2.5,
                "color": compact(rows.reward[rows.drawn]),
                **color_scale(colors, "reward", log=False, prefix="c", bar=i == 0),
            },
            hovertemplate=_hover(result, label, "%{z:.4~g}"),
        )
        for i, (rows, label) in enumerate(zip(result.rows, _labels(result), strict=True))
    ]


def _curtains(result: RewardLandscapeResult, floor: float) -> list[go.Surface]:
    """Hang a curtain from each path to the floor, so that its place in the plane can be seen."""
    n = len(result.rows)
    if n > style.MOST_NAMED:
        return []
    traces = []
    for i, rows in enumerate(result.rows):
        step, other, reward = rows.path.T
        color = style.run_color(i, n)
        traces.append(
            go.Surface(
                x=compact(np.vstack([step, step])),
                y=compact(np.vstack([other, other])),
                z=compact(np.vstack([np.full_like(reward, floor), reward])),
                surfacecolor=np.zeros((2, len(step)), dtype=np.float32),
                colorscale=[[0, color], [1, color]],
                opacity=0.18,
                showscale=False,
                hoverinfo="skip",
            )
        )
    return traces


def _paths(result: RewardLandscapeResult) -> list[go.Scatter3d]:
    n = len(result.rows)
    return [
        go.Scatter3d(
            x=compact(rows.path[:, 0]),
            y=compact(rows.path[:, 1]),
            z=compact(rows.path[:, 2]),
            mode="lines",
            name=f"{label}, median" if n > 1 else "median of stretches",
            showlegend=n <= style.MOST_NAMED,
            line={"color": style.run_color(i, n), "width": 5},
            hovertemplate=_hover(result, f"{label}, median of a stretch", "%{z:.4~g}"),
        )
        for i, (rows, label) in enumerate(zip(result.rows, _labels(result), strict=True))
    ]


def _flat_path(rows: RewardRows, label: str, color: str) -> go.Scatter:
    return go.Scatter(
        x=compact(rows.path[:, 0]),
        y=compact(rows.path[:, 1]),
        mode="lines",
        name=f"{label}, median",
        line={"color": color, "width": 2.5},
        hoverinfo="skip",
    )
