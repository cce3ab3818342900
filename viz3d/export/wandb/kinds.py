"""Which charts runs can fill, for an export that sends all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viz3d.errors import ChartError
from viz3d.figures.kinds import ONE_RUN, make_chart

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.run import Run

WANDB_KINDS = ("loss-landscape", "gradient-flow", "reward-landscape", "training-dynamics")
"""The kinds that have a key at W&B."""


@dataclass(frozen=True)
class MadeCharts:
    """Charts, and what is to be said of those that are not there.

    Attributes
    ----------
    charts : tuple of Chart
    skipped : tuple of str
        Why a kind was left out, one sentence each.
    notes : tuple of str
        Which run a chart shows where it can show one alone.
    """

    charts: tuple[Chart, ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]


def make_charts(
    runs: Sequence[Run], kinds: Sequence[str] = (), *, strict: bool = False
) -> MadeCharts:
    """Make one chart of each kind.

    Parameters
    ----------
    runs : sequence of Run
    kinds : sequence of str, optional
        By default all of `WANDB_KINDS`.
    strict : bool
        Whether each kind has to be there; else those are left out that the runs cannot fill.

    Raises
    ------
    ChartError
        If `strict`, and the runs do not hold what one of the kinds needs.
    """
    charts, skipped, notes = [], [], []
    for kind in dict.fromkeys(kinds) or WANDB_KINDS:
        chosen = list(runs)
        if kind in ONE_RUN and len(runs) > 1:
            having = [run for run in runs if run.layers is not None]
            chosen = (having or list(runs))[:1]
            if len(having) > 1:
                notes.append(
                    f"{kind} shows {chosen[0].name}, the first of {len(having):,} runs that have "
                    "the data for it; export another by itself."
                )
        try:
            charts.append(make_chart(kind, chosen))
        except ChartError as error:
            if strict:
                raise
            skipped.append(f"{kind} was left out: {error}")
    return MadeCharts(tuple(charts), tuple(skipped), tuple(notes))
