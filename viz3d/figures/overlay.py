"""Several groups of runs in one scene, each with a colour of its own on one frame.

Half-transparent surfaces that cross are drawn in the wrong order by WebGL, so these are opaque:
where two cross, the one in front hides the other, as in the world. The edge of support is paler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.errors import BadArgument, ChartError
from viz3d.figures import style
from viz3d.figures.budget import compact, thin, told
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import Frame, Range, padded, union
from viz3d.figures.kinds import module_of
from viz3d.figures.loss_data import RATE_TITLES
from viz3d.figures.text import count, in_words, safe, scene_text, with_names
from viz3d.figures.ticks import even_ticks, log_ticks
from viz3d.run import Run

KINDS = ("loss-landscape", "reward-landscape")
MOST_GROUPS = 8
COLORS = (*style.RUNS, style.INK)

PALER, DARKER = 0.65, 0.45
"""How far the colour goes to white where support ends, and to black for the paths."""

LEVELS = 10
"""Contour lines of each surface."""

POINTS = 750
"""Points of the paths of one group; eight surfaces leave no more room in a figure."""

Floats = NDArray[np.float64]
Groups = Mapping[str, Sequence[Run]]


def chart(groups: Groups, kind: str = "loss-landscape", **settings: Any) -> Chart:
    """Draw several groups of runs over one another.

    Parameters
    ----------
    groups : mapping of str to sequence of Run
        Two to eight groups by title. One without a surface is drawn as its paths.
    kind : {"loss-landscape", "reward-landscape"}
    **settings
        Those of the kind.

    Returns
    -------
    Chart

    Raises
    ------
    BadArgument
        If there are too few or too many groups.
    ChartError
        If this kind is not overlaid, or a group does not hold what it needs.
    """
    if kind not in KINDS:
        raise ChartError(
            f"A {kind} chart is not laid over another: choose the view side by side, or one of: "
            f"{', '.join(KINDS)}."
        )
    if not 2 <= len(groups) <= MOST_GROUPS:
        raise BadArgument(
            f"{count(len(groups), 'group')} cannot be overlaid; choose 2 to {MOST_GROUPS}."
        )
    module = module_of(kind)
    results = module.compute_each(list(groups.values()), **settings)
    frame = union([result.frame for result in results])
    single = [module.finish(result, frame) for result in results]
    titles = list(groups)
    said = {"groups": {t: dict(c.numbers) for t, c in zip(titles, single, strict=True)}}
    words = Words(
        _table(titles, single),
        _summary(module.TITLE, titles, results),
        said,
        tuple(_note(t, r) for t, r in zip(titles, results, strict=True)),
    )
    title = f"{module.TITLE}, overlaid"
    names = (title, *_axes(results[0]))
    pictures = (
        _scene(names, titles, results, frame, kind),
        _flat(names, titles, results, frame, kind),
    )
    made_of = [origin for result in results for origin in result.origins]
    members = {t: [run.name for run in runs] for t, runs in groups.items()}
    chosen = {**results[0].settings, "overlaid": members}
    data = partial(_tidy, titles, single)
    return assemble(kind, title, pictures, words, made_of, chosen, data)


def _axes(result: Any) -> tuple[str, str, str]:
    if hasattr(result, "rows"):
        return "step", in_words(result.against), "reward"
    return "step", RATE_TITLES[result.rate], "loss"


def _table(titles: Sequence[str], charts: Sequence[Chart]) -> pd.DataFrame:
    parts = [c.table.copy() for c in charts]
    for title, part in zip(titles, parts, strict=True):
        part.insert(0, "group", title)
    return pd.concat(parts, ignore_index=True)


def _tidy(titles: Sequence[str], charts: Sequence[Chart]) -> pd.DataFrame:
    """Return the tables of the groups' own charts below each other, for export."""
    parts = [c.data() for c in charts if c.data is not None]
    for title, part in zip(titles, parts, strict=True):
        part.insert(1, "group", title)
    return pd.concat(parts, ignore_index=True)


def _note(title: str, result: Any) -> str:
    """Say how a group is drawn."""
    surface, names = result.surface, _axes(result)
    drawn, total = int(np.isfinite(_lines(result)[:, 0]).sum()), _points(result)
    said = f"{title}: paths show {told(drawn, total)}"
    if hasattr(result, "rows"):
        said = f"{title}: paths are medians of stretches"
    if surface.reason:
        return f"{said}. There is no surface. {with_names(surface.reason, *names)}"
    return f"{said}; a surface over {100 * surface.share:.0f} % of the group's own box."


def _summary(chart_title: str, titles: Sequence[str], results: Sequence[Any]) -> str:
    parts = [
        f"{title} has no surface and is drawn as its paths"
        if result.surface.reason
        else f"the surface of {title} covers {100 * result.surface.share:.0f} % of its own box"
        for title, result in zip(titles, results, strict=True)
    ]
    return f"{chart_title} of {count(len(titles), 'group')} in one scene: {'; '.join(parts)}."


def _scene(
    names: Sequence[str], titles: Sequence[str], results: Sequence[Any], frame: Frame, kind: str
) -> go.Figure:
    x, y, z = frame.known()
    log_y = kind == "loss-landscape"
    traces: list[Any] = []
    for i, (title, result) in enumerate(zip(titles, results, strict=True)):
        if not result.surface.reason:
            traces.append(_surface(result.surface, title, COLORS[i], frame.color or z, names))
        traces += _paths(title, result, COLORS[i], names)
    second = style.axis(scene_text(names[2]), range=padded(y, log=log_y))
    scene = style.scene(
        style.axis(names[1], range=padded(x, share=0.02)),
        {**second, **(log_ticks(y) if log_y else even_ticks(y))},
        style.axis(
            names[3],
            range=padded(z, log=frame.log),
            **(log_ticks(z) if frame.log else even_ticks(z)),
        ),
    )
    return style.figure(
        traces,
        style.layout(
            names[0],
            f"{count(len(titles), 'group')} on the same axes. Paler: support ends.",
            scene=scene,
        ),
    )


def _surface(
    surface: Any, title: str, color: str, levels: Range, names: Sequence[str]
) -> go.Surface:
    low, high = levels
    return go.Surface(
        x=compact(surface.x),
        y=compact(surface.y),
        z=compact(surface.z),
        surfacecolor=np.round(20 * surface.support).astype(np.uint8),
        cmin=0,
        cmax=20,
        colorscale=[[0, _mixed(color, PALER, 255)], [0.95, color], [1, color]],
        showscale=False,
        name=safe(title),
        showlegend=True,
        # The faint lines are at the same heights on every surface.
        contours={
            "z": {
                "show": True,
                "start": low,
                "end": high,
                "size": (high - low) / LEVELS or 1.0,
                "color": style.PAPER,
                "width": 2,
            }
        },
        lighting={"ambient": 0.65, "diffuse": 0.7, "specular": 0.05, "roughness": 0.9},
        hovertemplate=f"{safe(title)}<br>{names[1]} %{{x:,.0f}}<br>{safe(names[2])} %{{y:.3~g}}"
        f"<br>fitted {names[3]} %{{z:.4~g}}<extra></extra>",
    )


def _paths(title: str, result: Any, color: str, names: Sequence[str]) -> list[go.Scatter3d]:
    lines = _lines(result)
    return [
        go.Scatter3d(
            x=compact(lines[:, 0]),
            y=compact(lines[:, 1]),
            z=compact(lines[:, 2]),
            mode="lines",
            name=f"{safe(title)}, runs",
            line={"color": _mixed(color, DARKER, 0), "width": 2},
            showlegend=bool(result.surface.reason),
            hovertemplate=f"{safe(title)}<br>{names[1]} %{{x:,.0f}}<br>{safe(names[2])} "
            f"%{{y:.3~g}}<br>{names[3]} %{{z:.4~g}}<extra></extra>",
        )
    ]


def _lines(result: Any) -> Floats:
    """Paths of all runs of a group as one line with gaps: step, second axis, value."""
    if hasattr(result, "rows"):
        parts = [rows.path for rows in result.rows]
    else:
        current = [path for path in result.paths if not path.superseded]
        parts = [np.column_stack([path.step, path.rate, path.loss]) for path in current]
    each = max(8, POINTS // len(parts))
    gap = np.full((1, 3), np.nan)
    kept = [part[thin(part[:, 0].astype(np.int64), part[:, 2], each)] for part in parts]
    return np.vstack([row for part in kept for row in (part, gap)])


def _flat(
    names: Sequence[str], titles: Sequence[str], results: Sequence[Any], frame: Frame, kind: str
) -> go.Figure:
    """Draw contour lines of each group in its colour, at the same levels for all."""
    x, y, z = frame.known()
    low, high = frame.color or z
    log_y = kind == "loss-landscape"
    traces: list[Any] = []
    for i, (title, result) in enumerate(zip(titles, results, strict=True)):
        if result.surface.reason:
            lines = _lines(result)
            traces.append(
                go.Scatter(
                    x=compact(lines[:, 0]),
                    y=compact(lines[:, 1]),
                    customdata=compact(lines[:, 2]),
                    mode="lines",
                    name=safe(title),
                    line={"color": COLORS[i], "width": 2, "dash": "dot"},
                    hovertemplate=f"{safe(title)}<br>{names[3]} %{{customdata:.4~g}}"
                    "<extra></extra>",
                )
            )
            continue
        surface = result.surface
        size = {"start": low, "end": high, "size": (high - low) / LEVELS or 1.0}
        label = {"showlabels": True, "labelfont": {"color": COLORS[i], "size": 11}}
        traces.append(
            go.Contour(
                x=compact(surface.x),
                y=compact(surface.y),
                z=compact(surface.z),
                contours={"coloring": "none", "labelformat": ".3~g", **size, **label},
                line={"color": COLORS[i], "width": 2},
                connectgaps=False,
                name=safe(title),
                showlegend=True,
                showscale=False,
                hovertemplate=f"{safe(title)}<br>{names[1]} %{{x:,.0f}}<br>{safe(names[2])} "
                f"%{{y:.3~g}}<br>fitted {names[3]} %{{z:.4~g}}<extra></extra>",
            )
        )
    second = style.axis(names[2], range=padded(y, log=log_y), zeroline=False)
    layout = style.flat_layout(
        names[0],
        "Contour lines at the same levels for each group; dotted: no surface.",
        style.axis(names[1], range=padded(x, share=0.02), zeroline=False),
        {**second, **(log_ticks(y) if log_y else {})},
    )
    return style.figure(traces, layout)


def _points(result: Any) -> int:
    if hasattr(result, "rows"):
        return sum(len(rows.path) for rows in result.rows)
    return sum(path.total for path in result.paths if not path.superseded)


def _mixed(color: str, share: float, level: int) -> str:
    """Mix a colour with a grey of that level, 0 to 255."""
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = (round(part + share * (level - part)) for part in parts)
    return f"rgb({', '.join(map(str, mixed))})"
