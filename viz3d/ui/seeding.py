"""The seeds of the Compare page: groups of runs, their chart, and how the groups compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.errors import Viz3dError
from viz3d.ui import preparing
from viz3d.ui.chart import chart
from viz3d.ui.settings import choice, pick
from viz3d.ui.text import advice, safe

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.figures.seeds_data import SeedsResult
    from viz3d.run import Run

KIND = "seeds"
VERDICT = "what it says"  # column of the comparisons
HOW = {"found": "Runs that differ only in their seed", "panels": "As grouped at the top"}


def seeds(
    runs: Sequence[Run], panels: Mapping[str, Sequence[Run]], baseline: str
) -> tuple[dict[str, preparing.Prepared], dict[str, pd.DataFrame]]:
    """Show groups of runs with mean and interval, and compare them with the baseline's group.

    Parameters
    ----------
    runs : sequence of Run
    panels : mapping of {title: sequence of Run}
        The groups of the page, for those who group by hand.
    baseline : str
        A run.

    Returns
    -------
    charts, tables : dict by title
        What is shown, for an export; empty where there is nothing.
    """
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    with left:
        how = choice("Groups", HOW, "seeds", "How a run finds its group.")
    with middle:
        metric = pick("Metric", _metrics(runs), "metric", "What is compared.")
    with right:
        target = st.number_input(
            "Target", value=None, format="%g", key="target", bind="query-params",
            placeholder="where the baseline ended", help="For the steps that runs take to it.",
        )  # fmt: skip
    if how == "found" and not any_group(runs):
        st.info(
            "No two of the selected runs are known to differ in their seed alone. Log the seed in "
            "the settings, select runs with several seeds, or group them as at the top."
        )
        return {}, {}
    chosen = panels if how == "panels" else {"": runs}
    named = tuple((title, preparing.identity(group)) for title, group in chosen.items())
    try:
        result, ready = _prepare(chosen, how, metric, target, baseline, named)
    except Viz3dError as error:
        st.info(advice(str(error)))
        return {}, {}
    chart(ready, KIND)
    return {ready.chart.title: ready}, _comparisons(result)


def _metrics(runs: Sequence[Run]) -> list[str]:
    """Roles and metrics that some run has; the loss first."""
    found = {role for run in runs for role in run.roles if role != "time"}
    named = {metric for run in runs for metric in run.roles.values()}
    rest = dict.fromkeys(m for run in runs for m in run.metrics if m not in named)
    return [*sorted(found, key=lambda role: (role != "loss", role)), *rest] or ["loss"]


def any_group(runs: Sequence[Run]) -> bool:
    """Whether two of the runs are known to differ in their seed alone."""
    from viz3d.analysis.seeds import group_seeds

    return any(len(group.runs) > 1 for group in group_seeds(runs).groups)


@st.cache_resource(max_entries=16, show_spinner="Computing the chart …", show_time=True)
def _prepare(
    _groups: Mapping[str, Sequence[Run]],
    how: str,
    metric: str,
    target: float | None,
    baseline: str,
    identity: object,
) -> tuple[SeedsResult, preparing.Prepared]:
    from viz3d.figures.seeds import compute, finish

    chosen = _groups if how == "panels" else _groups[""]
    result = compute(chosen, metric=metric, target=target, baseline=baseline)
    return result, preparing.prepare(finish(result))


def _comparisons(result: SeedsResult) -> dict[str, pd.DataFrame]:
    from viz3d.figures.seeds_words import comparisons

    if not result.comparisons:
        st.caption("There is one group, so there is nothing to compare it with.")
        return {}
    st.markdown(f"**Each group against {safe(result.baseline)}**")
    # The heading names the baseline, and where nothing could be tested nothing is to be seen.
    table = comparisons(result).drop(columns="baseline").dropna(axis="columns", how="all")
    said = "One number per run, its mean over the last tenth of its steps."
    if len(table) > 1 and table[VERDICT].nunique() == 1:
        # The same long sentence in each row would be cut off in all of them.
        said += f" {safe(table[VERDICT].iloc[0], longest=None)}"
        table = table.drop(columns=VERDICT)
    st.dataframe(table, hide_index=True, width="stretch", placeholder="")
    if "p (Holm)" in table:
        said += (
            " Welch's t test and its 95 % interval of the difference; the second p is corrected "
            "after Holm for the number of comparisons, and below 0.05 it counts as a difference."
        )
    st.caption(said)
    return {f"Each group against {result.baseline}": table.set_index(table.columns[0])}
