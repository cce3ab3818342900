"""Loading runs, each once and then shared by all viewers.

Nothing here is kept on disk: the caches hold frozen records in memory, and a key names the state
of the files it was made from, so that a changed file is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from viz3d.errors import SourceError, Viz3dError
from viz3d.figures.text import count
from viz3d.run import Problem
from viz3d.sources.finding import whole_text
from viz3d.ui.downloads import bring
from viz3d.ui.telling import tell_left_out, tell_not_whole
from viz3d.ui.text import safe

if TYPE_CHECKING:
    from viz3d.run import FileInfo, Run, RunInfo
    from viz3d.sources.base import Source
    from viz3d.ui.listing import Listed

# Progress is shown once loading has taken this many seconds.
PATIENCE = 0.5


@dataclass(frozen=True)
class Loaded:
    """The runs behind one entry of a listing.

    Attributes
    ----------
    runs : tuple of Run
        Several where one file holds several.
    lacking : tuple of Problem
        Files that could not be had as the listing has them: an older copy was read, or none.
    """

    runs: tuple[Run, ...]
    lacking: tuple[Problem, ...]


class _Noting:
    """A source that notes which files it could not hand out as they are listed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.lacking: list[Problem] = []

    def fetch(self, file: FileInfo) -> Path:
        try:
            path = self._source.fetch(file)
        except SourceError as error:
            self.lacking.append(Problem.of(error, file.path))
            raise
        self.lacking += self._source.remarks(file)
        return path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


@st.cache_resource(max_entries=512, show_spinner=False)
def _load(_source: Source, _info: RunInfo, text: str, name: str, state: tuple[str, ...]) -> Loaded:
    from viz3d.load import load_runs

    noting = _Noting(_source)
    runs = load_runs(cast("Source", noting), _info)
    return Loaded(tuple(runs), tuple(dict.fromkeys(noting.lacking)))


@st.cache_resource(show_spinner=False)
def _states() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the state in which each run was read last."""
    return {}


def _load_state(listed: Listed, info: RunInfo) -> Loaded:
    """Load a run and keep it: the state that the listing has, whole, and no other of it."""
    assert listed.source is not None
    key = (listed.text, info.name)
    # A path may hold bytes that are no UTF-8, of which Streamlit makes no key.
    state = tuple(whole_text(f"{file.path} {file.generation}") for file in info.files)
    before = _states().get(key)
    if before not in (None, state):
        _load.clear(listed.source, info, *key, before)
    loaded: Loaded = _load(listed.source, info, *key, state)
    _states()[key] = state
    if loaded.lacking:
        _load.clear(listed.source, info, *key, state)
    return loaded


def load(
    listed: Listed, infos: Sequence[RunInfo], *, quiet: bool = False
) -> Iterator[tuple[RunInfo, tuple[Run, ...]]]:
    """Load runs one by one; one that cannot be read is reported and does not stop the others.

    Parameters
    ----------
    listed : Listed
    infos : sequence of RunInfo
        Entries of the listing.
    quiet : bool
        Whether to leave out unreadable runs without a word, for runs that nobody chose.

    Yields
    ------
    (RunInfo, tuple of Run)
        A file that holds several runs yields them all.
    """
    failed: list[tuple[str, Viz3dError]] = []
    lacking: list[tuple[str, Problem]] = []
    ready = bring(listed, infos, quiet=quiet)
    began, place = monotonic(), st.empty()
    for done, info in enumerate(ready):
        if monotonic() - began > PATIENCE:
            said = f"Reading {safe(info.name)}, {done + 1:,} of {count(len(ready), 'run')}"
            place.progress(done / len(ready), text=said)
        try:
            loaded = _load_state(listed, info)
        except Viz3dError as error:
            failed.append((info.name, error))
            continue
        lacking += [(info.name, problem) for problem in loaded.lacking]
        yield info, loaded.runs
    place.empty()
    if not quiet:
        tell_left_out(failed)
        tell_not_whole(lacking)
