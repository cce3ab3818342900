"""Runs that several sources hold: found among the selected, and joined where the viewer says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.sources.finding import plain_name
from viz3d.ui.link import find_names
from viz3d.ui.preparing import identity
from viz3d.ui.text import safe

if TYPE_CHECKING:
    from viz3d.run import Run
    from viz3d.ui.listing import Listed

KEY = "join"
# No more names are told; the number of the rest is.
MOST_NAMED = 8


def same_runs(listed: Listed, runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the selected runs that lie in several sources, each by its name.

    Two runs of different sources are one if their names end in the same part, or if one is called
    like the other's id or name in W&B.

    Parameters
    ----------
    listed : Listed
    runs : sequence of Run

    Returns
    -------
    dict of {name: list of Run}
        In the order of the sources. Of two that go by one name the second one's has its source.
    """
    order = {name: n for n, name in enumerate(listed.places())}
    found: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: order.get(run.source, 0)):
        mine = _names(run)
        for group in found:
            if all(run.source != other.source for other in group) and any(
                mine & _names(other) for other in group
            ):
                group.append(run)
                break
        else:
            found.append([run])
    named: dict[str, list[Run]] = {}
    for group in found:
        if len(group) > 1:
            name = plain_name(group[0])
            named[name if name not in named else group[0].name] = group
    return named


def _names(run: Run) -> set[str]:
    about = run.config.get("_wandb")
    said = (
        [about.get(key) for key in ("id", "run_id", "name")] if isinstance(about, Mapping) else []
    )
    return {plain_name(run).rpartition("/")[2], *(str(name) for name in said if name)}


def choose_joined(
    listed: Listed, runs: tuple[Run, ...]
) -> tuple[tuple[Run, ...], dict[str, list[Run]]]:
    """Let the viewer join runs that several sources hold.

    Returns
    -------
    runs : tuple of Run
        Joined ones stand where the first of their parts stood.
    parts : dict of {name: list of Run}
        What each of the joined runs is made of.
    """
    found = same_runs(listed, runs) if listed.parts else {}
    find_names(KEY, list(found))
    # One whose parts are not all there stays chosen, and in the address, until they are back.
    apart = [name for name in _wished() if name not in found] if listed.parts else []
    if not found and not apart:
        return runs, {}
    wanted = st.multiselect(
        "Join",
        [*found, *apart],
        key=KEY,
        bind="query-params",
        placeholder="Runs found in several sources",
        help="What the sources hold of one run becomes one run, joined on the step. Where two "
        "logged the same metric at a step, the source that stands first counts.",
    )
    _tell_apart([name for name in wanted if name not in found])
    parts = {name: found[name] for name in wanted if name in found}
    place = {id(run): name for name, some in parts.items() for run in some}
    names = dict.fromkeys(place.get(id(run), id(run)) for run in runs)
    alone = {id(run): run for run in runs}
    return tuple(
        replace(_join(tuple(parts[key]), identity(parts[key])), name=key)
        if isinstance(key, str)
        else alone[key]
        for key in names
    ), parts  # fmt: skip


def _wished() -> list[str]:
    """Return what the viewer or a link wants joined."""
    wish = st.session_state.get(KEY, st.query_params.get_all(KEY))
    return list(dict.fromkeys(str(name) for name in wish if name))


def _tell_apart(names: Sequence[str]) -> None:
    """Say which runs are not joined because fewer than two sources hold them now."""
    if names:
        rest = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
        which = ", ".join(map(safe, names[:MOST_NAMED]))
        st.caption(
            f"Not joined now, for there are no two selected runs of that name: {which}{rest}."
        )


def tell_joined(parts: Mapping[str, Sequence[Run]]) -> None:
    """Say which of the runs on the page are joined, and from where."""
    for name, some in parts.items():
        where = " and ".join(safe(run.source) for run in some)
        st.caption(f"{safe(name)} is joined from {where}.")


def offer_to_join(listed: Listed, runs: Sequence[Run]) -> None:
    """Offer to join what several sources hold of one run, by a click for each."""
    for name, some in same_runs(listed, runs).items() if listed.parts else ():
        with st.container(horizontal=True, vertical_alignment="center"):
            where = " and ".join(safe(run.source) for run in some)
            st.info(f"{safe(name)} is in {where}. Is it one run?")
            st.button(f"Join {safe(name)}", key=f"join-{name}", on_click=_add, args=(name,))


def _add(name: str) -> None:
    st.session_state[KEY] = [*st.session_state.get(KEY, ()), name]


@st.cache_resource(max_entries=32, show_spinner=False)
def _join(_runs: tuple[Run, ...], identity: object) -> Run:
    from viz3d.analysis.joining import join_runs

    return join_runs(*_runs)
