"""Preparing charts for the browser, each once and then shared by all viewers.

The caches hold frozen records in memory, and a key names what a chart was made from: the contents
of its runs, their names and roles, and the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

import streamlit as st

from viz3d.figures.kinds import KINDS, make_chart

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.run import Run

Settings = tuple[tuple[str, Any], ...]


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


@st.cache_resource(max_entries=64, show_spinner="Computing the chart …", show_time=True)
def _prepare(_runs: Sequence[Run], kind: str, identity: object, settings: Settings) -> Prepared:
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
    _groups: Sequence[Sequence[Run]], kind: str, identity: object, settings: Settings
) -> tuple[Prepared, ...]:
    from viz3d.figures.compare import side_by_side

    return tuple(prepare(chart) for chart in side_by_side(_groups, kind, **dict(settings)))


def make_beside(
    kind: str, groups: Sequence[Sequence[Run]], **settings: Any
) -> tuple[Prepared, ...]:
    """Make one chart for each group of runs, all on one colour scale and the same axes.

    Raises
    ------
    ChartError
        If the runs do not hold what the chart needs.
    """
    made_of = tuple(identity(runs) for runs in groups)
    return _prepare_beside(groups, kind, made_of, tuple(sorted(settings.items())))


@st.cache_resource(max_entries=16, show_spinner="Computing the chart …", show_time=True)
def _prepare_overlaid(
    _groups: Mapping[str, Sequence[Run]], kind: str, identity: object, settings: Settings
) -> Prepared:
    from viz3d.figures.overlay import chart

    return prepare(chart(_groups, kind, **dict(settings)))


def make_overlaid(kind: str, groups: Mapping[str, Sequence[Run]], **settings: Any) -> Prepared:
    """Make one chart of several groups of runs, each in its colour.

    Raises
    ------
    ChartError
        If the kind cannot be overlaid or a group does not hold what it needs.
    """
    made_of = _groups_identity(groups)
    return _prepare_overlaid(groups, kind, made_of, tuple(sorted(settings.items())))


@st.cache_resource(max_entries=32, show_spinner="Computing the difference …", show_time=True)
def _prepare_difference(
    _groups: Mapping[str, Sequence[Run]], kind: str, identity: object, settings: Settings
) -> Prepared:
    from viz3d.figures.difference import chart

    a, b = _groups.values()
    first, second = _groups
    return prepare(chart(a, b, of=kind, names=(first, second), **dict(settings)))


def make_difference(kind: str, groups: Mapping[str, Sequence[Run]], **settings: Any) -> Prepared:
    """Make the difference of two groups of runs, the first minus the second.

    Raises
    ------
    ChartError
        If nothing can be compared, or there is no difference of this kind.
    """
    made_of = _groups_identity(groups)
    return _prepare_difference(groups, kind, made_of, tuple(sorted(settings.items())))


def _groups_identity(groups: Mapping[str, Sequence[Run]]) -> tuple[object, ...]:
    return tuple((title, identity(runs)) for title, runs in groups.items())
