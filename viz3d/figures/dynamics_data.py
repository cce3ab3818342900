"""The numbers of the PCA view of training dynamics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from viz3d.analysis.embedding import Embedding, Trajectory, embed
from viz3d.figures.frame import Frame, span
from viz3d.figures.needs import as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.text import safe, short_names
from viz3d.run import Run

KIND = "training-dynamics"
TITLE = "Training dynamics"


@dataclass(frozen=True)
class DynamicsResult:
    """The embedding of some runs and how to call them.

    Attributes
    ----------
    embedding : Embedding
    labels : tuple of str
        Safe, short name of each run.
    settings, origins : as in every chart
    """

    embedding: Embedding
    labels: tuple[str, ...]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, str], ...]
    view: ClassVar[str] = "pca"

    @property
    def frame(self) -> Frame:
        """Range of each axis; with two components the third axis is the step."""
        points = np.concatenate([coordinates(path) for path in self.embedding.trajectories])
        return Frame(x=span(points[:, 0]), y=span(points[:, 1]), z=span(points[:, 2]))


def compute(runs: Run | Sequence[Run]) -> DynamicsResult:
    """Fit one basis to all runs; see `viz3d.analysis.embedding.embed` for the errors."""
    chosen = as_runs(runs, TITLE)
    labels = tuple(safe(name, 24) for name in short_names([run.name for run in chosen]))
    return DynamicsResult(embed(chosen), labels, {"view": "pca"}, origins(chosen))


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
            origins=whole.origins[part],
        )
        for part in parts
    ]


def coordinates(path: Trajectory) -> np.ndarray:
    """Three columns: the scores, and the step where there are only two of them."""
    return np.column_stack([path.scores, path.step])[:, :3]
