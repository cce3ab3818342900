"""Learns from the files beside event files what the steps of those count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from viz3d.formats import tensorboard
from viz3d.formats.base import Parsed
from viz3d.formats.rows import Rows
from viz3d.formats.two_loggers import count_alike
from viz3d.formats.units import Unit
from viz3d.run import counted


def with_counts_of_events(units: Sequence[Unit]) -> list[Unit]:
    """Let event files count what a file beside them counts, where the numbers plainly agree.

    An event has a step, and nothing says whether it is one of the optimizer, an epoch
    (Ultralytics), a report (Ray Tune) or a step of an environment (Stable-Baselines3). Where a
    third file counts steps, or the event files are of several writers, theirs stay what they are
    called.
    """
    ours = [held for unit in units if unit.form is tensorboard for held in _histories(unit)]
    others = [held for unit in units if unit.form is not tensorboard for held in _histories(unit)]
    counts = [(counted(rows.counted_by), part, rows) for part, rows in others if len(rows.step)]
    if len(ours) != 1 or not len(ours[0][1].step) or any(count == "step" for count, _, _ in counts):
        return list(units)
    ((events, at),) = ours
    # While a run goes on its event file is behind, and tells by the metrics that both have.
    alike = (
        count
        for count, part, rows in counts
        if _go_as_far(count, rows, at) or count_alike([events], [part])
    )
    found = next(alike, "step")
    return [_counting(found, unit) if unit.form is tensorboard else unit for unit in units]


def _histories(unit: Unit) -> list[tuple[Parsed, Rows]]:
    return [(part, part.rows) for part in unit.parts if part.rows is not None]


def _go_as_far(count: str, rows: Rows, events: Rows) -> bool:
    """Say whether events get about as far as rows that are counted by `count`.

    Not each evaluation of an agent is at a step that was logged.
    """
    first, last, begun, ended = (
        int(end) for each in (rows, events) for end in (each.step.min(), each.step.max())
    )
    if count == "total_timesteps":
        return last <= 2 * ended and ended <= 2 * last
    return count in ("epoch", "training_iteration") and last == ended and abs(first - begun) <= 1


def _counting(count: str, unit: Unit) -> Unit:
    parts = (
        replace(part, rows=part.rows and replace(part.rows, counted_by=count))
        for part in unit.parts
    )
    return replace(unit, parts=tuple(parts))
