"""Which runs and which layers an overlay of gradient flows holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.alignment import Alignment
from viz3d.errors import ChartError
from viz3d.figures.along import LeftOut, check_along, place_runs
from viz3d.figures.frame import Frame, union
from viz3d.figures.gradient_data import (
    MOST_CELLS,
    TITLE,
    GradientFlowResult,
    laid,
    layers_of,
)
from viz3d.figures.grouped import Groups
from viz3d.figures.needs import as_runs, missing
from viz3d.figures.text import unique_names
from viz3d.run import Run

MOST_ROWS = MOST_CELLS // 2
"""Layers of all runs together: each has two columns at least."""


@dataclass(frozen=True)
class Flow:
    """The norms of one run in the overlay.

    Attributes
    ----------
    group : int
        Position of its group.
    found : GradientFlowResult
    lane : ndarray of int, shape (n_layers,)
        Position of each of its layers along the common axis.
    """

    group: int
    found: GradientFlowResult
    lane: NDArray[np.int64]


@dataclass(frozen=True)
class GradientOverlay:
    """Gradient flows over one axis of layers.

    Attributes
    ----------
    titles : tuple of str
        Of the groups.
    flows : tuple of Flow
        One per run, by group.
    layers : tuple of str
        All layers by name, in model order.
    reordered : tuple of str
        Runs whose layers of the same names are in another order than the axis.
    unused : tuple of str
        Runs without norms per layer.
    along : {"step", "tokens", "flops", "time"}
        What lies across the layers.
    left_out : tuple of (str, str)
        Runs without a place along it, each with the reason.
    """

    titles: tuple[str, ...]
    flows: tuple[Flow, ...]
    layers: tuple[str, ...]
    reordered: tuple[str, ...]
    unused: tuple[str, ...]
    along: str
    left_out: LeftOut

    @property
    def frame(self) -> Frame:
        """Ranges that hold all runs."""
        return union([flow.found.frame for flow in self.flows])

    def of_group(self, group: int) -> list[Flow]:
        """Return the runs of a group."""
        return [flow for flow in self.flows if flow.group == group]

    def names(self, group: int) -> set[str]:
        """Return the layers that some run of a group has."""
        return {self.layers[lane] for flow in self.of_group(group) for lane in flow.lane}


def compute(groups: Groups, along: str = "step") -> GradientOverlay:
    """Lay the norms of all runs over one axis of layers.

    Raises
    ------
    BadArgument
        If there is no such axis.
    MissingMetric
        If no run of a group recorded gradient norms per layer.
    ChartError
        If no run of a group has a place along the axis, or all runs together have more layers than
        a figure holds.
    """
    check_along(along)
    able: list[tuple[int, Run, Alignment]] = []
    sizes: list[int] = []
    unused: list[str] = []
    left_out: list[tuple[str, str]] = []
    for group, runs in enumerate(groups.values()):
        chosen = as_runs(runs, TITLE)
        some = [run for run in chosen if layers_of(run)]
        if not some:
            raise missing(chosen, "layers", TITLE)
        placed, without = place_runs(some, along, "gradient norms")
        able += [(group, run, places) for run, places in placed]
        left_out += without
        sizes += [len(layers_of(run)) for run, _ in placed]
        unused += [run.name for run in chosen if not layers_of(run)]
    rows = sum(sizes)
    if rows > MOST_ROWS:
        raise ChartError(
            f"{TITLE} of these runs has {rows:,} layers together, and one scene holds "
            f"{MOST_ROWS:,}; choose fewer runs."
        )
    found = [
        laid(run, places, MOST_CELLS * n // rows)
        for (_, run, places), n in zip(able, sizes, strict=True)
    ]
    names = [unique_names(list(one.grid.names)) for one in found]
    layers = merged(names)
    place = {name: i for i, name in enumerate(layers)}
    lanes = [np.array([place[name] for name in own]) for own in names]
    return GradientOverlay(
        titles=tuple(groups),
        flows=tuple(
            Flow(group, one, lane)
            for (group, *_), one, lane in zip(able, found, lanes, strict=True)
        ),
        layers=tuple(layers),
        reordered=tuple(
            one.run for one, lane in zip(found, lanes, strict=True) if (np.diff(lane) < 0).any()
        ),
        unused=tuple(unused),
        along=along,
        left_out=tuple(left_out),
    )


def merged(orders: Sequence[Sequence[str]]) -> list[str]:
    """Return all names, each once, in the order of every list where they agree on one.

    A name that the lists before did not hold follows the one before it in its own list.
    """
    names: list[str] = []
    for own in dict.fromkeys(map(tuple, orders)):
        known = {name: i for i, name in enumerate(names)}
        behind: dict[int, list[str]] = {}
        at = -1 if known.keys() & set(own) else len(names) - 1
        for name in own:
            if name in known:
                at = max(at, known[name])
            else:
                behind.setdefault(at, []).append(name)
        names = [
            name
            for i, before in enumerate(["", *names], -1)
            for name in ([before] if i >= 0 else []) + behind.get(i, [])
        ]
    return names
