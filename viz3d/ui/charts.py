"""`make`: a chart of the selected runs, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from viz3d.errors import ChartError
from viz3d.ui import preparing
from viz3d.ui.missing import explain

if TYPE_CHECKING:
    from viz3d.run import Run
    from viz3d.ui.frame import Page


def make(
    page: Page, kind: str, runs: Sequence[Run] | None = None, **settings: Any
) -> preparing.Prepared | None:
    """Make a chart; where the runs do not hold what it needs, say so on the page.

    Parameters
    ----------
    page : Page
    kind : str
        A key of `viz3d.figures.kinds.KINDS`, or ``"report"``.
    runs : sequence of Run, optional
        By default all selected ones.
    **settings
        Those of the chart.

    Returns
    -------
    Prepared or None
        None when the page now explains what is missing.
    """
    chosen = page.runs if runs is None else runs
    if not chosen:
        explain(page, kind, "None of the selected runs has what this chart needs.")
        return None
    try:
        return preparing.make(kind, chosen, settings)
    except ChartError as error:
        explain(page, "plain-dynamics" if settings.get("view") == "plain" else kind, error)
        return None


def other_axes(runs: Sequence[Run]) -> list[str]:
    """Return what the reward can be drawn against; the loss alone where there is nothing."""
    from viz3d.figures.reward_landscape import other_axes as logged_with_reward

    return list(logged_with_reward(runs)) or ["loss"]
