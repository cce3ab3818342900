"""The frame of every page: its set-up, the shared sidebar and the selected runs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from viz3d.errors import SettingsError
from viz3d.figures.text import count
from viz3d.settings import Settings, load_settings
from viz3d.sources.finding import names_run
from viz3d.ui import live, loading, places, preparing, sidebar, telling, waiting
from viz3d.ui.component import preload
from viz3d.ui.connection import connection
from viz3d.ui.joining import choose_joined, tell_joined
from viz3d.ui.link import copy_link, open_link, tell_changes
from viz3d.ui.listing import Listed
from viz3d.ui.text import Markdown, advice, safe
from viz3d.ui.together import together

if TYPE_CHECKING:
    from viz3d.run import Problem, Run, RunInfo

PAGES = (
    ("app.py", "Runs"),
    ("pages/1_Loss_landscape.py", "Loss landscape"),
    ("pages/2_Gradient_flow.py", "Gradient flow"),
    ("pages/3_Reward_landscape.py", "Reward landscape"),
    ("pages/4_Training_dynamics.py", "Training dynamics"),
    ("pages/8_Explore.py", "Explore"),
    ("pages/9_Weight_space.py", "Weight space"),
    ("pages/5_Compare.py", "Compare"),
    ("pages/6_Report.py", "Report"),
    ("pages/7_Export.py", "Export"),
    ("pages/10_Data.py", "Data"),
)
# More than this nobody reads; the number of the rest is said.
MOST_REMARKS = 50


@dataclass(frozen=True)
class Page:
    """What a page starts from.

    Attributes
    ----------
    listed : Listed
        The source and what it holds.
    chosen : int
        How many entries of it are selected.
    runs : tuple of Run
        Those of the selected that could be loaded, with the roles that the viewer gave them.
    joined : mapping of {name: list of Run}
        What those runs are made of that the viewer joined from several sources.
    """

    listed: Listed
    chosen: int
    runs: tuple[Run, ...]
    joined: Mapping[str, list[Run]]

    @property
    def infos(self) -> tuple[RunInfo, ...]:
        """The runs of the source, newest first; empty when it could not be listed."""
        return self.listed.infos

    @property
    def failed(self) -> bool:
        """Whether the source could not be listed; the page has said why."""
        return self.listed.error is not None

    @property
    def name(self) -> str:
        """The source as shown to people: of a folder only the last part."""
        return self.listed.name


def start_page(title: Markdown, purpose: Markdown) -> Page:
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
    preparing.warm_up()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title)
        beside = st.container(width="content")
    st.caption(purpose)
    place = st.empty()
    with st.sidebar:
        for path, label in PAGES:
            link(path, label, width="stretch")
        settings = _settings()
        open_link(settings.source)
        sidebar.hand_over(title, settings.source)
        texts = places.choose_sources(settings.source)
    listed = together(waiting.list_sources(texts, settings, place))
    parts = listed.places()
    for nth, part in enumerate(parts.values()):
        if telling.show_state(part):
            waiting.try_again(part, nth)
    with st.sidebar:
        for name, part in parts.items():
            telling.show_age(part, name if listed.parts else "")
        chosen = sidebar.choose_runs(listed)
        places.choose_also()
        for name, part in parts.items():
            live.watch(part, part.only(chosen, name), settings)
    loaded = list(loading.load(listed, chosen))
    tell_changes(listed, loaded)
    with st.sidebar:
        read = tuple(run for _, found in loaded for run in found)
        whole, joined = choose_joined(listed, read)
        runs = sidebar.choose_roles(whole)
        for nth, part in enumerate(parts.values()):
            connection(part, settings, nth)
        _show_problems(parts, runs)
    tell_joined(joined)
    with beside:
        copy_link(listed, loaded)
    return Page(listed, len(chosen), runs, joined)


def link(path: str, label: Markdown, *, width: Literal["stretch", "content"] = "content") -> None:
    """Link to a page. One that runs by itself, without the app around it, has none to link to."""
    with suppress(StreamlitPageNotFoundError):
        st.page_link(path, label=label, width=width)


def read_settings() -> Settings:
    """Read the settings: the environment, ``.env`` and Streamlit's secrets.

    Raises
    ------
    SettingsError
        If ``.env`` or the file of secrets is there and cannot be read.
    """
    return load_settings(secrets=_secrets())


def _settings() -> Settings:
    """Read the settings and show what is wrong with them."""
    try:
        settings = read_settings()
    except SettingsError as error:
        st.error(safe(error))
        return Settings()
    for problem in settings.problems:
        st.warning(f"{advice(problem.what)} {advice(problem.remedy)}".strip())
    return settings


def _secrets() -> dict[str, object]:
    """Return Streamlit's secrets, or nothing where no file of them exists."""
    try:
        return dict(st.secrets)
    except FileNotFoundError as error:
        if error.__cause__ is None:
            return {}
        # Streamlit says in the same way that there is a file which is no TOML.
        raise SettingsError(
            f"Streamlit's secrets.toml cannot be read ({error.__cause__}); correct or remove it."
        ) from error


def _show_problems(parts: Mapping[str, Listed], runs: tuple[Run, ...]) -> None:
    """List what listing and reading have to tell, folded away."""
    found: list[tuple[str, Problem]] = []
    for name, part in parts.items():
        about = name if len(parts) > 1 else "the source"
        # Where an earlier listing is shown, the first says why; it stands on the page already.
        told = part.problems[1:] if part.as_of is not None else part.problems
        found += [(about, problem) for problem in told]
    found += [(run.name, problem) for run in runs for problem in run.problems]
    if not found:
        return
    with st.popover(f"{count(len(found), 'remark')} on what was read", width="stretch"):
        for about, problem in found[:MOST_REMARKS]:
            where = "" if names_run(problem, about) else f"**{safe(about)}** · "
            st.markdown(f"{where}{advice(str(problem))}")
        if len(found) > MOST_REMARKS:
            st.caption(f"and {len(found) - MOST_REMARKS:,} more")
