"""The frame of every page: its set-up, the shared sidebar and the selected runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from viz3d.errors import SettingsError
from viz3d.settings import Settings, load_settings
from viz3d.ui import sidebar
from viz3d.ui.component import preload
from viz3d.ui.loading import list_source, warm_up
from viz3d.ui.text import count, safe

if TYPE_CHECKING:
    from viz3d.run import Problem, Run, RunInfo

PAGES = (
    ("app.py", "Runs"),
    ("pages/1_Loss_landscape.py", "Loss landscape"),
    ("pages/2_Gradient_flow.py", "Gradient flow"),
    ("pages/3_Reward_landscape.py", "Reward landscape"),
    ("pages/4_Training_dynamics.py", "Training dynamics"),
    ("pages/5_Compare.py", "Compare"),
    ("pages/6_Report.py", "Report"),
)
# More than this nobody reads; the number of the rest is said.
MOST_REMARKS = 50


@dataclass(frozen=True)
class Page:
    """What a page starts from.

    Attributes
    ----------
    source : str
        The source as the viewer named it.
    infos : tuple of RunInfo
        Its runs, newest first; empty when it could not be opened.
    runs : tuple of Run
        The selected ones, loaded, with the roles that the viewer gave them.
    """

    source: str
    infos: tuple[RunInfo, ...]
    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """The source as shown to people: of a folder only the last part."""
        return self.infos[0].source if self.infos else self.source


def start_page(title: str, purpose: str) -> Page:
    """Set the page up, draw the sidebar and load the selected runs.

    Every page begins with this; it is the one gate that each visit passes.

    Parameters
    ----------
    title : str
    purpose : str
        One sentence under the title.

    Returns
    -------
    Page
    """
    st.set_page_config(page_title=f"{title} · viz3d", layout="wide")
    preload()
    warm_up()
    st.title(title)
    st.caption(purpose)
    with st.sidebar:
        for path, label in PAGES:
            link(path, label, width="stretch")
        default = _settings().source
        sidebar.hand_over(title, default)
        source, infos = sidebar.choose_source(default)
        chosen = sidebar.choose_runs(source, infos)
    runs = sidebar.load_chosen(source, chosen)
    with st.sidebar:
        runs = sidebar.choose_roles(runs)
        _show_problems(source, infos, runs)
    return Page(source, infos, runs)


def link(path: str, label: str, *, width: Literal["stretch", "content"] = "content") -> None:
    """Link to a page. One that runs by itself, without the app around it, has none to link to."""
    with suppress(StreamlitPageNotFoundError):
        st.page_link(path, label=label, width=width)


def _settings() -> Settings:
    """Read the settings and show what is wrong with them."""
    try:
        settings = load_settings(secrets=_secrets())
    except SettingsError as error:
        st.error(safe(error))
        return Settings()
    for problem in settings.problems:
        st.warning(safe(problem))
    return settings


def _secrets() -> dict[str, object]:
    """Return Streamlit's secrets, or nothing where no file of them exists."""
    try:
        return dict(st.secrets)
    except FileNotFoundError:
        return {}


def _show_problems(source: str, infos: tuple[RunInfo, ...], runs: tuple[Run, ...]) -> None:
    """List what listing and reading have to tell, folded away."""
    found: list[tuple[str, Problem]] = []
    if infos:
        found += [("the source", problem) for problem in list_source(source)[0].problems()]
    found += [(run.name, problem) for run in runs for problem in run.problems]
    if not found:
        return
    with st.popover(f"{count(len(found), 'remark')} on what was read", width="stretch"):
        for about, problem in found[:MOST_REMARKS]:
            st.markdown(f"**{safe(about)}** · {safe(problem)}")
        if len(found) > MOST_REMARKS:
            st.caption(f"and {len(found) - MOST_REMARKS:,} more")
