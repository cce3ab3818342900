"""The shared sidebar: which runs are shown, and what their metrics are.

Every choice is bound to the address of the page, so that a copied link opens the same view.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.errors import StreamlitAPIException

from viz3d.sources.base import is_local
from viz3d.sources.finding import plain_name
from viz3d.ui import loading
from viz3d.ui.link import find_names
from viz3d.ui.text import Markdown, safe

if TYPE_CHECKING:
    from viz3d.run import Run, RunInfo
    from viz3d.ui.listing import Listed

# A first visit selects no more runs than this by itself.
FIRST_FEW = 12
# Nor more bytes, so that nobody downloads for an hour unasked.
FIRST_BYTES = 200_000_000
AUTOMATIC = "as recognised"
# No more runs that have left the source are named; the number of the rest is said.
MOST_GONE = 8
# What the charts are about; other roles are offered where a run has them.
MAIN_ROLES = ("loss", "learning_rate", "grad_norm", "reward")


def hand_over(page: str, default_source: str) -> None:
    """Keep the shared choices when the viewer comes from another page.

    Streamlit knows the widgets of each page by different names and drops the bound values of the
    old page from the address before the new page has asked for them.
    """
    if st.session_state.get("page", page) != page:
        for key, value in st.session_state.to_dict().items():
            shared = key in ("source", "also", "join", "run") or str(key).startswith("role.")
            if shared and value not in (default_source, [], AUTOMATIC):
                st.session_state[key] = value
                # Refused while the address still belongs to the old widget: then it is right.
                with suppress(StreamlitAPIException):
                    st.query_params[str(key)] = value
    st.session_state["page"] = page


def choose_runs(listed: Listed) -> tuple[RunInfo, ...]:
    """Ask which runs; the first visit to a source starts with a sensible few.

    While the source cannot be listed, what was chosen before stays chosen, and none is returned.
    """
    infos = listed.infos
    names, nothing = [info.name for info in infos], "No runs here"
    find_names("run", names)
    if listed.error is not None:
        names = _chosen_before(listed.text)
        nothing = "The source cannot be read"
    elif st.session_state.get("listed") != listed.text:
        st.session_state.pop("gone", None)
        if not _carry_over(listed):
            _start_selection(listed)
    else:
        _note_gone(set(names))
    if listed.error is None:
        st.session_state["places"] = _places(listed)
    chosen = st.multiselect(
        "Runs",
        names,
        key="run",
        bind="query-params",
        placeholder="Choose runs" if names else nothing,
        help="The newest stand first.",
        on_change=_forget_gone,
    )
    gone = st.session_state.get("gone", ())
    if gone:
        rest = f" and {len(gone) - MOST_GONE:,} more" if len(gone) > MOST_GONE else ""
        st.caption(f"No longer in this source: {', '.join(map(safe, gone[:MOST_GONE]))}{rest}.")
    wanted = set(chosen)
    return tuple(info for info in infos if info.name in wanted)


def _places(listed: Listed) -> dict[str, tuple[str, str]]:
    """Return for each entry where it lies, which stays when sources are added or closed."""
    places = listed.places()
    return {info.name: (places[info.source].text, plain_name(info)) for info in listed.infos}


def _carry_over(listed: Listed) -> bool:
    """Keep the selected runs whose source is open still; they may have another name now."""
    before = st.session_state.get("places", {})
    now = {place: name for name, place in _places(listed).items()}
    kept = [now.get(before.get(name)) for name in st.session_state.get("run", ())]
    if not any(kept):
        return False
    st.session_state["listed"], st.session_state["run"] = listed.text, [*filter(None, kept)]
    return True


def _note_gone(names: set[str]) -> None:
    """Keep the selected runs that have left the source, which the selection drops unsaid.

    One that is back is selected again: its folder was exchanged, or away for a moment.
    """
    gone, chosen = st.session_state.get("gone", ()), st.session_state.get("run", ())
    back = [name for name in gone if name in names and name not in chosen]
    if back:
        st.session_state["run"] = [*chosen, *back]
    before = dict.fromkeys((*gone, *chosen))
    st.session_state["gone"] = [name for name in before if name not in names]


def _forget_gone() -> None:
    st.session_state.pop("gone", None)


def _chosen_before(source: str) -> list[str]:
    """Return the runs of a source that are selected, or that a link selects."""
    if "listed" not in st.session_state:
        return st.query_params.get_all("run")
    if st.session_state["listed"] != source:
        # Nothing is selected there yet; the first listing that succeeds will suggest some.
        st.session_state["listed"], st.session_state["run"] = "", []
    return list(st.session_state["run"])


def _start_selection(listed: Listed) -> None:
    """Begin with the runs of the link, else with those that the viewer would likely pick."""
    infos = listed.infos
    first_visit = "listed" not in st.session_state
    st.session_state["listed"] = listed.text
    if first_visit and "run" in st.query_params:
        linked = [name for name in st.query_params.get_all("run") if name]
        names = {info.name for info in infos}
        st.session_state["gone"] = [name for name in dict.fromkeys(linked) if name not in names]
        return
    st.session_state["run"] = _readable(listed)
    if first_visit:
        # Before the widget exists only the address itself can carry the choice.
        st.query_params["run"] = st.session_state["run"]


def _readable(listed: Listed) -> list[str]:
    """Return the suggested names; on this disk the next one if none of those can be read."""
    names = [info.name for info in listed.infos]
    suggested = _within(FIRST_BYTES, suggest(names), listed.infos)
    others = [[name] for name in names if name not in suggested][:FIRST_FEW]
    for some in (suggested, *others) if is_local(listed.source) else ():
        if any(loading.load(listed, [one for one in listed.infos if one.name in some], quiet=True)):
            return some
    return suggested


def _within(limit: int, names: Sequence[str], infos: Sequence[RunInfo]) -> list[str]:
    """Return the first names whose runs together stay below a size; one at least."""
    sizes = {info.name: info.weight for info in infos}
    totals = accumulate(sizes[name] for name in names)
    return [
        name
        for i, (name, total) in enumerate(zip(names, totals, strict=True))
        if not i or total <= limit
    ]


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
            find_names(f"role.{role}", metrics)
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


def _role_label(role: str, runs: Sequence[Run]) -> Markdown:
    found = list(dict.fromkeys(run.roles[role] for run in runs if role in run.roles))
    words = safe(role.replace("_", " ").capitalize())
    return f"{words}: {safe(', '.join(found))}" if found else f"{words}: not recognised"


def _with_roles(run: Run, said: dict[str, str]) -> Run:
    mine = {role: metric for role, metric in said.items() if metric in run.metrics}
    return run.with_roles(mine) if mine else run
