"""Learns from the files beside event files what the steps of those count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from viz3d.formats import tensorboard
from viz3d.formats.rows import Rows
from viz3d.formats.units import Unit
from viz3d.run import counted


def with_counts_of_events(units: Sequence[Unit]) -> list[Unit]:
    """Let event files count what a file beside them counts, where the numbers plainly agree.

    An event has a step, and nothing says whether it is one of the optimizer, an epoch
    (Ultralytics) or a step of an environment (Stable-Baselines3). Where a third file counts steps,
    or the event files are of several writers, theirs stay what they are called.
    """
    ours = [rows for unit in units if unit.form is tensorboard for rows in unit.rows]
    others = [rows for unit in units if unit.form is not tensorboard for rows in unit.rows]
    counts = [(counted(rows.counted_by), rows) for rows in others if len(rows.step)]
    if len(ours) != 1 or not len(ours[0].step) or any(count == "step" for count, _ in counts):
        return list(units)
    found = next((count for count, rows in counts if _agree(count, rows, ours[0])), "step")
    return [_counting(found, unit) if unit.form is tensorboard else unit for unit in units]


def _agree(count: str, rows: Rows, events: Rows) -> bool:
    """Say whether events are counted as the rows are, which are counted by `count`.

    Not each evaluation of an agent is at a step that was logged: they only get about as far.
    """
    first, last, begun, ended = (
        int(end) for each in (rows, events) for end in (each.step.min(), each.step.max())
    )
    if count == "total_timesteps":
        return last <= 2 * ended and ended <= 2 * last
    return count == "epoch" and last == ended and abs(first - begun) <= 1


def _counting(count: str, unit: Unit) -> Unit:
    parts = (
        replace(part, rows=part.rows and replace(part.rows, counted_by=count))
        for part in unit.parts
    )
    return replace(unit, parts=tuple(parts))
