"""The side-by-side view: which runs share a panel, and the panels themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.errors import ChartError
from viz3d.ui import preparing
from viz3d.ui.chart import panel
from viz3d.ui.missing import explain
from viz3d.ui.sidebar import family
from viz3d.ui.text import count, safe

if TYPE_CHECKING:
    from viz3d.run import Run
    from viz3d.ui.frame import Page

Groups = Mapping[str, Sequence["Run"]]

# Each scene takes one WebGL context, and a browser allows no more than this at a time.
MOST_PANELS = 8
EACH_RUN = "Run"
FAMILY = "Family of names"


def groupings(runs: Sequence[Run]) -> list[str]:
    """Return what the runs can be grouped by: themselves, their names, settings that differ."""
    keys = dict.fromkeys(key for run in runs for key in run.config)
    useful = [key for key in keys if 1 < len(groups(runs, key)) < len(runs)]
    families = [FAMILY] if 1 < len(groups(runs, FAMILY)) < len(runs) else []
    return [EACH_RUN, *families, *useful]


def groups(runs: Sequence[Run], grouping: str) -> dict[str, list[Run]]:
    """Return the runs of each panel by its title, in the order of the selection."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(_title(run, grouping), []).append(run)
    return found


def _title(run: Run, grouping: str) -> str:
    if grouping == EACH_RUN:
        return run.name
    if grouping == FAMILY:
        return family(run.name) or run.name
    return f"{grouping} = {run.config.get(grouping, 'not set')}"


def side_by_side(page: Page, kind: str, chosen: Groups) -> dict[str, preparing.Prepared]:
    """Make one chart for each group; explain on the page where that cannot be done.

    Returns
    -------
    dict of {title: Prepared}
        Empty when the page now explains what is missing.
    """
    if not chosen:
        explain(page, kind, "")
        return {}
    if len(chosen) < 2:
        st.info("Select two or more runs in the sidebar to see them side by side.")
        return {}
    shown = dict(list(chosen.items())[:MOST_PANELS])
    if len(shown) < len(chosen):
        said = f"The first {MOST_PANELS} of {count(len(chosen), 'panel')} are shown."
        st.caption(f"{said} Choose fewer runs, or group them.")
    try:
        charts = preparing.make_beside(kind, list(shown.values()))
    except ChartError as error:
        shown = _suitable(kind, shown)
        if not shown:
            explain(page, kind, error)
            return {}
        charts = preparing.make_beside(kind, list(shown.values()))
    return dict(zip(shown, charts, strict=True))


def _suitable(kind: str, chosen: Groups) -> dict[str, Sequence[Run]]:
    """Return the groups that hold what the chart needs, and say why the others are left out."""
    fit: dict[str, Sequence[Run]] = {}
    for title, runs in chosen.items():
        try:
            preparing.make_beside(kind, [runs])
            fit[title] = runs
        except ChartError as error:
            st.warning(f"{safe(title)} was left out. {safe(error, longest=None)}")
    return fit


def panels(made: Mapping[str, preparing.Prepared], key: str, *, flat: bool) -> None:
    """Show the panels, two in a row."""
    titles = list(made)
    for start in range(0, len(titles), 2):
        for column, title in zip(st.columns(2), titles[start : start + 2], strict=False):
            with column:
                st.markdown(f"**{safe(title)}**")
                panel(made[title], f"{key}-{titles.index(title)}", flat=flat)
                st.caption(safe(made[title].chart.summary, longest=None))
