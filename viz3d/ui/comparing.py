"""The side-by-side view: which runs share a panel, and the panels themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.errors import ChartError
from viz3d.figures.text import count
from viz3d.ui import preparing
from viz3d.ui.chart import panel
from viz3d.ui.missing import explain
from viz3d.ui.sidebar import family
from viz3d.ui.text import advice, safe

if TYPE_CHECKING:
    from viz3d.run import Run
    from viz3d.ui.frame import Page

Groups = Mapping[str, Sequence["Run"]]

# Each scene takes one WebGL context, and a browser allows no more than this at a time.
MOST_PANELS = 8
# Where a sentence ends and the next begins.
_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")
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
        return family(run.name).rstrip("-_./ ") or run.name
    return f"{grouping} = {run.config.get(grouping, 'not set')}"


def side_by_side(
    page: Page, kind: str, chosen: Groups, **settings: str
) -> dict[str, preparing.Prepared]:
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
        charts = preparing.make_beside(kind, list(shown.values()), **settings)
    except ChartError as error:
        shown = _suitable(kind, shown, settings)
        if not shown:
            explain(page, kind, error)
            return {}
        charts = preparing.make_beside(kind, list(shown.values()), **settings)
    return dict(zip(shown, charts, strict=True))


def _suitable(kind: str, chosen: Groups, settings: Mapping[str, str]) -> dict[str, Sequence[Run]]:
    """Return the groups that hold what the chart needs, and say why the others are left out."""
    fit: dict[str, Sequence[Run]] = {}
    unfit: dict[str, list[str]] = {}
    for title, runs in chosen.items():
        try:
            preparing.make_beside(kind, [runs], **settings)
            fit[title] = runs
        except ChartError as error:
            unfit.setdefault(str(error), []).append(title)
    # Where no group is fit, the page says why.
    for why, titles in unfit.items() if fit else ():
        were = "was" if len(titles) == 1 else "were"
        st.warning(f"{', '.join(map(safe, titles))} {were} left out. {advice(why)}")
    return fit


def panels(made: Mapping[str, preparing.Prepared], key: str, *, flat: bool) -> None:
    """Show the panels, two in a row; what all of them say is said once, above them."""
    titles = list(made)
    once, summaries = said_once([ready.chart.summary for ready in made.values()])
    if once:
        st.caption(safe(once, longest=None))
    for start in range(0, len(titles), 2):
        for column, title in zip(st.columns(2), titles[start : start + 2], strict=False):
            with column:
                st.markdown(f"**{safe(title)}**")
                place = titles.index(title)
                panel(made[title], f"{key}-{place}", summaries[place], flat=flat)
                if summaries[place]:
                    st.caption(safe(summaries[place], longest=None))


def said_once(summaries: Sequence[str]) -> tuple[str, list[str]]:
    """Take out of summaries the sentences that all have in common, and the advice of some.

    Returns
    -------
    (str, list of str)
        What is to be said once, and what is left of each summary.
    """
    from viz3d.figures.loss_words import ADVICE

    if len(summaries) < 2:
        return "", list(summaries)
    split = [_SENTENCES.split(summary) for summary in summaries]
    common = [part for part in split[0] if part != ADVICE and all(part in one for one in split)]
    advised = [ADVICE] if any(ADVICE in one for one in split) else []
    rest = [" ".join(part for part in one if part not in {*common, ADVICE}) for one in split]
    if common:
        common.insert(0, "All panels:")
    return " ".join([*common, *advised]), rest
