"""Draw the rows of the reward landscape: points, paths, and curtains below the paths."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from viz3d.analysis.alignment import AXES
from viz3d.figures import style
from viz3d.figures.along import x_format
from viz3d.figures.budget import compact
from viz3d.figures.crowd import crowd
from viz3d.figures.frame import Range
from viz3d.figures.reward_data import RewardLandscapeResult
from viz3d.figures.surface_traces import color_scale
from viz3d.figures.text import Drawn, in_words, safe, short_names


def names(result: RewardLandscapeResult) -> tuple[Drawn, Drawn, Drawn]:
    """Return the names of the axes."""
    return AXES[result.along], safe(in_words(result.against)), "reward"


def _labels(result: RewardLandscapeResult) -> list[Drawn]:
    return [safe(name, 24) for name in short_names([rows.run for rows in result.rows])]


def _hover(result: RewardLandscapeResult, label: Drawn, reward: Drawn) -> Drawn:
    along, name, _ = names(result)
    where = f"{along} %{{x:{x_format(result.along)}}}"
    return f"{label}<br>{where}<br>{name} %{{y:.4~g}}<br>reward {reward}<extra></extra>"


def points(result: RewardLandscapeResult, colors: Range) -> list[go.Scatter3d]:
    """Draw the rows as points, coloured by reward."""
    if len(result.rows) > style.MOST_NAMED:
        return [_all_points(result, colors)]
    return [
        go.Scatter3d(
            x=compact(rows.x[rows.drawn]),
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


def _all_points(result: RewardLandscapeResult, colors: Range) -> go.Scatter3d:
    """Draw the points of many runs as one trace."""
    reward = np.concatenate([rows.reward[rows.drawn] for rows in result.rows])
    look = color_scale(colors, "reward", log=False, prefix="c", bar=True)
    return go.Scatter3d(
        x=compact(np.concatenate([rows.x[rows.drawn] for rows in result.rows])),
        y=compact(np.concatenate([rows.other[rows.drawn] for rows in result.rows])),
        z=compact(reward),
        mode="markers",
        showlegend=False,
        marker={"size": 2, "color": compact(reward), **look},
        hovertemplate=_hover(result, f"one of {len(result.rows):,} runs", "%{z:.4~g}"),
    )


def curtains(result: RewardLandscapeResult, floor: float) -> list[go.Surface]:
    """Hang a curtain from each path to the floor, so that its place in the plane can be seen."""
    n = len(result.rows)
    if n > style.MOST_NAMED:
        return []
    traces = []
    for i, rows in enumerate(result.rows):
        x, other, reward = rows.path.T
        color = style.run_color(i, n)
        traces.append(
            go.Surface(
                x=compact(np.vstack([x, x])),
                y=compact(np.vstack([other, other])),
                z=compact(np.vstack([np.full_like(reward, floor), reward])),
                surfacecolor=np.zeros((2, len(x)), dtype=np.float32),
                colorscale=[[0, color], [1, color]],
                opacity=0.18,
                showscale=False,
                hoverinfo="skip",
            )
        )
    return traces


def paths(result: RewardLandscapeResult) -> list[go.Scatter3d]:
    """Draw the medians of stretches of each run as a path."""
    n = len(result.rows)
    if n > style.MOST_NAMED:
        parts = [np.column_stack([rows.path, rows.path[:, 0]]) for rows in result.rows]
        said = _hover(result, "%{text}, median of a stretch", "%{z:.4~g}")
        return [crowd(parts, _labels(result), said, width=4)]
    return [
        go.Scatter3d(
            x=compact(rows.path[:, 0]),
            y=compact(rows.path[:, 1]),
            z=compact(rows.path[:, 2]),
            mode="lines",
            name=f"{label}, median" if n > 1 else "median of stretches",
            line={"color": style.run_color(i, n), "width": 5},
            showlegend=n == 1 or style.named(n),
            hovertemplate=_hover(result, f"{label}, median of a stretch", "%{z:.4~g}"),
        )
        for i, (rows, label) in enumerate(zip(result.rows, _labels(result), strict=True))
    ]


def flat_points(result: RewardLandscapeResult, colors: Range) -> list[go.Scatter]:
    """Draw the rows of each run as points; of many runs all in one trace."""
    parts = list(zip(result.rows, _labels(result), strict=True))
    groups = [([rows], label) for rows, label in parts]
    if len(parts) > style.MOST_NAMED:
        groups = [(list(result.rows), f"one of {len(parts):,} runs")]
    return [
        go.Scatter(
            x=compact(np.concatenate([rows.x[rows.drawn] for rows in some])),
            y=compact(np.concatenate([rows.other[rows.drawn] for rows in some])),
            mode="markers",
            name=label,
            showlegend=False,
            marker={
                "size": 5,
                "color": compact(np.concatenate([rows.reward[rows.drawn] for rows in some])),
                "line": {"width": 0.5, "color": style.PAPER},
                **color_scale(colors, "reward", log=False, prefix="c", bar=i == 0),
            },
            hovertemplate=_hover(result, label, "%{marker.color:.4~g}"),
        )
        for i, (some, label) in enumerate(groups)
    ]


def flat_paths(result: RewardLandscapeResult) -> list[go.Scatter]:
    """Draw the same paths in the plane of step and the other metric."""
    n = len(result.rows)
    return [
        go.Scatter(
            x=compact(rows.path[:, 0]),
            y=compact(rows.path[:, 1]),
            mode="lines",
            name=f"{label}, median" if n > 1 else "median of stretches",
            line={"color": style.run_color(i, n), "width": 2.5},
            showlegend=n == 1 or style.named(n),
            hoverinfo="skip",
        )
        for i, (rows, label) in enumerate(zip(result.rows, _labels(result), strict=True))
    ]
