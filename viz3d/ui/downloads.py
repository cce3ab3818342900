"""Bringing the files of the chosen runs near: with progress, and a way to stop and go on."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.figures.text import count
from viz3d.ui.text import Markdown, duration, size

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from viz3d.run import FileInfo, RunInfo
    from viz3d.sources.base import Source
    from viz3d.sources.progress import Progress
    from viz3d.ui.listing import Listed

# Progress is shown once the download has taken this many seconds.
PATIENCE = 0.5
STOPPED = "stopped"


def bring(listed: Listed, infos: Sequence[RunInfo], *, quiet: bool = False) -> list[RunInfo]:
    """Bring the files of runs near, all at once, and return the runs that can be read now.

    Parameters
    ----------
    listed : Listed
    infos : sequence of RunInfo
        Entries of its listing.
    quiet : bool
        Whether to leave out without a word what was stopped, for runs that nobody chose.

    Returns
    -------
    list of RunInfo
        All of them; of those whose download was stopped only what is here.
    """
    source = listed.source
    if source is None or not infos:
        return []
    stopped = _stopped(listed.text)
    wanted = [info for info in infos if info.name not in stopped]
    _download(source, listed.text, wanted)
    if quiet:
        return wanted
    ready = [info for info in infos if info.name not in stopped or _is_here(source, info.files)]
    if len(wanted) < len(infos):
        _offer_to_continue(len(ready), len(infos))
    return ready


def _download(source: Source, text: str, infos: Sequence[RunInfo]) -> None:
    """Download; a viewer who leaves, stops it or chooses otherwise ends it within a moment."""
    files = [file for info in infos for file in info.files]
    place, cancel = st.empty(), Event()
    bar = _Bar(place, text, [info.name for info in infos])
    try:
        source.prepare(files, bar.update, cancel)
    finally:
        cancel.set()  # Streamlit ends a script by an exception out of `update`
    place.empty()


class _Bar:
    """The progress of a download, with a button that stops it."""

    def __init__(self, place: DeltaGenerator, text: str, names: list[str]) -> None:
        self._place, self._text, self._names = place, text, names
        self._began = monotonic()
        self._bar: DeltaGenerator | None = None

    def update(self, progress: Progress) -> None:
        if self._bar is None:
            if monotonic() - self._began < PATIENCE or progress.files_done >= progress.files:
                return
            box = self._place.container(horizontal=True, vertical_alignment="center")
            self._bar = box.empty()
            box.button("Stop", key="stop", on_click=_stop, args=(self._text, self._names))
        self._bar.progress(progress.share, text=words(progress))


def words(progress: Progress) -> Markdown:
    """Say how far a download is.

    Parameters
    ----------
    progress : Progress

    Returns
    -------
    str
        Such as ``Downloading: 12.0 of 240.0 MB in 9 files, 3 MB per second, 1 min left``.
    """
    done, total = progress.bytes_done, progress.bytes_total
    if progress.unit == "rows":
        said = f"Reading: {done:,} of {count(total, 'row')} of {count(progress.files, 'run')}"
        if progress.left is None:
            return f"{said}, waiting for the next rows"
        left = duration(max(progress.left, 1))
        return f"{said}, {progress.rate:,.0f} per second, {left} left"
    # Both in one unit, fine enough to be seen moving.
    unit, scale = ("GB", 1e9) if total >= 1e9 else ("MB", 1e6) if total >= 1e5 else ("kB", 1e3)
    share = f"{done / scale:.1f} of {total / scale:.1f} {unit}"
    said = f"Downloading: {share} in {count(progress.files, 'file')}"
    if progress.left is None:
        return f"{said}, waiting for the next bytes"
    return f"{said}, {size(progress.rate)} per second, {duration(max(progress.left, 1))} left"


def _is_here(source: Source, files: Sequence[FileInfo]) -> bool:
    """Find out whether all files of a run are here; at the first sign that one is not, give up."""
    missing = Event()

    def look(progress: Progress) -> None:
        if progress.files_done < progress.files:
            missing.set()

    source.prepare(files, look, missing)
    return not missing.is_set()


def _offer_to_continue(ready: int, chosen: int) -> None:
    said = f"The download was stopped: {ready:,} of {count(chosen, 'chosen run')} can be shown."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(said)
        st.button("Continue", key="continue", on_click=_go_on, type="primary")


def _stopped(text: str) -> set[str]:
    """Return the names of the runs of a source whose download the viewer stopped."""
    source, names = st.session_state.get(STOPPED, ("", ()))
    return set(names) if source == text else set()


def _stop(text: str, names: list[str]) -> None:
    st.session_state[STOPPED] = (text, tuple(_stopped(text).union(names)))


def _go_on() -> None:
    st.session_state.pop(STOPPED, None)
