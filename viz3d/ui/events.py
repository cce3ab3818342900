"""A chart with the list of its events below it: selecting one takes the camera there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import streamlit as st

from viz3d.figures.text import count
from viz3d.ui.chart import details, picture
from viz3d.ui.tables import WIDEST
from viz3d.ui.text import safe

if TYPE_CHECKING:
    from viz3d.figures.pins import Pin
    from viz3d.ui.component import Focus
    from viz3d.ui.preparing import Prepared

# Rows of the list that are seen at once; further ones are scrolled to.
ROWS = 8


def chart_with_events(made: Prepared, key: str) -> None:
    """Show a chart and right below it what happened to its runs.

    Parameters
    ----------
    made : Prepared
    key : str
        Names the chart on its page.
    """
    place = st.container()
    chosen = _choose(made.chart.events, key)
    with place:
        picture(made, key, focus=_focus(chosen))
    details(made.chart, key)


def _focus(pin: Pin | None) -> Focus | None:
    from viz3d.figures.event_table import focus

    return cast("Focus", focus(pin)) if pin is not None and pin.placed else None


def _choose(events: Sequence[Pin], key: str) -> Pin | None:
    """List the events and return the selected one."""
    if not events:
        st.caption("Events: no spike, drop, NaN, divergence, plateau or restart was found.")
        return None
    st.header("Events")
    shown = _of_kind(events, key)
    st.caption(f"{count(len(shown), 'event')}, by step. Select a row, and the scene goes there.")
    from viz3d.figures.event_table import event_table

    # A row number means something for these rows alone, so the key names them; where others
    # appear in a run that grows, the selected event stays selected by what it is.
    names = [_name(pin) for pin in shown]
    kept = st.session_state.get(f"event-{key}")
    rows = [names.index(kept)] if kept in names else []
    state = st.dataframe(
        event_table(shown),
        hide_index=True,
        width="stretch",
        height="auto" if len(shown) <= ROWS else 35 * (ROWS + 1),
        # A phone shows the first of them only.
        column_order=["kind", "step", "run", "size", "value", "metric"],
        column_config={"run": st.column_config.TextColumn(width=WIDEST)},
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": rows}},
        key=f"events-{key}-{hash(tuple(names))}",
    )
    chosen = selected(shown, state["selection"]["rows"])
    st.session_state[f"event-{key}"] = chosen and _name(chosen)
    return chosen


def selected(events: Sequence[Pin], rows: Sequence[int]) -> Pin | None:
    """Return the event of the selected row; None without one, or where it is no longer there."""
    return events[rows[0]] if rows and rows[0] < len(events) else None


def _of_kind(events: Sequence[Pin], key: str) -> list[Pin]:
    """Let the viewer choose which kinds to list, where there are several."""
    kinds = list(dict.fromkeys(pin.kind for pin in events))
    if len(kinds) == 1:
        return list(events)
    wanted = st.pills(
        "Kinds", kinds, format_func=safe, selection_mode="multi", key=f"kinds-{key}",
        label_visibility="collapsed",
    )  # fmt: skip
    return [pin for pin in events if pin.kind in wanted or not wanted]


def _name(pin: Pin) -> tuple[str, str, str, int]:
    """Return what an event is still called when its run has grown."""
    return pin.run, pin.event.kind, pin.event.metric, pin.event.step
