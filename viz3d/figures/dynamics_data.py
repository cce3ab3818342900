"""The numbers of the PCA view of training dynamics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from viz3d.analysis.embedding import Embedding, Trajectory, embed
from viz3d.analysis.event import Event
from viz3d.analysis.events import find_events
from viz3d.figures import style
from viz3d.figures.frame import Frame, span
from viz3d.figures.needs import as_runs
from viz3d.figures.pins import Pin, event_pin
from viz3d.figures.provenance import origins
from viz3d.figures.text import Drawn, in_words, safe, short_names
from viz3d.run import Run

KIND = "training-dynamics"
TITLE = "Training dynamics"

WATCHED = ("loss", "grad_norm", "reward")
"""Roles whose events are pinned; those of every metric would hide the paths."""


@dataclass(frozen=True)
class DynamicsResult:
    """The embedding of some runs and how to call them.

    Attributes
    ----------
    embedding : Embedding
    labels : tuple of str
        Short name of each run.
    events : tuple of tuple of (str, Event)
        For each run the events of its loss, gradient norm and reward, with the role.
    settings, origins : as in every chart
    groups : tuple of str
        Title of each run's group where groups are overlaid; else empty.
    """

    embedding: Embedding
    labels: tuple[Drawn, ...]
    events: tuple[tuple[tuple[str, Event], ...], ...]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]
    groups: tuple[str, ...] = ()
    view: ClassVar[str] = "pca"

    @property
    def heading(self) -> Drawn:
        """Title of the chart."""
        return f"{TITLE}, overlaid" if self.groups else TITLE

    @property
    def colors(self) -> list[str]:
        """Colour of each run: its own, or that of its group."""
        if self.groups:
            place = {title: i for i, title in enumerate(dict.fromkeys(self.groups))}
            return [style.GROUPS[place[title]] for title in self.groups]
        return [style.run_color(i, len(self.labels)) for i in range(len(self.labels))]

    @property
    def frame(self) -> Frame:
        """Range of each axis; with two components the third axis is the step."""
        points = np.concatenate([coordinates(path) for path in self.embedding.trajectories])
        return Frame(x=span(points[:, 0]), y=span(points[:, 1]), z=span(points[:, 2]))


def compute(runs: Run | Sequence[Run]) -> DynamicsResult:
    """Fit one basis to all runs; see `viz3d.analysis.embedding.embed` for the errors."""
    chosen = as_runs(runs, TITLE)
    labels = tuple(safe(name, 24) for name in short_names([run.name for run in chosen]))
    embedding = embed(chosen)
    events = tuple(tuple(_watched(run)) for run in chosen)
    return DynamicsResult(embedding, labels, events, {"view": "pca"}, origins(chosen))


def _watched(run: Run) -> Iterator[tuple[str, Event]]:
    for role in WATCHED:
        if run.roles.get(role) in run.metrics:
            yield from ((role, event) for event in find_events(run, run.roles[role]))


def event_pins(result: DynamicsResult) -> list[list[Pin]]:
    """Return the events of each run, each at the point of its path that is nearest in steps."""
    found = [
        [
            event_pin(path.run, label, event, coordinates(path)[_nearest(path, event)], _name(role))
            for role, event in events
        ]
        for path, label, events in zip(
            result.embedding.trajectories, result.labels, result.events, strict=True
        )
    ]
    if not result.groups:
        return found
    return [
        [replace(pin, color=color) for pin in some]
        for some, color in zip(found, result.colors, strict=True)
    ]


def _name(role: str) -> Drawn:
    return safe(in_words(role))


def _nearest(path: Trajectory, event: Event) -> int:
    return int(np.abs(path.step - event.step).argmin())


def compute_each(groups: Sequence[Sequence[Run]]) -> list[DynamicsResult]:
    """Fit one basis to the runs of all groups, and hand each group its own paths in it."""
    whole = compute([run for group in groups for run in group])
    ends = np.cumsum([len(group) for group in groups]).tolist()
    parts = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]
    return [
        replace(
            whole,
            embedding=replace(whole.embedding, trajectories=whole.embedding.trajectories[part]),
            labels=whole.labels[part],
            events=whole.events[part],
            origins=whole.origins[part],
        )
        for part in parts
    ]


def coordinates(path: Trajectory) -> np.ndarray:
    """Three columns: the scores, and the step where there are only two of them."""
    return np.column_stack([path.scores, path.step])[:, :3]
