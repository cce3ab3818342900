"""The other two views of the Compare page: groups overlaid in one scene, and A minus B."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.analysis.quantities import named_metrics
from viz3d.errors import ChartError
from viz3d.figures.text import count
from viz3d.ui import preparing
from viz3d.ui.chart import chart
from viz3d.ui.comparing import MOST_PANELS, Groups
from viz3d.ui.events import chart_with_events
from viz3d.ui.missing import explain
from viz3d.ui.settings import pick, wished
from viz3d.ui.text import advice

if TYPE_CHECKING:
    from viz3d.ui.frame import Page

EVENTFUL = ("loss-landscape", "reward-landscape", "training-dynamics")
VIEWS = {
    "beside": "Side by side",
    "overlaid": "Overlaid",
    "difference": "Difference A − B",
    "curves": "Curves",
}


def overlaid(
    page: Page, kind: str, groups: Groups, **settings: str
) -> dict[str, preparing.Prepared]:
    """Show up to eight groups in one scene and return it by its title; empty: it says why not."""
    if not _two(page, kind, groups):
        return {}
    shown = dict(list(groups.items())[:MOST_PANELS])
    if len(shown) < len(groups):
        st.caption(f"The first {MOST_PANELS} of {count(len(groups), 'group')} are shown.")
    return _shown(lambda: preparing.make_overlaid(kind, shown, **settings), f"overlaid-{kind}")


def difference(
    page: Page, kind: str, groups: Groups, **settings: str
) -> dict[str, preparing.Prepared]:
    """Let the viewer choose two groups, show A minus B and return it; empty: it says why not."""
    if not _two(page, kind, groups):
        return {}
    names = list(groups)
    left, right = st.columns(2)
    # What stands in for A must not take away B.
    spare = next(name for name in names if name != wished("b"))
    default = names[0] if wished("a") in (None, *names) else spare
    with left:
        a = pick("A", names, "a", "The difference is A minus B.", default=default)
    with right:
        b = pick("B", [name for name in names if name != a], "b", taken=a)
    sides = {a: groups[a], b: groups[b]}
    return _shown(lambda: preparing.make_difference(kind, sides, **settings), f"difference-{kind}")


def curves(page: Page, **settings: str) -> dict[str, preparing.Prepared]:
    """Show a metric of all runs on one axis of the viewer's choice; empty: it says why not."""
    if not page.runs:
        explain(page, "curves", "")
        return {}
    names = list(dict.fromkeys(name for run in page.runs for name in named_metrics(run)))
    metric = pick("Metric", names or ["loss"], "curve", default="loss")
    return _shown(
        lambda: preparing.make("curves", page.runs, {"metric": metric, **settings}), "curves"
    )


def _shown(make: Callable[[], preparing.Prepared], key: str) -> dict[str, preparing.Prepared]:
    try:
        ready = make()
    except ChartError as error:
        st.info(advice(str(error)))
        return {}
    # Neither gradients nor differences have events to list.
    (chart_with_events if ready.chart.kind in EVENTFUL else chart)(ready, key)
    return {ready.chart.title: ready}


def _two(page: Page, kind: str, groups: Groups) -> bool:
    """Whether there are two groups; say on the page what to do where there are not."""
    if not groups:
        explain(page, kind, "")
    elif len(groups) < 2:
        st.info("Select runs in the sidebar that make two groups or more to compare them.")
    return len(groups) > 1
