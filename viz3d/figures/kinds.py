"""The kinds of charts by name, as the command line and the pages call them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from viz3d.errors import BadArgument

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.run import Run

# kind -> module with `chart(runs, **settings)`
KINDS = {
    "loss-landscape": "viz3d.figures.loss_landscape",
    "gradient-flow": "viz3d.figures.gradient_flow",
    "reward-landscape": "viz3d.figures.reward_landscape",
    "training-dynamics": "viz3d.figures.training_dynamics",
    "seeds": "viz3d.figures.seeds",
    "report": "viz3d.figures.report",
    "difference": "viz3d.figures.difference",
    "explore": "viz3d.figures.explore",
    "weight-space": "viz3d.figures.weight_space",
    "curves": "viz3d.figures.curves",
}
# These draw one run; the others draw any number in one scene.
ONE_RUN = frozenset({"gradient-flow", "weight-space"})
# This one subtracts a second group of runs from the first.
TWO_SIDES = "difference"
# These fit a surface to several runs, which can be overlaid and subtracted.
SURFACES = ("loss-landscape", "reward-landscape")


def make_chart(
    kind: str, runs: Sequence[Run], subtracted: Sequence[Run] = (), **settings: Any
) -> Chart:
    """Make the chart of one kind.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    runs : sequence of Run
        At least one; exactly one for the kinds in `ONE_RUN`.
    subtracted : sequence of Run
        The second group of a difference; of no other kind.
    **settings
        Those of the chart's own module.

    Returns
    -------
    Chart

    Raises
    ------
    BadArgument
        If the kind is unknown or the number of runs does not fit.
    ChartError
        If the runs do not hold what the chart needs.
    """
    module = module_of(kind)
    if not runs:
        raise BadArgument(f"A {kind} chart needs a run; name one.")
    if kind in ONE_RUN and len(runs) > 1:
        raise BadArgument(f"A {kind} chart shows one run, not {len(runs)}; name one of them.")
    if bool(subtracted) != (kind == TWO_SIDES):
        raise BadArgument(f"A {TWO_SIDES} takes two groups of runs, every other chart takes one.")
    sides = (runs, subtracted) if kind == TWO_SIDES else (runs[0] if kind in ONE_RUN else runs,)
    chart: Chart = module.chart(*sides, **settings)
    return chart


def module_of(kind: str) -> ModuleType:
    """Return the module of one kind of chart; `BadArgument` if there is no such kind."""
    if kind not in KINDS:
        raise BadArgument(f"There is no chart {kind!r}; choose one of: {', '.join(KINDS)}.")
    return import_module(KINDS[kind])
