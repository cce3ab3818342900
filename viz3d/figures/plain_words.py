"""What the plain view of training dynamics says in words and numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from viz3d.figures.budget import told
from viz3d.figures.event_words import summed_up, tally
from viz3d.figures.plain_data import PlainResult
from viz3d.figures.text import Drawn, count, in_words, listed, say, unique_names, wrapped


def numbers(result: PlainResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    names = unique_names([path.run for path in result.paths])
    last = {run: path.points[-1] for run, path in zip(names, result.paths, strict=True)}
    return {
        "runs": len(result.paths),
        "axes": list(result.axes),
        "events": tally(event for path in result.paths for _, event in path.events),
        "points_drawn": sum(len(path.step) for path in result.paths),
        "points_total": sum(path.total for path in result.paths),
        "last": {run: dict(zip(result.axes, point, strict=True)) for run, point in last.items()},
    }


def summary(result: PlainResult) -> str:
    """Return one paragraph that reads well aloud."""
    names = [in_words(axis) for axis in result.axes]
    ends = [
        f"{path.run} goes from "
        + ", ".join(
            f"{name} {say(a)} to {say(b)}"
            for name, a, b in zip(names, path.points[0], path.points[-1], strict=True)
        )
        for path in result.paths[:3]
    ]
    more = len(result.paths) - len(ends)
    text = f"Paths of {count(len(result.paths), 'run')} through {listed(names)}. "
    text += "; ".join(ends) + (f"; and {more:,} more." if more else ".")
    return " ".join(part for part in (text, summed_up(numbers(result)["events"])) if part)


def notes(result: PlainResult) -> tuple[str, ...]:
    """Return what was left out or thinned, with counts."""
    drawn = sum(len(path.step) for path in result.paths)
    unjoined = sum(path.unjoined for path in result.paths)
    said = [
        f"Faint paths show {told(drawn, sum(path.total for path in result.paths))}; bold ones are "
        "medians of stretches."
    ]
    if unjoined:
        said.append(
            f"{count(unjoined, 'row')} without a finite value of all three metrics left out."
        )
    if result.unused:
        needed = f"finite values of all three at one step: {listed(list(result.unused))}"
        said.append(f"Not drawn, for want of {needed}.")
    return tuple(said)


def table(result: PlainResult) -> pd.DataFrame:
    """Return the last point of each run."""
    rows = [
        {"run": path.run, "step": int(path.step[-1])}
        | dict(zip(result.axes, path.points[-1].tolist(), strict=True))
        for path in result.paths
    ]
    return pd.DataFrame(rows)


def subtitle(result: PlainResult) -> Drawn:
    """Return the line under the title."""
    drawn = sum(len(path.step) for path in result.paths)
    total = sum(path.total for path in result.paths)
    return wrapped(f"{count(len(result.paths), 'run')}, {told(drawn, total)}.")
