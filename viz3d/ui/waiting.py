"""What is on the page while a source is listed."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.figures.text import count
from viz3d.ui.listing import Inquiry, Listed, Listings
from viz3d.ui.text import Markdown, duration, safe

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from viz3d.settings import Settings

# Seconds: a listing that is quicker shows nothing of itself; folder names are asked for after the
# second; after the third an earlier listing, where there is one, is shown in its place.
QUIET, NAMES_AFTER, SPARE_AFTER = 0.4, 0.7, 2.0
TICK = 0.2


@st.cache_resource(show_spinner=False)
def listings() -> Listings:
    """Return the listings that all viewers share."""
    return Listings()


def list_sources(
    texts: Sequence[str], settings: Settings, place: DeltaGenerator
) -> tuple[Listed, ...]:
    """List sources, all at once; see `list_source`."""
    for text in texts:
        listings().ask(text, settings)
    return tuple(list_source(text, settings, place) for text in texts)


def list_source(text: str, settings: Settings, place: DeltaGenerator) -> Listed:
    """List a source; while that takes long, show on the page how far it is.

    Parameters
    ----------
    text : str
    settings : Settings
    place : streamlit's placeholder
        Where the progress is shown; empty again afterwards.

    Returns
    -------
    Listed
        With an error inside where it could not be listed.
    """
    inquiry = listings().ask(text, settings)
    if inquiry.done.wait(QUIET):
        return inquiry.result()
    began = monotonic() - QUIET
    box = place.container()
    line, table = box.empty(), box.empty()
    shown: list[str] = []
    while not inquiry.done.wait(TICK):
        seconds = monotonic() - began
        if inquiry.spare and seconds > SPARE_AFTER:
            place.empty()
            return inquiry.spare
        names = inquiry.names() if seconds > NAMES_AFTER and not inquiry.spare else []
        # Written at every turn: it is here that Streamlit ends the script when the viewer leaves.
        line.markdown(_words(inquiry, names, seconds))
        if names != shown:
            table.dataframe({"folder": names}, hide_index=True, width="stretch")
            shown = names
    place.empty()
    return inquiry.result()


def _words(inquiry: Inquiry, names: list[str], seconds: float) -> Markdown:
    found = f"**{count(len(names), 'folder')} found**, reading what is in them"
    doing = found if names else "Listing the runs"
    said = f"  \n{safe(inquiry.said)}" if inquiry.said else ""
    return f"{doing} … {duration(seconds)}{said}"


def try_again(listed: Listed, nth: int = 0) -> None:
    """Offer to ask the source once more, with a new login; `nth` of those that are open."""
    key = f"try-again-{nth}" if nth else "try-again"
    st.button("Try again", key=key, on_click=listings().forget, args=(listed.text,))
