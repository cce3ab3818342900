"""Draw the rows of the explore chart: a trace for each of few runs, one trace for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.crowd import place_scale
from viz3d.figures.explore_data import ExploreResult
from viz3d.figures.explore_rows import ExploreAxis, ExploreRows
from viz3d.figures.frame import Range, padded
from viz3d.figures.surface_traces import color_scale
from viz3d.figures.text import Drawn, safe, scene_text
from viz3d.figures.ticks import even_ticks, log_ticks

Floats = NDArray[np.float64]

CODES = 0.5
"""Room beside the first and the last category of an axis."""


def axis_settings(axis: ExploreAxis, limits: Range, *, flat: bool = False) -> dict[str, Any]:
    """Return the settings of one axis of the scene or of the flat twin."""
    text = safe if flat else scene_text
    names = axis.what.categories
    if names:
        ticks = {
            "tickmode": "array",
            "tickvals": list(range(len(names))),
            "ticktext": [text(name, 24) for name in names],
        }
        return style.axis(text(axis.title), range=[-CODES, len(names) - 1 + CODES], **ticks)
    ticks = log_ticks(limits) if axis.log else even_ticks(limits)
    more = {"zeroline": False} if flat else {}
    return style.axis(text(axis.title), range=padded(limits, log=axis.log), **ticks, **more)


def scene_traces(result: ExploreResult, *, line: bool) -> list[go.Scatter3d]:
    """Return the rows in the scene, as lines or as points."""
    traces = []
    for i, (rows, label) in enumerate(_groups(result)):
        points, step, text = _joined(rows, label)
        look = _look(result, i, points, rows)
        drawn = {"mode": "lines", "line": look | {"width": 4 if len(rows) == 1 else 2.5}}
        if not line:
            drawn = {"mode": "markers", "marker": look | {"size": 3 if _many(result) else 4}}
        traces.append(
            go.Scatter3d(
                x=compact(points[:, 0]),
                y=compact(points[:, 1]),
                z=compact(points[:, 2]),
                customdata=compact(step),
                name=label,
                showlegend=_named(result),
                text=text,
                hovertemplate=_hover(result, rows, ("x", "y", "z")),
                **drawn,
            )
        )
    return traces


def flat_traces(result: ExploreResult, colors: ExploreAxis, limits: Range) -> list[go.Scatter]:
    """Return the rows in the plane of x and z, coloured by y."""
    traces = []
    # Shades of many runs would read as shades of y.
    own = len(result.rows) <= len(style.RUNS)
    for i, (rows, label) in enumerate(_groups(result)):
        points, step, text = _joined(rows, label)
        color = style.run_color(i, len(result.rows)) if own else style.FAINT
        traces.append(
            go.Scatter(
                x=compact(points[:, 0]),
                y=compact(points[:, 2]),
                customdata=compact(np.column_stack([step, points[:, 1]])),
                mode="lines+markers" if result.draw == "path" else "markers",
                name=label,
                showlegend=own and _named(result) and result.draw == "path",
                line={"color": color, "width": 1},
                marker={
                    "size": 4 if result.draw == "path" else 6,
                    "color": compact(np.log10(points[:, 1]) if colors.log else points[:, 1]),
                    **_shade(colors, limits, bar=i == 0),
                },
                text=text,
                hovertemplate=_hover(result, rows, ("x", "customdata[1]", "y"), "customdata[0]"),
            )
        )
    return traces


def ground_traces(result: ExploreResult) -> list[go.Scatter]:
    """Return where the rows lie in the plane of x and y, on top of a heat map."""
    return [
        go.Scatter(
            x=compact(points[:, 0]),
            y=compact(points[:, 1]),
            mode="lines" if _along_step(result) else "markers",
            name=label,
            showlegend=False,
            # Neither white nor black: the rows go beyond the map.
            line={"color": style.PATH, "width": 1.5},
            marker={"color": style.PATH, "size": 3},
            hoverinfo="skip",
        )
        for rows, label in _groups(result)
        for points, _, _ in [_joined(rows, label)]
    ]


def draws_lines(result: ExploreResult) -> bool:
    """Whether rows are joined by lines: as paths, and on a surface where they follow the step."""
    return result.draw == "path" or (result.draw == "surface" and _along_step(result))


def _along_step(result: ExploreResult) -> bool:
    return any(axis.what.kind == "step" for axis in result.axes[:2])


def _many(result: ExploreResult) -> bool:
    return len(result.rows) > style.MOST_NAMED


def _named(result: ExploreResult) -> bool:
    """Whether runs stand in the legend: where the colour tells them apart."""
    return result.color is None and not result.is_map and style.named(len(result.rows))


def _groups(result: ExploreResult) -> list[tuple[Sequence[ExploreRows], Drawn]]:
    """Rows that share a trace, with its name."""
    if _many(result):
        return [(result.rows, f"{len(result.rows):,} runs")]
    return [([rows], rows.label) for rows in result.rows]


def _joined(
    rows: Sequence[ExploreRows], label: Drawn
) -> tuple[Floats, Floats, Drawn | list[Drawn]]:
    """Points and steps that are drawn, with a gap behind each of several runs; hover texts."""
    if len(rows) == 1:
        return rows[0].points[rows[0].drawn], rows[0].step[rows[0].drawn].astype(float), label
    gap = np.full((1, rows[0].points.shape[1]), np.nan)
    points = np.vstack([part for one in rows for part in (one.points[one.drawn], gap)])
    step = np.concatenate([np.r_[one.step[one.drawn], np.nan] for one in rows])
    return points, step, [one.label for one in rows for _ in range(len(one.drawn) + 1)]


def _look(
    result: ExploreResult, i: int, points: Floats, rows: Sequence[ExploreRows]
) -> dict[str, Any]:
    """Colour of a trace: that of the fourth quantity, of the run, or of the runs' places."""
    if result.color is not None:
        limits = result.frame.color or (0.0, 1.0)
        return {"color": compact(points[:, 3]), **_shade(result.color, limits, bar=i == 0)}
    if result.is_map:
        return {"color": style.INK}
    if len(rows) == 1:
        return {"color": style.run_color(i, len(result.rows))}
    place = np.repeat(np.arange(len(rows)), [len(one.drawn) + 1 for one in rows])
    return {"color": compact(place), **place_scale([one.label for one in rows])}


def _shade(axis: ExploreAxis, limits: Range, *, bar: bool) -> dict[str, Any]:
    """Return colour settings; categories have a colour each."""
    title, names = safe(axis.title), axis.what.categories
    if not names:
        return color_scale(limits, title, log=axis.log, prefix="c", bar=bar)
    n = len(names)
    steps = [
        [edge / n, style.run_color(i, n) if n > 1 else style.RUNS[0]]
        for i in range(n)
        for edge in (i, i + 1)
    ]
    ticks = {"tickmode": "array", "tickvals": list(range(n)), "ticktext": [*map(safe, names)]}
    return {
        "colorscale": steps,
        "cmin": -CODES,
        "cmax": n - 1 + CODES,
        "showscale": bar,
        "colorbar": style.color_bar(title, **ticks) if bar else None,
    }


def _hover(
    result: ExploreResult,
    rows: Sequence[ExploreRows],
    where: tuple[Drawn, Drawn, Drawn],
    step: Drawn = "customdata",
) -> Drawn:
    """Return the hover template: the run, the step, and each axis by name."""
    said = [f"step %{{{step}:,d}}"]
    for axis, place in zip(result.axes, where, strict=True):
        if axis.what.kind == "step":
            continue
        if not axis.what.categories:
            said.append(f"{safe(axis.title)} %{{{place}:.4~g}}")
        elif len(rows) == 1:
            name = axis.what.categories[int(rows[0].points[0, result.axes.index(axis)])]
            said.append(f"{safe(axis.title)} {safe(name)}")
    if result.color is not None and not result.color.what.categories and step == "customdata":
        kind = "line" if draws_lines(result) else "marker"
        said.append(f"{safe(result.color.title)} %{{{kind}.color:.4~g}}")
    return "%{text}<br>" + "<br>".join(said) + "<extra></extra>"
