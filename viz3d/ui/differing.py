"""How the runs of the Compare page differ, in tables: their settings and where they ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from viz3d.ui.settings import pick
from viz3d.ui.text import number, safe

if TYPE_CHECKING:
    from viz3d.run import Run


def baseline(runs: Sequence[Run]) -> str:
    """Let the viewer choose the run that the others are compared with."""
    names = [run.name for run in runs]
    with st.container(width=320):
        return pick("Baseline", names, "baseline", "The run that the others are compared with.")


def config_differences(runs: Sequence[Run]) -> None:
    """Show the settings in which the runs differ, one row for each."""
    from viz3d.figures.compare import config_diff

    found = config_diff(runs)
    if len(found):
        st.dataframe(found.astype(str), width="stretch")
    else:
        st.caption("None is known: the runs have the same settings, or none were logged.")


def final_metrics(runs: Sequence[Run], baseline: str) -> None:
    """Show the last value of each metric, and how far it is from that of the baseline run."""
    from viz3d.figures.compare import final_metrics as table

    found = table(runs, [run.name for run in runs].index(baseline))
    percent = {
        name: st.column_config.NumberColumn(format="%+.1f %%")
        for name in found.columns
        if name.endswith("(percent)")
    }
    # Streamlit's own four decimals leave little of a learning rate.
    values: dict[Any, Any] = dict.fromkeys(found.columns.difference(list(percent)), number)
    shown = found.style.format(values, na_rep="")
    st.dataframe(shown, width="stretch", column_config=percent, placeholder="")
    st.caption(
        f"Differences are from {safe(baseline)}, in percent of the size of its value, and blank "
        "where that is 0 or unknown. A click on a column sorts by it."
    )
