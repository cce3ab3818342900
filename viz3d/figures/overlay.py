"""Several groups of runs in one scene, each with a colour of its own on one frame."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

from viz3d.errors import BadArgument, ChartError
from viz3d.figures import overlay_dynamics, overlay_gradient, overlay_surfaces, style
from viz3d.figures.chart import Chart
from viz3d.figures.grouped import Groups
from viz3d.figures.text import count, listed

MOST_GROUPS = len(style.GROUPS)

OVERLAYS: dict[str, ModuleType] = {
    "loss-landscape": overlay_surfaces,
    "gradient-flow": overlay_gradient,
    "reward-landscape": overlay_surfaces,
    "training-dynamics": overlay_dynamics,
}


def chart(groups: Groups, kind: str = "loss-landscape", **settings: Any) -> Chart:
    """Draw several groups of runs over one another.

    Parameters
    ----------
    groups : mapping of str to sequence of Run
        Two to eight groups by title. One without a surface is drawn as its paths; one that lacks
        what the chart needs is left out, with the reason among the notes.
    kind : {"loss-landscape", "gradient-flow", "reward-landscape", "training-dynamics"}
    **settings
        Those of the kind.

    Returns
    -------
    Chart

    Raises
    ------
    BadArgument
        If there are too few or too many groups.
    ChartError
        If this kind is not overlaid, or fewer than two groups hold what it needs.
    """
    if kind not in OVERLAYS:
        raise ChartError(
            f"A {kind} chart is not laid over another: choose the view side by side, or one of: "
            f"{', '.join(OVERLAYS)}."
        )
    if not 2 <= len(groups) <= MOST_GROUPS:
        raise BadArgument(
            f"{count(len(groups), 'group')} cannot be overlaid; choose 2 to {MOST_GROUPS}."
        )
    module = OVERLAYS[kind]
    try:
        made: Chart = module.overlay(groups, kind, **settings)
    except ChartError:
        fit, why = _suitable(module, groups, kind, settings)
        if not why or len(fit) < 2:
            raise
        made = module.overlay(fit, kind, **settings)
        absent = listed([title for title in groups if title not in fit])
        said = f"{made.summary} Left out: {absent}."
        made = replace(made, summary=said, notes=(*made.notes, *why))
    return made


def _suitable(
    module: ModuleType, groups: Groups, kind: str, settings: dict[str, Any]
) -> tuple[Groups, list[str]]:
    """Return the groups that hold what the chart needs, and why each other one is left out."""
    fit, why = {}, []
    for title, runs in groups.items():
        try:
            module.check(runs, kind, **settings)
            fit[title] = runs
        except ChartError as error:
            why.append(f"{title} was left out. {error}")
    return fit, why
