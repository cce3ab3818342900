"""A chart with the list of its events below it: selecting one takes the camera there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import streamlit as st

from viz3d.ui.chart import chart
from viz3d.ui.text import count

if TYPE_CHECKING:
    from viz3d.figures.pins import Pin
    from viz3d.ui.component import Focus
    from viz3d.ui.loading import Prepared

# Rows of the list that are seen at once; further ones are scrolled to.
ROWS = 8


def chart_with_events(made: Prepared, key: str) -> None:
    """Show a chart and below it what happened to its runs.

    Parameters
    ----------
    made : Prepared
    key : str
        Names the chart on its page.
    """
    place = st.container()
    chosen = _choose(made.chart.events, key)
    with place:
        chart(made, key, focus=_focus(chosen))


def _focus(pin: Pin | None) -> Focus | None:
    from viz3d.figures.event_table import focus

    return None if pin is None else cast("Focus", focus(pin))


def _choose(events: Sequence[Pin], key: str) -> Pin | None:
    """List the events and return the selected one."""
    st.subheader("Events")
    if not events:
        st.caption("No spike, drop, NaN, divergence, plateau or restart was found.")
        return None
    shown = _of_kind(events, key)
    st.caption(f"{count(len(shown), 'event')}, by step. Select a row, and the scene goes there.")
    from viz3d.figures.event_table import event_table

    # The key names the rows: a selection holds while they stay, and ends when they change.
    state = st.dataframe(
        event_table(shown),
        hide_index=True,
        width="stretch",
        height="auto" if len(shown) <= ROWS else 35 * (ROWS + 1),
        on_select="rerun",
        selection_mode="single-row",
        key=f"events-{key}-{_identity(shown)}",
    )
    return selected(shown, state["selection"]["rows"])


def selected(events: Sequence[Pin], rows: Sequence[int]) -> Pin | None:
    """Return the event of the selected row; None without one, or where it is no longer there."""
    return events[rows[0]] if rows and rows[0] < len(events) else None


def _of_kind(events: Sequence[Pin], key: str) -> list[Pin]:
    """Let the viewer choose which kinds to list, where there are several."""
    kinds = list(dict.fromkeys(pin.kind for pin in events))
    if len(kinds) == 1:
        return list(events)
    wanted = st.pills(
        "Kinds", kinds, selection_mode="multi", key=f"kinds-{key}", label_visibility="collapsed"
    )
    return [pin for pin in events if pin.kind in wanted or not wanted]


def _identity(events: Sequence[Pin]) -> int:
    return hash(tuple((pin.run, pin.event) for pin in events))
