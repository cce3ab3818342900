"""What an overlay draws of each group, whatever kind of landscape it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.surface import Surface
from viz3d.figures.budget import thin, told
from viz3d.figures.loss_data import RATE_TITLES, LossLandscapeResult, clipped
from viz3d.figures.loss_words import left_out as left_out_of_loss
from viz3d.figures.reward_data import RewardLandscapeResult
from viz3d.figures.reward_words import left_out as left_out_of_reward
from viz3d.figures.text import count, in_words

POINTS = 750
"""Points of the paths of one group; eight surfaces leave no more room in a figure."""

FEWEST = 8
"""Points of one path at least."""

Floats = NDArray[np.float64]
Result = LossLandscapeResult | RewardLandscapeResult


@dataclass(frozen=True)
class Layer:
    """One group of runs.

    Attributes
    ----------
    title, color : str
    axes : tuple of str
        Names of the step, of the second axis and of the value.
    log_y : bool
        Whether the second axis is logarithmic.
    surface : Surface
    lines : ndarray, shape (n, 3)
        Step, second axis and value along the paths of all runs, NaN between two of them.
    notes : tuple of str
        What the lines are, and what was left out, with counts.
    """

    title: str
    color: str
    axes: tuple[str, str, str]
    log_y: bool
    surface: Surface
    lines: Floats
    notes: tuple[str, ...]

    @property
    def bare(self) -> bool:
        """Whether it has no surface and is drawn as its paths."""
        return bool(self.surface.reason)


def layer(title: str, color: str, result: Result, top: float) -> Layer:
    """Return what is drawn of a group in a chart whose axis of values ends at `top`."""
    if isinstance(result, RewardLandscapeResult):
        lines, _ = _thinned([rows.path for rows in result.rows])
        axes = ("step", in_words(result.against), "reward")
        said = ["paths are medians of stretches.", *left_out_of_reward(result)]
        return Layer(title, color, axes, False, result.surface, lines, tuple(said))
    current = [path for path in result.paths if not path.superseded]
    lines, drawn = _thinned([np.column_stack([p.step, p.rate, p.loss]) for p in current])
    above = clipped(result, top)
    said = [f"paths show {told(drawn, sum(path.total for path in current))}."]
    said += [f"{count(above, 'point')} above the loss axis."] if above else []
    axes = ("step", RATE_TITLES[result.rate], "loss")
    notes = (*said, *left_out_of_loss(result))
    return Layer(title, color, axes, True, result.surface, lines, notes)


def _thinned(paths: Sequence[Floats]) -> tuple[Floats, int]:
    """Thin paths and put a gap behind each; also how many points are left."""
    each = max(FEWEST, POINTS // len(paths))
    gap = np.full((1, 3), np.nan)
    kept = [path[thin(path[:, 0].astype(np.int64), path[:, 2], each)] for path in paths]
    return np.vstack([part for path in kept for part in (path, gap)]), sum(map(len, kept))
