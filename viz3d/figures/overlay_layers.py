"""What an overlay draws of each group, whatever kind of landscape it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.alignment import AXES
from viz3d.analysis.surface import Surface
from viz3d.figures.budget import thin, told
from viz3d.figures.frame import Frame, Range
from viz3d.figures.grouped import in_color
from viz3d.figures.loss_data import LossLandscapeResult, names
from viz3d.figures.loss_pins import clipped, clipped_pins
from viz3d.figures.loss_pins import event_pins as loss_pins
from viz3d.figures.loss_words import left_out as left_out_of_loss
from viz3d.figures.pins import Pin
from viz3d.figures.reward_data import RewardLandscapeResult
from viz3d.figures.reward_data import event_pins as reward_pins
from viz3d.figures.reward_words import left_out as left_out_of_reward
from viz3d.figures.text import count, in_words

POINTS = 750
"""Points of the paths of one group; eight surfaces leave no more room in a figure."""

FEWEST = 8
"""Points of one path at least."""

LEVELS = 10
"""Contour lines of each surface, at the same heights on all."""

Floats = NDArray[np.float64]
Result = LossLandscapeResult | RewardLandscapeResult


@dataclass(frozen=True)
class Layer:
    """One group of runs.

    Attributes
    ----------
    title, color : str
    along : str
        What the first axis is, a key of `viz3d.analysis.alignment.AXES`.
    axes : tuple of str
        Names of the first axis, of the second one and of the value.
    log_y : bool
        Whether the second axis is logarithmic.
    surface : Surface
    lines : ndarray, shape (n, 3)
        Places along the axes of the paths of all runs, NaN between two of them.
    notes : tuple of str
        What the lines are, and what was left out, with counts.
    events : list of list of Pin
        Those of each run, in the colour of the group.
    above : list of Pin
        Where runs leave the axis of values.
    """

    title: str
    color: str
    along: str
    axes: tuple[str, str, str]
    log_y: bool
    surface: Surface
    lines: Floats
    notes: tuple[str, ...]
    events: list[list[Pin]]
    above: list[Pin]

    @property
    def bare(self) -> bool:
        """Whether it has no surface and is drawn as its paths."""
        return bool(self.surface.reason)


def layer(title: str, color: str, result: Result, frame: Frame) -> Layer:
    """Return what is drawn of a group in a chart with these axes."""
    if isinstance(result, RewardLandscapeResult):
        lines, _ = _thinned([rows.path for rows in result.rows])
        axes = (AXES[result.along], in_words(result.against), "reward")
        said = ["paths are medians of stretches.", *left_out_of_reward(result)]
        events = in_color(reward_pins(result, frame), title, color)
        surface, along = result.surface, result.along
        return Layer(title, color, along, axes, False, surface, lines, tuple(said), events, [])
    top = frame.known()[2][1]
    current = [path for path in result.paths if not path.superseded]
    lines, drawn = _thinned([np.column_stack([p.x, p.rate, p.loss]) for p in current])
    above = clipped(result, top)
    said = [f"paths show {told(drawn, sum(path.total for path in current))}."]
    said += [f"{count(above, 'point')} above the loss axis."] if above else []
    notes = (*said, *left_out_of_loss(result))
    events = in_color(loss_pins(result, top), title, color)
    [pins] = in_color([clipped_pins(result, top)], title, color)
    axes, surface = names(result), result.surface
    return Layer(title, color, result.along, axes, True, surface, lines, notes, events, pins)


def heights(levels: Range, *, log: bool) -> dict[str, float]:
    """Return where contour lines are; on a logarithmic scale plotly.js takes logarithms."""
    low, high = map(float, np.log10(levels) if log else levels)
    return {"start": low, "end": high, "size": (high - low) / LEVELS or 1.0}


def _thinned(paths: Sequence[Floats]) -> tuple[Floats, int]:
    """Thin paths and put a gap behind each; also how many points are left."""
    each = max(FEWEST, POINTS // len(paths))
    gap = np.full((1, 3), np.nan)
    kept = [path[thin(path[:, 0], path[:, 2], each)] for path in paths]
    return np.vstack([part for path in kept for part in (path, gap)]), sum(map(len, kept))
