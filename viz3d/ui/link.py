"""Links: what one restores beyond the address, and what is told when its data has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.components import v2
from streamlit.errors import StreamlitAPIException

from viz3d.figures.text import count
from viz3d.ui.link_text import (
    State,
    brief,
    change,
    decode,
    encode,
    is_long,
    spell_out,
    state_of,
)
from viz3d.ui.text import Markdown, safe

if TYPE_CHECKING:
    from viz3d.run import Run, RunInfo
    from viz3d.ui.listing import Listed

    Loaded = Sequence[tuple[RunInfo, tuple[Run, ...]]]

# More than this nobody reads; the number of the rest is said.
MOST = 8
# A longer text of cameras is none of ours.
LONGEST_CAMERAS = 4000
_HERE = Path(__file__).parent
_HTML = """\
<button type="button">Copy link</button>
<input type="text" readonly hidden aria-label="Link to this view" />
<p role="status" aria-live="polite"></p>
"""
_copy = v2.component(
    "viz3d_link",
    html=_HTML,
    css=(_HERE / "link.css").read_text("utf-8"),
    js=(_HERE / "link.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Opened:
    """What stood in the address when the visit began.

    Attributes
    ----------
    source : str
    states : dict of {run: State or None}
        By name, or by the digest of a long one, as the link has it.
    cameras : str
        For the browser, which alone can read it.
    """

    source: str
    states: Mapping[str, State | None]
    cameras: str


def open_link(default_source: str) -> None:
    """Take out of the address what a link says of its data and its cameras, once per visit.

    A reload then shows what the viewer has made of the view since.
    """
    if "link" in st.session_state:
        return
    query = st.query_params
    states = dict(zip(query.get_all("run"), decode(query.pop("data", "")), strict=False))
    cameras = query.pop("cam", "")
    st.session_state["link"] = Opened(
        "\n".join([query.get("source", "").strip() or default_source, *query.get_all("also")]),
        states,
        cameras if len(cameras) <= LONGEST_CAMERAS else "",
    )


def find_names(key: str, names: Sequence[str]) -> None:
    """Put the names into the address that a link gives by digest, before their widget is made.

    Parameters
    ----------
    key : str
        Of the widget, and in the address.
    names : sequence of str
        What the widget offers.
    """
    values = st.query_params.get_all(key)
    said = spell_out(values, names)
    if said == values:
        return
    try:
        st.query_params[key] = said
    except StreamlitAPIException:
        # The widget is there already, from a run that did not know the names yet; of all that are
        # bound only the selection of runs keeps what it does not know.
        if key == "run":
            st.session_state[key] = said
    else:
        st.rerun()  # a widget takes its first value from the address with which a run began


def tell_changes(listed: Listed, loaded: Loaded) -> None:
    """Say which of the runs that a link shows have changed since it was made."""
    opened: Opened = st.session_state["link"]
    if listed.text != opened.source or listed.error is not None:
        return
    said = [f"{_called(name)} is gone." for name in _gone(opened)]
    for info, runs in loaded:
        then = opened.states.get(info.name) or opened.states.get(brief(info.name))
        what = change(then, runs) if then else ""
        said += [f"**{safe(info.name)}** {safe(what)}"] if what else []
    if len(said) > MOST:
        said = [*said[: MOST - 1], f"{count(len(said) - MOST + 1, 'more run')} changed as well."]
    if said:
        st.info("  \n".join(said))


def _gone(opened: Opened) -> list[str]:
    """Return the runs of the link that the source does not hold."""
    return [name for name in st.session_state.get("gone", ()) if opened.states.get(name)]


def _called(name: str) -> Markdown:
    digest = name.startswith("~")
    return f"A run with a long name (digest {safe(name)})" if digest else f"**{safe(name)}**"


def copy_link(listed: Listed, loaded: Loaded) -> None:
    """Offer the address of this view for copying, with its data's state and its cameras.

    Parameters
    ----------
    listed : Listed
    loaded : sequence of (RunInfo, tuple of Run)
        What could be read of the selected.
    """
    found = {info.name: runs for info, runs in loaded}
    # As the viewer has put them; what the charts take is in the order of the listing.
    selected = [str(name) for name in st.session_state["run"]]
    _copy(
        key="viz3d-link",
        data={
            # While the source cannot be listed, the address knows best what is selected.
            "runs": None if listed.error is not None else selected,
            "state": encode(state_of(found.get(name, ())) for name in selected),
            "digests": [[name, brief(name)] for name in _names(selected, loaded)],
            "cameras": st.session_state["link"].cameras,
        },
    )


def _names(selected: Sequence[str], loaded: Loaded) -> Iterable[str]:
    """Return what a link can name by digest: runs, and what else has a long name."""
    runs = [run for _, found in loaded for run in found]
    others = {
        name: None for run in runs for name in (run.name, *run.metrics, *map(str, run.config))
    }
    return dict.fromkeys([*selected, *filter(is_long, others)])
