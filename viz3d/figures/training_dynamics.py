"""Training dynamics: the paths of runs through the space of all their metrics.

Two views: principal components of every usable metric with one basis for all runs ("pca"), and
the plain axes loss, gradient norm and reward ("plain"). Both draw curves, never a surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import Any

import plotly.graph_objects as go

from viz3d.figures import dynamics_pca, dynamics_plain
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.dynamics_data import KIND, TITLE, DynamicsResult
from viz3d.figures.frame import Frame
from viz3d.figures.pins import event_notes, in_order
from viz3d.figures.plain_data import PlainResult
from viz3d.run import Run

__all__ = [
    "KIND",
    "TITLE",
    "chart",
    "compute",
    "compute_each",
    "draw",
    "draw_flat",
    "finish",
    "training_dynamics",
]

VIEWS: dict[str, ModuleType] = {"pca": dynamics_pca, "plain": dynamics_plain}
Result = DynamicsResult | PlainResult


def compute(runs: Run | Sequence[Run], *, view: str = "pca", **settings: Any) -> Result:
    """Compute one of the views; `settings` are those of its own module.

    Raises
    ------
    MissingMetric
        If the runs lack the metrics of the view.
    ChartError
        If a run has too few logged steps.
    ValueError
        If the view is unknown.
    """
    return _module(view).compute(runs, **settings)


def compute_each(
    groups: Sequence[Sequence[Run]], *, view: str = "pca", **settings: Any
) -> list[Result]:
    """Compute several groups; the PCA view fits one basis to all of them."""
    return list(_module(view).compute_each(groups, **settings))


def _module(view: str) -> ModuleType:
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; choose one of: {', '.join(VIEWS)}.")
    return VIEWS[view]


def draw(result: Result, frame: Frame | None = None) -> go.Figure:
    """Draw the paths in 3D."""
    return VIEWS[result.view].draw(result, frame)


def draw_flat(result: Result, frame: Frame | None = None) -> go.Figure:
    """Draw the 2D twin."""
    return VIEWS[result.view].draw_flat(result, frame)


def finish(result: Result, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together."""
    view = VIEWS[result.view]
    said = view.numbers(result)
    events = view.event_pins(result)
    notes = (*view.notes(result), *event_notes(events))
    words = Words(view.table(result), view.summary(result), said, notes, in_order(events))
    pictures = draw(result, frame), draw_flat(result, frame)
    data = partial(view.tidy, result)
    return assemble(KIND, TITLE, pictures, words, result.origins, result.settings, data)


def chart(runs: Run | Sequence[Run], **settings: Any) -> Chart:
    """Make the chart; see `compute` for settings and errors."""
    return finish(compute(runs, **settings))


def training_dynamics(runs: Run | Sequence[Run], **settings: Any) -> go.Figure:
    """Draw the paths of runs through the space of their metrics.

    Parameters
    ----------
    runs : Run or sequence of Run
    view : {"pca", "plain"}
        Principal components of all metrics in one basis, or plain metrics on the axes.
    axes : sequence of 3 str
        For the plain view: roles or metrics, default loss, gradient norm and reward.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    MissingMetric
        If the runs lack the metrics of the view.
    ChartError
        If a run has too few logged steps.
    ValueError
        If a setting is none of its choices.
    """
    return chart(runs, **settings).figure
