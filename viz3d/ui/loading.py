"""Listing, loading and charting, each done once and then shared by all viewers.

Nothing here is kept on disk: the caches hold frozen records in memory, and a key names the state
of the files it was made from, so that a changed file is read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import streamlit as st

from viz3d.errors import Viz3dError
from viz3d.figures.kinds import KINDS, make_chart
from viz3d.ui.text import count, safe

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.run import Run, RunInfo
    from viz3d.sources.base import Source

# How long a listing is believed, in seconds: new runs appear at the next click after it.
LISTING_AGE = 15
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


@st.cache_resource(ttl=LISTING_AGE, max_entries=16, show_spinner="Listing the runs …")
def list_source(text: str) -> tuple[Source, tuple[RunInfo, ...]]:
    """Open the source that `text` names and list its runs, newest first.

    Raises
    ------
    Viz3dError
        If it cannot be opened or listed.
    """
    from viz3d.load import list_runs, open_source

    source = open_source(text)
    return source, tuple(list_runs(source))


@st.cache_resource(max_entries=512, show_spinner=False)
def _load(_source: Source, text: str, name: str, state: tuple[str, ...]) -> tuple[Run, ...]:
    from viz3d.load import load_runs

    return tuple(load_runs(_source, name))


def load(
    text: str, infos: Sequence[RunInfo], *, quiet: bool = False
) -> Iterator[tuple[RunInfo, tuple[Run, ...]]]:
    """Load runs one by one; one that cannot be read is reported and does not stop the others.

    Parameters
    ----------
    text : str
        The source.
    infos : sequence of RunInfo
        Entries of its listing.
    quiet : bool
        Whether to leave out unreadable runs without a word, for runs that nobody chose.

    Yields
    ------
    (RunInfo, tuple of Run)
        A file that holds several runs yields them all.
    """
    if not infos:
        return
    source, _ = list_source(text)
    began, place = monotonic(), st.empty()
    for done, info in enumerate(infos):
        if monotonic() - began > PATIENCE:
            said = f"Reading {safe(info.name)}, {done + 1} of {count(len(infos), 'run')}"
            place.progress(done / len(infos), text=said)
        state = tuple(f"{file.path} {file.generation}" for file in info.files)
        try:
            yield info, _load(source, text, info.name, state)
        except Viz3dError as error:
            if not quiet:
                st.warning(f"{safe(info.name)} was left out. {safe(error)}")
    place.empty()


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
