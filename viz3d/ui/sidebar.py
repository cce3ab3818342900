"""The shared sidebar: which source, which runs, and what their metrics are.

Every choice is bound to the address of the page, so that a copied link opens the same view.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.errors import StreamlitAPIException

from viz3d.errors import Viz3dError
from viz3d.ui import loading
from viz3d.ui.text import safe

if TYPE_CHECKING:
    from viz3d.run import Run, RunInfo

# A first visit selects no more runs than this by itself.
FIRST_FEW = 12
AUTOMATIC = "as recognised"
# What the charts are about; other roles are offered where a run has them.
MAIN_ROLES = ("loss", "learning_rate", "grad_norm", "reward")


def hand_over(page: str, default_source: str) -> None:
    """Keep the shared choices when the viewer comes from another page.

    Streamlit knows the widgets of each page by different names and drops the bound values of the
    old page from the address before the new page has asked for them.
    """
    if st.session_state.get("page", page) != page:
        for key, value in st.session_state.to_dict().items():
            shared = key in ("source", "run") or str(key).startswith("role.")
            if shared and value not in (default_source, [], AUTOMATIC):
                st.session_state[key] = value
                # Refused while the address still belongs to the old widget: then it is right.
                with suppress(StreamlitAPIException):
                    st.query_params[str(key)] = value
    st.session_state["page"] = page


def choose_source(default: str) -> tuple[str, tuple[RunInfo, ...]]:
    """Ask for the source and list it; one that cannot be opened is explained and holds no runs."""
    text = st.text_input(
        "Source",
        value=default,
        key="source",
        bind="query-params",
        help="`sample`, or the path of a folder or file that holds runs.",
    )
    text = text.strip() or default
    try:
        return text, loading.list_source(text)[1]
    except Viz3dError as error:
        st.error(safe(error))
        return text, ()


def choose_runs(source: str, infos: Sequence[RunInfo]) -> tuple[RunInfo, ...]:
    """Ask which runs; the first visit to a source starts with a sensible few."""
    names = [info.name for info in infos]
    if st.session_state.get("listed") != source:
        _start_selection(source, names)
    chosen = st.multiselect(
        "Runs",
        names,
        key="run",
        bind="query-params",
        placeholder="Choose runs" if names else "No runs here",
        help="The newest stand first.",
    )
    wanted = set(chosen)
    return tuple(info for info in infos if info.name in wanted)


def _start_selection(source: str, names: Sequence[str]) -> None:
    """Begin with the runs of the link, else with those that the viewer would likely pick."""
    first_visit = "listed" not in st.session_state
    st.session_state["listed"] = source
    if first_visit and "run" in st.query_params:
        return
    st.session_state["run"] = suggest(names)
    if first_visit:
        # Before the widget exists only the address itself can carry the choice.
        st.query_params["run"] = st.session_state["run"]


def suggest(names: Sequence[str]) -> list[str]:
    """Pick the runs of a first visit: the largest family, newest first.

    A family is what shares its name up to the first digit, as the runs of a sweep do.

    Parameters
    ----------
    names : sequence of str
        Newest first.

    Returns
    -------
    list of str
        At most `FIRST_FEW`.
    """
    families = Counter(family(name) for name in names)
    if not families:
        return []
    largest = max(families, key=lambda family: families[family])
    return [name for name in names if family(name) == largest][:FIRST_FEW]


def family(name: str) -> str:
    """Return the part of a run's name that its family shares."""
    return re.split(r"\d", name, maxsplit=1)[0]


def load_chosen(source: str, infos: Sequence[RunInfo]) -> tuple[Run, ...]:
    """Load the chosen runs, those of a file of several included."""
    return tuple(run for _, runs in loading.load(source, infos) for run in runs)


def choose_roles(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """Show what each metric was taken for, and let the viewer say otherwise.

    A role said here holds for every selected run that has the metric.
    """
    from viz3d.analysis.roles import ROLES

    metrics = list(dict.fromkeys(metric for run in runs for metric in run.metrics))
    if not metrics:
        return runs
    found = {role for run in runs for role in run.roles}
    said: dict[str, str] = {}
    with st.expander("Roles of metrics"):
        for role in [role for role in ROLES if role in MAIN_ROLES or role in found]:
            choice = st.selectbox(
                _role_label(role, runs),
                [AUTOMATIC, *metrics],
                key=f"role.{role}",
                bind="query-params",
                help=safe(ROLES[role]),
            )
            if choice != AUTOMATIC:
                said[role] = choice
    return tuple(_with_roles(run, said) for run in runs)


def _role_label(role: str, runs: Sequence[Run]) -> str:
    found = list(dict.fromkeys(run.roles[role] for run in runs if role in run.roles))
    words = role.replace("_", " ").capitalize()
    return f"{words}: {safe(', '.join(found))}" if found else f"{words}: not recognised"


def _with_roles(run: Run, said: dict[str, str]) -> Run:
    mine = {role: metric for role, metric in said.items() if metric in run.metrics}
    return run.with_roles(mine) if mine else run
