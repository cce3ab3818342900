"""How a page shows a chart, whole or in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from viz3d.figures.text import count
from viz3d.ui.component import Focus, mount
from viz3d.ui.files import offer
from viz3d.ui.text import safe

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.ui.preparing import Prepared


def chart(made: Prepared, key: str) -> None:
    """Show a chart: its numbers in words, the scene beside its 2D twin, the notes and the table.

    Parameters
    ----------
    made : Prepared
    key : str
        Names the chart on its page; the camera is remembered under it.
    """
    picture(made, key)
    details(made.chart, key)


def picture(ready: Prepared, key: str, focus: Focus | None = None) -> None:
    """Show a chart in words, and the scene beside its 2D twin.

    It marks the place in `focus`, if any, and looks at it until that changes.
    """
    what = ready.chart
    st.markdown(safe(what.summary, longest=None))
    mount(key, what.title, what.summary, ready.figure or None, ready.flat, focus=focus)


def details(what: Chart, key: str) -> None:
    """Show the notes and the numbers of a chart, folded away, and offer it as a file."""
    if what.notes:
        with st.expander(f"{count(len(what.notes), 'note')} on what is drawn"):
            for note in what.notes:
                st.markdown(f"- {safe(note)}")
    with st.expander("Table of the numbers"):
        st.dataframe(
            what.table, hide_index=True, width="stretch", placeholder="", key=f"table-{key}"
        )
    with st.expander("Download this chart"):
        offer(what, key, f"download-{key}")


def panel(ready: Prepared, key: str, summary: str = "", *, flat: bool = False) -> None:
    """Show one picture of a chart and nothing else, as the side-by-side view needs it.

    Its alternative text is `summary`, by default that of the chart.
    """
    what, figure = ready.chart, None if flat else ready.figure or None
    mount(key, what.title, summary or what.summary, figure, ready.flat, beside=False)
