"""Reads the files of one run with the formats that claim them, and puts the pieces together."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.formats import limits
from viz3d.formats.base import Parsed
from viz3d.formats.event_counts import with_counts_of_events
from viz3d.formats.grids import in_order
from viz3d.formats.joining import Joined, join_rows, no_rows
from viz3d.formats.layer_parts import stacked
from viz3d.formats.layers import split_layers
from viz3d.formats.merge import merge
from viz3d.formats.names import file_name, stem
from viz3d.formats.numbers import SHORTENED, is_shortened
from viz3d.formats.origins import Reasons, not_read, origins
from viz3d.formats.projections import with_paths
from viz3d.formats.run_config import joined_config, rate_of_name
from viz3d.formats.tally import Tally
from viz3d.formats.two_loggers import less_copies
from viz3d.formats.units import Unit, read_units, without_other_counts, without_states
from viz3d.run import Problem

if TYPE_CHECKING:
    import pandas as pd

    from viz3d.grid import LandscapeGrid
    from viz3d.run import Origin, Report

SHOWN_CHARS = 40  # of a name that is longer than any that is shown


@dataclass(frozen=True)
class Contents:
    """What the files of one run hold.

    Attributes
    ----------
    name : str
        Of a run among several in the same files, else empty.
    joined : Joined
        History, superseded rows and values that are not finite.
    layers, report, landscapes, config, problems
        As in `viz3d.run.Run`.
    used : tuple of str
        Files that were understood.
    origins : tuple of Origin
        As in `viz3d.run.Run`, without the source, which no format knows.
    """

    name: str
    joined: Joined
    layers: pd.DataFrame | None = None
    report: Report | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    used: tuple[str, ...] = ()
    landscapes: tuple[LandscapeGrid, ...] = ()
    origins: tuple[Origin, ...] = ()


def read_run(name: str, files: Mapping[str, Path]) -> list[Contents]:
    """Read the files of a run.

    Files of different formats that log different metrics are joined on the step; a file that logs
    a metric which is there already is a run of its own, unless it is a copy that another logger
    wrote, or the state of a trainer beside the record of viz3d: both tell of one training, and the
    record is read. A file whose rows count something else than the step is not joined; what
    the steps of event files count, a file beside them may tell. Where files of one
    format log the same metric, a file that shares none may be of each of them, and is none's.

    Parameters
    ----------
    name : str
        Of the run, for messages and for a learning rate that stands only in it.
    files : mapping of {path in the source: local path}

    Returns
    -------
    list of Contents
        More than one where the files hold several runs.

    Raises
    ------
    NoFormat
        If no format can read any of them.
    """
    units, reasons, left = read_units(name, files)
    units = with_counts_of_events(without_states(units, reasons))
    units = without_other_counts(units, reasons)
    shared = [part for unit in units if not unit.is_run for part in unit.parts]
    runs = _runs_of([unit for unit in units if unit.is_run])
    if len(runs) < 2:
        runs = {"": [unit for found in runs.values() for unit in found]}
    elif "" in runs:
        # Each of several runs needs a name to be asked for.
        main = _name_after(next(unit.path for unit in units if unit.is_run and not unit.name), runs)
        runs = {run or main: found for run, found in runs.items()}
    return [
        _contents(run, name, [*_parts(found), *shared], reasons, left if at == 0 else ())
        for at, (run, found) in enumerate(runs.items())
    ]


def _parts(units: Sequence[Unit]) -> list[Parsed]:
    return [part for unit in units for part in unit.parts]


def _runs_of(units: Sequence[Unit]) -> dict[str, list[Unit]]:
    """Say which units are one run, by its name; the first without a name is the run ``""``."""
    runs: dict[str, list[Unit]] = {}
    loose: list[Unit] = []
    for unit in units:
        run, rest = _run_of(unit, runs)
        if not run and run in runs and rest is unit:
            loose += [unit] * unit.tells
        elif not run:  # a logger that wrote down metrics of several says that they are one
            loose = [other for other in loose if not other.metrics & unit.metrics]
        runs.setdefault(run, []).append(rest)
    main = runs.get("", [])
    others = [unit for run, found in runs.items() if run for unit in found]
    # Of another form it may be another view of the one run, such as what its console printed.
    if any(
        unit.form is other.form and unit.metrics & other.metrics and _alike(unit, main)
        for unit in others
        for other in main
    ):
        for unit in loose:
            main[:] = [other for other in main if other is not unit]
            runs[_name_after(unit.path, runs)] = [_of_any(unit)]
    return runs


def _of_any(unit: Unit) -> Unit:
    """Tell that the rows of a file may be of any of the runs beside it."""
    tally = Tally(unit.path)
    tally.add("Its rows are a run of their own: nothing says of which run beside it they are.")
    first, *others = unit.parts
    told = replace(first, problems=(*first.problems, *tally.problems()))
    return replace(unit, parts=(told, *others))


def _alike(unit: Unit, others: Sequence[Unit]) -> bool:
    """Say whether the rows of a unit count the same as those of others."""
    counts = {count for other in others for count in other.counts}
    return bool(counts & unit.counts) or not (counts and unit.counts)


def _run_of(unit: Unit, runs: Mapping[str, Sequence[Unit]]) -> tuple[str, Unit]:
    """Return the name of the run that `unit` belongs to, among those in the same files.

    Two files that log the same metric are two runs: joined, one would hide the other. But where
    two formats say the same wherever both log a metric, two loggers wrote down one run. What
    counts something else has no step to be joined on.

    Returns
    -------
    name : str
    unit : Unit
        What it adds to that run.
    """
    if unit.name:
        return unit.name if unit.name not in runs else f"{stem(unit.path)}-{unit.name}", unit
    main = runs.get("", ())
    if not any(unit.metrics & other.metrics for other in main):
        return ("" if _alike(unit, main) else _name_after(unit.path, runs)), unit
    rest = None
    if all(unit.form is not other.form for other in main):
        rest = less_copies(unit.parts, _parts(main))
    return (_name_after(unit.path, runs), unit) if rest is None else ("", replace(unit, parts=rest))


def _name_after(path: str, taken: Container[str]) -> str:
    """Return the name of the file at `path`, without its suffix where that is not taken."""
    return file_name(path) if stem(path) in taken else stem(path)


def _contents(
    run: str, name: str, parts: Sequence[Parsed], reasons: Reasons, left: Sequence[str]
) -> Contents:
    used = tuple(dict.fromkeys(path for part in parts for path in part.used))
    tally = Tally(used[0] if used else "")
    joined = merge(_joined(parts) or [no_rows()])
    joined.tell(tally)
    history, wide = split_layers(joined.history, tally)
    for metric in filter(is_shortened, map(str, history)):
        tally.add(SHORTENED, name=f"{metric[:SHOWN_CHARS]}…")
    found = [each for each in (*(part.layers for part in parts), wide) if each is not None]
    layers = stacked(found, tally) if found else None
    config = joined_config(parts, tally)
    config |= rate_of_name((run, name), config, tally)
    told = [problem for part in parts for problem in part.problems]
    landscapes = with_paths(
        [grid for part in parts for grid in part.landscapes],
        [path for part in parts for path in part.projections],
        tally,
    )
    return Contents(
        name=run,
        joined=Joined(history, joined.attempts, joined.nonfinite),
        layers=layers,
        report=next((part.report for part in parts if part.report is not None), None),
        config=config,
        problems=(*told, *tally.problems(), *(not_read(path, reasons) for path in left)),
        used=used,
        landscapes=in_order(landscapes),
        origins=origins(parts, history.columns, reasons, left, wide=wide is not None),
    )


def _joined(parts: Sequence[Parsed]) -> list[Joined]:
    """Join the rows of each part, which are given up for it, within the room for all of them."""
    joined: list[Joined] = []
    for part in parts:
        if part.rows is not None:
            room = max(0, limits.HISTORY_CELLS - sum(each.cells for each in joined))
            joined.append(join_rows(part.rows, spend=True, room=room))
    return joined
