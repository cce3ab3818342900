"""Source + format -> run: the only place where the two meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from viz3d.analysis.roles import recognise
from viz3d.errors import FormatError, RunNotFound, SourceError, Viz3dError
from viz3d.formats.grouping import group
from viz3d.formats.names import timestamp
from viz3d.formats.reading import Contents, read_run
from viz3d.run import FileInfo, Problem, Run, RunInfo
from viz3d.sources import sample
from viz3d.sources.base import Source
from viz3d.sources.digest import digest
from viz3d.sources.finding import INSIDE, find_run, some
from viz3d.sources.local import LocalSource, exists

Roles = Mapping[str, str]


def open_source(text: str | Path) -> Source:
    """Open the place where runs live.

    Parameters
    ----------
    text : str or pathlib.Path
        ``"sample"`` for the bundled runs, or the path of a folder, a run or a file.

    Returns
    -------
    Source

    Raises
    ------
    SourceError
        If there is nothing at the path, or the place is of a kind that cannot be opened.
    """
    where = str(text)
    if where == sample.NAME:
        return sample.sample_source()
    if where.startswith("gs://"):
        raise SourceError(
            "This version cannot open buckets: copy the runs with `gcloud storage cp --recursive "
            f"{where} FOLDER` and open that folder."
        )
    if where.startswith("wandb://"):
        raise SourceError(
            "This version cannot open Weights & Biases: save the runs' history as CSV or JSON "
            "lines in a folder and open that folder."
        )
    return LocalSource(text)


def list_runs(source: Source) -> list[RunInfo]:
    """List the runs of a source by the names of its files alone.

    Parameters
    ----------
    source : Source

    Returns
    -------
    list of RunInfo
        Newest first: by the timestamp in the name, else by the time of the last change.

    Raises
    ------
    SourceError
        If the source cannot be listed.
    """
    files = {file.path: file for file in source.files()}
    groups = group(list(files))
    names = _names([found.run for found in groups], source.name)
    infos = [
        _info(names[found.run], source.name, found.formats, [files[path] for path in found.files])
        for found in groups
    ]
    return sorted(infos, key=_newest_first)


def load_run(
    source: Source | str | Path, name: str | None = None, *, roles: Roles | None = None
) -> Run:
    """Load one run.

    Parameters
    ----------
    source : Source, str or pathlib.Path
        A source; or a path, also ``PATH::NAME`` for one of several runs in a file.
    name : str, optional
        Of the run, or a trailing part of it that no other run shares. May be left out when the
        source holds one run.
    roles : mapping of {role: metric}, optional
        What metrics are, where the names do not say so.

    Returns
    -------
    Run

    Raises
    ------
    SourceError
        If the source cannot be read.
    RunNotFound
        If no run, or more than one, goes by that name.
    NoFormat
        If no format can read it.
    ValueError
        If `roles` names a metric that the run does not have.
    """
    runs = load_runs(source, name, roles=roles)
    if len(runs) > 1:
        raise RunNotFound(f"{name or source!s} holds {len(runs)} runs; choose one: {some(runs)}.")
    return runs[0]


def load_runs(
    source: Source | str | Path,
    name: str | RunInfo | None = None,
    *,
    roles: Roles | None = None,
) -> list[Run]:
    """Load all runs that go by a name: several where one file holds several.

    Parameters
    ----------
    source, roles
        As for `load_run`.
    name : str or RunInfo, optional
        A name, as for `load_run`, or an entry of `list_runs`, which saves listing the source again.
        Without it every run of the source is loaded.

    Returns
    -------
    list of Run

    Raises
    ------
    SourceError, RunNotFound, NoFormat, ValueError
        As `load_run`.
    """
    if isinstance(source, str | Path):
        if name is None:
            return load_path(source, roles=roles)
        source = open_source(source)
    if isinstance(name, RunInfo):
        return _load(source, name, roles)
    infos = list_runs(source)
    if name is None:
        if not infos:
            raise RunNotFound(f"There are no runs in {source.name!r}.")
        return _load_all(source, infos, roles)
    info, inside = find_run(infos, name, source.name)
    runs = _load(source, info, roles)
    if not inside:
        return runs
    chosen = [run for run in runs if run.name == f"{info.name}{INSIDE}{inside}"]
    if not chosen:
        raise RunNotFound(f"{info.name!r} holds no run {inside!r}; it holds: {some(runs)}.")
    return chosen


def load_path(path: str | Path, *, roles: Roles | None = None) -> list[Run]:
    """Load every run at a path.

    Parameters
    ----------
    path : str or pathlib.Path
        Of a folder, a run or a file; ``PATH::NAME`` for one of several runs in a file.
    roles : mapping, optional

    Returns
    -------
    list of Run

    Raises
    ------
    SourceError, RunNotFound, NoFormat, ValueError
        As `load_run`.
    """
    where, mark, inside = str(path).rpartition(INSIDE)
    if not mark or exists(path):
        return load_runs(open_source(path), roles=roles)
    source = open_source(where)
    infos = list_runs(source)
    name = f"{infos[0].name}{INSIDE}{inside}" if len(infos) == 1 else inside
    return load_runs(source, name, roles=roles)


def is_path(text: str) -> bool:
    """Say whether `text` is a path of something that is there, also as ``PATH::NAME``."""
    return any(part and exists(part) for part in (text, text.rpartition(INSIDE)[0]))


def _names(runs: Sequence[str], source: str) -> dict[str, str]:
    """Return {path: name}; a leading ``runs/`` says nothing and goes where that is safe.

    A run at the top of the source is called like the source, or ``.`` where a run below it is.
    """
    paths = set(runs)
    short = {run: run.removeprefix("runs/") for run in runs}
    names = {run: run if name in paths else name for run, name in short.items()}
    if "" in names:
        names[""] = "." if source in names.values() else source
    return names


def _info(name: str, source: str, formats: tuple[str, ...], files: Sequence[FileInfo]) -> RunInfo:
    times = [file.changed for file in files if file.changed is not None]
    return RunInfo(
        name=name,
        source=source,
        changed=max(times, default=None),
        size=sum(file.size for file in files),
        formats=formats,
        files=tuple(files),
    )


def _newest_first(info: RunInfo) -> tuple[float, str]:
    when = timestamp(info.name)
    return -(when if when is not None else info.changed or 0.0), info.name


def _load(source: Source, info: RunInfo, roles: Roles | None) -> list[Run]:
    local: dict[str, Path] = {}
    gone: list[Problem] = []
    for file in info.files:
        try:
            local[file.path] = source.fetch(file)
        except SourceError as error:
            gone.append(Problem(str(error), file=file.path))
    if gone and not local:
        raise SourceError(gone[0].what)
    contents = read_run(info.name, local)
    return [_run(info, part, local, gone, roles, several=len(contents) > 1) for part in contents]


def _load_all(source: Source, infos: Sequence[RunInfo], roles: Roles | None) -> list[Run]:
    """Load every run; one that cannot be read is told, unless there is no other."""
    runs: list[Run] = []
    failed: list[tuple[RunInfo, Viz3dError]] = []
    for info in infos:
        try:
            runs.extend(_load(source, info, roles))
        except (FormatError, SourceError) as error:
            failed.append((info, error))
    if not runs:
        raise failed[0][1]
    told = tuple(Problem(str(error), file=info.name) for info, error in failed)
    return [replace(runs[0], problems=(*runs[0].problems, *told)), *runs[1:]]


def _run(
    info: RunInfo, contents: Contents, local: Mapping[str, Path], gone: Sequence[Problem],
    roles: Roles | None, *, several: bool,
) -> Run:  # fmt: skip
    history, nonfinite = contents.joined.history, contents.joined.nonfinite
    attempts = contents.joined.attempts
    run = Run(
        name=f"{info.name}{INSIDE}{contents.name}" if several else info.name,
        source=info.source,
        history=history,
        config=contents.config,
        layers=contents.layers,
        report=contents.report,
        roles=recognise(list(history.columns), history),
        attempts=attempts if len(attempts) else None,
        nonfinite=nonfinite,
        problems=(*gone, *contents.problems),
        digest=digest({path: local[path] for path in contents.used}),
    )
    return run.with_roles(roles) if roles else run
