"""What the explore chart says in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from viz3d.figures.budget import told
from viz3d.figures.explore_data import ExploreResult
from viz3d.figures.explore_rows import ExploreAxis, ExploreRows
from viz3d.figures.text import (
    Drawn,
    count,
    listed,
    say,
    short_names,
    unique_names,
    with_names,
    wrapped,
)

NAMED = 3
"""Runs whose way is told in the summary."""


def numbers(result: ExploreResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    names = unique_names([rows.run for rows in result.rows])
    last = {run: _values(result, rows, -1) for run, rows in zip(names, result.rows, strict=True)}
    return {
        "runs": len(result.rows),
        "axes": [axis.what.name for axis in _shown(result)],
        "drawn_as": result.draw,
        "points_drawn": sum(len(rows.drawn) for rows in result.rows),
        "points_total": sum(len(rows.step) for rows in result.rows),
        "rows_unjoined": sum(rows.unjoined for rows in result.rows),
        "rows_nonfinite": sum(rows.nonfinite for rows in result.rows),
        "rows_off_log_axes": sum(rows.below for rows in result.rows),
        "share_supported": result.share,
        "last": last,
    }


def summary(result: ExploreResult, said: Mapping[str, Any]) -> str:
    """Return one paragraph that reads well aloud."""
    x, y, z = (axis.title for axis in result.axes)
    text = f"{_first_upper(z)} over {x} and {y} of {count(said['runs'], 'run')}"
    logs = [axis.title for axis in result.axes if axis.log]
    text += f", with {listed(logs)} on a log scale. " if logs else ". "
    if result.color is not None:
        text += f"The colour is {result.color.title}. "
    if said["share_supported"] is not None:
        text += _about_surface(result)
    names = short_names([rows.run for rows in result.rows])
    ends = [
        _way(result, rows, name) for rows, name in zip(result.rows[:NAMED], names, strict=False)
    ]
    more = len(result.rows) - len(ends)
    return text + "; ".join(ends) + (f"; and {count(more, 'more run')}." if more else ".")


def notes(result: ExploreResult, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what was joined, left out or thinned, with counts."""
    x, y, z = (axis.title for axis in result.axes)
    drawn = {"path": "Paths", "points": "Points", "surface": "Data on the surface"}[result.draw]
    found = [f"{drawn} show {told(said['points_drawn'], said['points_total'])}."]
    if result.instead:
        found.append(result.instead)
    if result.surface is not None:
        found += [_about_surface(result).strip(), *_dropped(result)]
    metrics = [axis.title for axis in _shown(result) if axis.what.kind == "metric"]
    if said["rows_unjoined"]:
        found.append(
            f"{count(said['rows_unjoined'], 'row')} without a partner left out: values are joined "
            f"where {listed(metrics)} stand at the same step, and none is carried forward."
        )
    if said["rows_nonfinite"]:
        found.append(f"{count(said['rows_nonfinite'], 'row')} with NaN or infinity left out.")
    if said["rows_off_log_axes"]:
        logs = listed([axis.title for axis in result.axes if axis.log])
        found.append(
            f"{count(said['rows_off_log_axes'], 'row')} left out: a log axis cannot show a value "
            f"of {logs} that is not above 0."
        )
    found.append(
        f"The flat view is a map of {z} over {x} and {y}."
        if result.is_map
        else f"The flat view shows {z} over {x}; its colour is {y}."
    )
    if result.unused:
        every = f"a point with a value on every axis: {listed(list(result.unused))}"
        found.append(f"Not drawn, for want of {every}.")
    return tuple(found)


def table(result: ExploreResult) -> pd.DataFrame:
    """Return the first and the last row of each run."""
    found = []
    for rows in result.rows:
        row: dict[str, Any] = {"run": rows.run, "rows": len(rows.step)}
        row |= {"first step": int(rows.step[0]), "last step": int(rows.step[-1])}
        first, last = _values(result, rows, 0), _values(result, rows, -1)
        for axis in dict.fromkeys(_shown(result)):
            if axis.what.constant:
                row[axis.title] = last[axis.what.name]
            elif axis.what.kind == "metric":
                row[f"first {axis.title}"] = first[axis.what.name]
                row[f"last {axis.title}"] = last[axis.what.name]
        found.append(row)
    return pd.DataFrame(found)


def subtitle(result: ExploreResult) -> Drawn:
    """Return the line under the title."""
    drawn = sum(len(rows.drawn) for rows in result.rows)
    total = sum(len(rows.step) for rows in result.rows)
    text = f"{count(len(result.rows), 'run')}, {told(drawn, total)}."
    if result.surface is not None and result.surface.reason:
        text += " No surface is supported."
    return wrapped(text)


def _shown(result: ExploreResult) -> tuple[ExploreAxis, ...]:
    return (*result.axes, result.color) if result.color is not None else result.axes


def _values(result: ExploreResult, rows: ExploreRows, i: int) -> dict[str, float | str]:
    """Values of one row, categories by name."""
    found: dict[str, float | str] = {}
    for axis, value in zip(_shown(result), rows.points[i].tolist(), strict=True):
        names = axis.what.categories
        found[axis.what.name] = names[int(value)] if names else value
    return found


def _way(result: ExploreResult, rows: ExploreRows, name: str) -> str:
    """Say where a run begins and ends, or where it stands."""
    first, last = _values(result, rows, 0), _values(result, rows, -1)
    parts = []
    for axis in dict.fromkeys(result.axes):
        a, b = (_told(values[axis.what.name]) for values in (first, last))
        moves = not axis.what.constant and len(rows.step) > 1
        parts.append(f"{axis.title} {a} to {b}" if moves else f"{axis.title} {b}")
    verb = "goes from" if len(rows.step) > 1 else "stands at"
    return f"{name} {verb} {', '.join(parts)}"


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else say(value)


def _about_surface(result: ExploreResult) -> str:
    surface = result.surface
    if surface is None:
        return ""
    if surface.reason:
        names = [axis.title for axis in result.axes]
        return f"There is no surface. {with_names(surface.reason, *names)} "
    share = f"{100 * surface.share:.0f}" if surface.share >= 0.01 else "less than 1"
    return f"The fitted surface is supported over {share} % of the box. "


def _dropped(result: ExploreResult) -> list[str]:
    assert result.surface is not None
    return [
        f"The fit leaves out {count(n, 'row')} {reason}."
        for reason, n in result.surface.dropped.items()
        if n
    ]


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
