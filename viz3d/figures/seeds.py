"""Seeds: runs that differ in nothing but their seed, every one of them, with mean and interval."""

from __future__ import annotations

from functools import partial
from typing import Any

import plotly.graph_objects as go

from viz3d.figures import style
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import Frame, padded
from viz3d.figures.seeds_data import KIND, TITLE, Chosen, SeedsResult, compute, compute_each
from viz3d.figures.seeds_notes import notes
from viz3d.figures.seeds_tidy import tidy
from viz3d.figures.seeds_traces import LABEL, flat_traces, labels, scene_traces, thin_groups
from viz3d.figures.seeds_words import numbers, subtitle, summary, table
from viz3d.figures.text import in_words, safe, scene_text
from viz3d.figures.ticks import even_ticks, log_ticks

__all__ = [
    "KIND",
    "TITLE",
    "SeedsResult",
    "chart",
    "compute",
    "compute_each",
    "draw",
    "draw_flat",
    "finish",
    "seeds",
]


def draw(result: SeedsResult, frame: Frame | None = None) -> go.Figure:
    """Draw the scene: step x group x metric, members side by side, the band as a ribbon."""
    frame = frame or result.frame
    x, _, z = frame.known()
    name = in_words(result.metric)
    titles = [scene_text(label, LABEL) for label in labels(result.groups)]
    places = {"tickmode": "array", "tickvals": list(range(len(titles))), "ticktext": titles}
    scene = style.scene(
        style.axis("step", range=padded(x, share=0.02)),
        style.axis("", range=[-0.5, len(titles) - 0.5], **places),
        style.axis(
            scene_text(name),
            range=padded(z, log=frame.log),
            **(log_ticks(z) if frame.log else even_ticks(z)),
        ),
    )
    traces = scene_traces(thin_groups(result.groups), safe(name), z)
    return style.figure(traces, style.layout(TITLE, subtitle(result), scene=scene))


def draw_flat(result: SeedsResult, frame: Frame | None = None) -> go.Figure:
    """Draw the metric over the step: mean and band of each group, and every member."""
    frame = frame or result.frame
    x, _, z = frame.known()
    name = safe(in_words(result.metric))
    ticks = log_ticks(z) if frame.log else {}
    layout = style.flat_layout(
        TITLE,
        subtitle(result),
        style.axis("step", range=padded(x, share=0.02), zeroline=False),
        style.axis(name, range=padded(z, log=frame.log), zeroline=False, **ticks),
    )
    return style.figure(flat_traces(thin_groups(result.groups), name, z), layout)


def finish(result: SeedsResult, frame: Frame | None = None) -> Chart:
    """Put scene, flat twin, table and words together."""
    z = (frame or result.frame).known()[2]
    words = Words(table(result), summary(result), numbers(result), notes(result, z))
    pictures = draw(result, frame), draw_flat(result, frame)
    data = partial(tidy, result)
    return assemble(KIND, TITLE, pictures, words, result.origins, result.settings, data)


def chart(runs: Chosen, **settings: Any) -> Chart:
    """Make the seeds chart of some runs; see `compute` for settings and errors."""
    return finish(compute(runs, **settings))


def seeds(runs: Chosen, **settings: Any) -> go.Figure:
    """Draw a metric over the step for each group of runs that differ only in their seed.

    Parameters
    ----------
    runs : Run, sequence of Run, or mapping of {title: sequence of Run}
        A mapping is groups by hand.
    metric : str
        Role or metric; by default the loss.
    target : float, optional
        For the steps to a target; by default where the baseline ended.
    baseline : str, optional
        Title of the group that the others are compared with, or a run in it; by default the first
        group of several runs.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    MissingMetric
        If no run logged the metric.
    ChartError
        If there are no runs, or too many groups.
    BadArgument
        If no group is or holds the baseline, or a run stands in two groups.
    """
    return chart(runs, **settings).figure
