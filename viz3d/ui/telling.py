"""What the page says when a source, or a run in it, cannot be read as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.figures.text import count
from viz3d.run import Problem
from viz3d.ui.text import Markdown, advice, commands, moment, safe

if TYPE_CHECKING:
    from viz3d.errors import Viz3dError
    from viz3d.ui.listing import Listed

# More than this nobody reads; the number of the rest is said.
MOST = 5


def box(show: Callable[[str], object], what: Markdown, remedy: str) -> None:
    """Show a sentence and its remedy; a command in the remedy is there to be copied.

    Parameters
    ----------
    show : callable
        `streamlit.error` or one of its kin.
    what : str
        Markdown.
    remedy : str
        Plain text.
    """
    show(f"{what}  \n{advice(remedy)}" if remedy else what)
    for command in commands(remedy):
        st.code(command, language=None, wrap_lines=True)


def show_state(listed: Listed) -> bool:
    """Say why a source cannot be read, as of when it is shown, or why it holds nothing.

    Returns
    -------
    bool
        False where what is shown is the present state.
    """
    if listed.error is not None:
        problem = Problem.of(listed.error)
        box(st.error, f"**{advice(problem.what)}**", problem.remedy)
    elif listed.as_of is not None:
        why = listed.problems[0] if listed.problems else None
        said = why.what if why else f"Shown is what was there as of {moment(listed.as_of)}."
        box(st.warning, advice(said), why.remedy if why else "")
    elif not listed.infos:
        # Such as which folders are near where nothing was found.
        for problem in listed.problems[:MOST]:
            box(st.info, advice(problem.what), problem.remedy)
    return listed.error is not None or listed.as_of is not None


def show_age(listed: Listed, label: str = "") -> None:
    """Say right under the name of the source, or with it, that it is not the present state."""
    about = f"{safe(label)}: " if label else ""
    if listed.error is not None:
        st.caption(f"{about}It cannot be read now; the page says why.")
    elif listed.as_of is not None:
        st.caption(f"{about}As of {moment(listed.as_of)}; the page says why.")


def tell_left_out(failed: Sequence[tuple[str, Viz3dError]]) -> None:
    """Name the chosen runs that could not be read, each with its reason."""
    for name, error in failed[:MOST]:
        problem = Problem.of(error)
        said = f"{safe(name)} was left out. {advice(problem.what)} {advice(problem.remedy)}"
        st.warning(said.strip())
    if len(failed) > MOST:
        st.warning(f"{count(len(failed) - MOST, 'more run')} could not be read and were left out.")


def tell_not_whole(lacking: Sequence[tuple[str, Problem]]) -> None:
    """Name the runs of which an older copy is shown, or a part."""
    for name, problem in lacking[:MOST]:
        about = f"**{safe(name)}** · {safe(problem.file)}" if problem.file else f"**{safe(name)}**"
        st.warning(f"{about}: {advice(problem.what)} {advice(problem.remedy)}".strip())
    if len(lacking) > MOST:
        st.warning(f"{count(len(lacking) - MOST, 'more file')} could not be had as they are now.")
