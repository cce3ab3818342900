"""Who reads a bucket, and whether that works: a small panel in the sidebar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from viz3d.sources.base import is_remote
from viz3d.ui.telling import box
from viz3d.ui.text import moment, safe

if TYPE_CHECKING:
    from viz3d.settings import Settings
    from viz3d.sources.base import Remote
    from viz3d.sources.check import Check
    from viz3d.ui.listing import Listed


def connection(listed: Listed, settings: Settings, nth: int = 0) -> None:
    """Show how a bucket or W&B is reached, and offer to try it; nothing for other sources.

    Parameters
    ----------
    listed : Listed
    settings : Settings
    nth : int
        Which of the sources that are open.
    """
    if is_remote(listed.source):
        with st.popover("Connection", width="stretch"):
            _panel(listed.source, listed, settings, f"check-{nth}" if nth else "check")


@st.fragment
def _panel(source: Remote, listed: Listed, settings: Settings, key: str) -> None:
    """Show what is known without asking anybody; the button asks."""
    facts = {
        "You are": source.identity,
        "Project": source.project or "none set",
        **source.address.facts,
        "Shown as of": _when(listed),
    }
    st.markdown(
        "  \n".join(f"{safe(what)}: **{safe(fact)}**" for what, fact in facts.items() if fact)
    )
    if st.button("Check", key=key, width="stretch"):
        with st.spinner("Asking …"):
            found = _check(listed.text, settings)
        _show(found)


def _when(listed: Listed) -> str:
    if listed.error is not None:
        return ""
    return moment(listed.as_of) if listed.as_of else "now"


def _check(text: str, settings: Settings) -> Check:
    from viz3d.load import list_runs, open_source
    from viz3d.sources.check import check

    return check(text, settings, open_source, list_runs)


def _show(found: Check) -> None:
    what = safe(found.message, longest=None)
    if found.ok:
        st.success(what)
    else:
        box(st.error, what, found.remedy)
    for note in found.notes:
        st.caption(safe(note))
