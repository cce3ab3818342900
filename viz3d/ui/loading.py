"""Loading and charting, each done once and then shared by all viewers.

Nothing here is kept on disk: the caches hold frozen records in memory, and a key names the state
of the files it was made from, so that a changed file is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from viz3d.errors import SourceError, Viz3dError
from viz3d.figures.kinds import KINDS, make_chart
from viz3d.run import Problem
from viz3d.ui.downloads import bring
from viz3d.ui.telling import tell_left_out, tell_not_whole
from viz3d.ui.text import count, safe

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.run import FileInfo, Run, RunInfo
    from viz3d.sources.base import Source
    from viz3d.ui.listing import Listed

# Progress is shown once loading has taken this many seconds.
PATIENCE = 0.5


@dataclass(frozen=True)
class Prepared:
    """A chart and its figures as the JSON that the browser gets."""

    chart: Chart
    figure: str
    flat: str


@st.cache_resource(show_spinner=False)
def warm_up() -> Thread:
    """Let the libraries of the first chart load while the viewer still looks at the page."""
    thread = Thread(target=_import_ahead, name="viz3d-imports", daemon=True)
    thread.start()
    return thread


def _import_ahead() -> None:
    from viz3d.analysis.warm import load_libraries

    load_libraries()
    for module in KINDS.values():
        import_module(module)


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
            self.lacking.append(Problem(str(error), file=file.path))
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
    state = tuple(f"{file.path} {file.generation}" for file in info.files)
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
            said = f"Reading {safe(info.name)}, {done + 1} of {count(len(ready), 'run')}"
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


@st.cache_resource(max_entries=64, show_spinner="Computing the chart …", show_time=True)
def _prepare(
    _runs: Sequence[Run], kind: str, identity: object, settings: tuple[tuple[str, Any], ...]
) -> Prepared:
    if kind == "report":
        from viz3d.figures.report import chart

        return prepare(chart(_runs))
    return prepare(make_chart(kind, _runs, **dict(settings)))


def prepare(chart: Chart) -> Prepared:
    """Turn the figures of a chart into JSON; a chart without a scene of its own sends one."""
    from viz3d.figures.wire import to_wire

    flat = to_wire(chart.flat)
    figure = "" if chart.figure is chart.flat else to_wire(chart.figure)
    return Prepared(chart, figure, flat)


def identity(runs: Sequence[Run]) -> tuple[object, ...]:
    """Return what makes a figure of `runs` differ from another: contents, names and roles."""
    return tuple((run.source, run.name, run.digest, tuple(run.roles.items())) for run in runs)


def make(kind: str, runs: Sequence[Run], settings: Mapping[str, Any]) -> Prepared:
    """Make a chart, or take the one that was made before from the same runs and settings.

    Raises
    ------
    ChartError
        If the runs do not hold what the chart needs.
    """
    return _prepare(runs, kind, identity(runs), tuple(sorted(settings.items())))


@st.cache_resource(max_entries=16, show_spinner="Computing the charts …", show_time=True)
def _prepare_beside(
    _groups: Sequence[Sequence[Run]], kind: str, identity: object
) -> tuple[Prepared, ...]:
    from viz3d.figures.compare import side_by_side

    return tuple(prepare(chart) for chart in side_by_side(_groups, kind))


def make_beside(kind: str, groups: Sequence[Sequence[Run]]) -> tuple[Prepared, ...]:
    """Make one chart for each group of runs, all on one colour scale and the same axes.

    Raises
    ------
    ChartError
        If the runs do not hold what the chart needs.
    """
    return _prepare_beside(groups, kind, tuple(identity(runs) for runs in groups))


@st.cache_resource(max_entries=16, show_spinner="Computing the chart …", show_time=True)
def _prepare_overlaid(
    _groups: Mapping[str, Sequence[Run]], kind: str, identity: object
) -> Prepared:
    from viz3d.figures.overlay import chart

    return prepare(chart(_groups, kind))


def make_overlaid(kind: str, groups: Mapping[str, Sequence[Run]]) -> Prepared:
    """Make one chart of several groups of runs, each in its colour.

    Raises
    ------
    ChartError
        If the kind cannot be overlaid or a group does not hold what it needs.
    """
    return _prepare_overlaid(groups, kind, _groups_identity(groups))


@st.cache_resource(max_entries=32, show_spinner="Computing the difference …", show_time=True)
def _prepare_difference(
    _groups: Mapping[str, Sequence[Run]], kind: str, identity: object
) -> Prepared:
    from viz3d.figures.difference import chart

    a, b = _groups.values()
    first, second = _groups
    return prepare(chart(a, b, of=kind, names=(first, second)))


def make_difference(kind: str, groups: Mapping[str, Sequence[Run]]) -> Prepared:
    """Make the difference of two groups of runs, the first minus the second.

    Raises
    ------
    ChartError
        If nothing can be compared, or there is no difference of this kind.
    """
    return _prepare_difference(groups, kind, _groups_identity(groups))


def _groups_identity(groups: Mapping[str, Sequence[Run]]) -> tuple[object, ...]:
    return tuple((title, identity(runs)) for title, runs in groups.items())
