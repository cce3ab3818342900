"""What all overlays share: groups of runs by title, and the group in names, tables and pins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from viz3d.figures.pins import Pin
from viz3d.figures.text import Drawn, safe
from viz3d.run import Run

Groups = Mapping[str, Sequence[Run]]


def overlaid(groups: Groups) -> dict[str, Any]:
    """Return the part of a chart's settings that says which runs were in which group."""
    return {"overlaid": {title: [run.name for run in runs] for title, runs in groups.items()}}


def by_group(titles: Sequence[str], tables: Sequence[pd.DataFrame], place: int = 0) -> pd.DataFrame:
    """Put the tables of groups below each other, with the group among the columns."""
    parts = [table.copy() for table in tables]
    for title, part in zip(titles, parts, strict=True):
        part.insert(place, "group", title)
    return pd.concat(parts, ignore_index=True)


def in_group(group: str, label: Drawn, alone: bool) -> Drawn:
    """Return the name of a run with that of its group, unless it is `alone` in the group."""
    title = safe(group, 24)
    return title if alone else f"{title}, {label}"


def in_color(pins: Sequence[Sequence[Pin]], group: str, color: str) -> list[list[Pin]]:
    """Return the pins of each run of a group in its colour and with its name."""
    alone = len(pins) == 1
    return [
        [replace(pin, label=in_group(group, pin.label, alone), color=color) for pin in some]
        for some in pins
    ]
