"""Source + format -> run: the only place where the two meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from viz3d.analysis.roles import recognise
from viz3d.errors import BucketError, FormatError, NoFormat, RunNotFound, SourceError, Viz3dError
from viz3d.formats.globs import claimed, claimed_names
from viz3d.formats.grouping import Group, group
from viz3d.formats.names import timestamp
from viz3d.formats.reading import Contents, read_run
from viz3d.run import FileInfo, Problem, Run, RunInfo
from viz3d.settings import Settings, load_settings
from viz3d.sources import sample
from viz3d.sources.address import is_bucket, parse_bucket
from viz3d.sources.base import Source
from viz3d.sources.digest import digest
from viz3d.sources.finding import INSIDE, find_run, some, whole_text
from viz3d.sources.local import LocalSource, exists
from viz3d.sources.skipping import skipped
from viz3d.sources.still import copied, state

Roles = Mapping[str, str]


def open_source(text: str | Path, settings: Settings | None = None) -> Source:
    """Open the place where runs live; a bucket is not asked for anything yet.

    Parameters
    ----------
    text : str or pathlib.Path
        ``"sample"`` for the bundled runs, the path of a folder, a run or a file, or
        ``gs://BUCKET/FOLDER``.
    settings : Settings, optional
        For buckets; by default those of the environment and of ``.env``.

    Returns
    -------
    Source

    Raises
    ------
    SourceError
        If there is nothing at the path, or the place is of a kind that cannot be opened.
    BucketError
        If `text` is no address of a bucket.
    SettingsError
        If ``.env`` is needed and cannot be read.
    """
    where = str(text)
    if where == sample.NAME:
        return sample.sample_source()
    if is_bucket(where):
        return _open_bucket(where, settings or load_settings())
    if where.startswith("wandb://"):
        raise SourceError(
            "This version cannot open Weights & Biases: save the runs' history as CSV or JSON "
            "lines in a folder and open that folder."
        )
    return LocalSource(text)


def _open_bucket(text: str, settings: Settings) -> Source:
    from viz3d.sources.bucket import BucketSource

    return BucketSource(parse_bucket(text), settings, names=claimed_names(), wanted=_wanted)


def _wanted(path: str) -> bool:
    """Say whether a path may belong to a run, by the rules that hold for folders too."""
    return not skipped(path) and claimed(path)


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
        _info(names[found.run], source.name, found, [files[path] for path in found.files])
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
        _prepare(source, [name])
        return _load(source, name, roles)
    return _load_named(source, list_runs(source), name, roles)


def _load_named(
    source: Source, infos: Sequence[RunInfo], name: str | None, roles: Roles | None
) -> list[Run]:
    """Load the runs of a listing that go by a name; without one, all."""
    if name is None:
        if not infos:
            told = [f"There are no runs in {source.name!r}.", *map(str, source.problems()[:1])]
            raise RunNotFound(" ".join(told))
        _prepare(source, infos)
        return _load_all(source, infos, roles)
    info, inside = find_run(infos, name, source.name)
    _prepare(source, [info])
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
        Of a folder, a run or a file, here or in a bucket; ``PATH::NAME`` for one of several runs
        in a file.
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
    if not mark or _is_there(path):
        return load_runs(open_source(path), roles=roles)
    source = open_source(where)
    infos = list_runs(source)
    name = f"{infos[0].name}{INSIDE}{inside}" if len(infos) == 1 else inside
    return _load_named(source, infos, name, roles)


def is_path(text: str) -> bool:
    """Say whether `text` is a path of something on this disk, also as ``PATH::NAME``."""
    parts = (text, text.rpartition(INSIDE)[0])
    return not is_bucket(text) and any(part and exists(part) for part in parts)


def _is_there(path: str | Path) -> bool:
    """Say whether something is at the whole of `path`: a bucket has to be listed for that."""
    return bool(open_source(path).files()) if is_bucket(str(path)) else exists(path)


def _names(runs: Sequence[str], source: str) -> dict[str, str]:
    """Return {path: name}; a leading ``runs/`` says nothing and goes where that is safe.

    A run at the top of the source is called like the last part of the source's name, or ``.``
    where a run below it is.
    """
    paths = {whole_text(run) for run in runs}
    short = {run: whole_text(run.removeprefix("runs/")) for run in runs}
    names = {run: whole_text(run) if name in paths else name for run, name in short.items()}
    if "" in names:
        own = whole_text(source.rpartition("/")[2] or source)
        names[""] = "." if own in names.values() else own
    return names


def _whole(value: Any) -> Any:
    """Return a config in which every text is one that can be written as UTF-8."""
    if isinstance(value, Mapping):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return whole_text(value) if isinstance(value, str) else value


def _info(name: str, source: str, found: Group, files: Sequence[FileInfo]) -> RunInfo:
    times = [file.changed for file in files if file.changed is not None]
    return RunInfo(
        name=name,
        source=source,
        changed=max(times, default=None),
        size=sum(file.size for file in files),
        formats=found.formats,
        files=tuple(files),
        path=found.run,
    )


def _newest_first(info: RunInfo) -> tuple[float, str]:
    when = timestamp(info.name)
    return -(when if when is not None else info.changed or 0.0), info.name


def _prepare(source: Source, infos: Sequence[RunInfo]) -> None:
    """Bring the files of runs near, many at once."""
    files = [file for info in infos for file in info.files]
    if len(files) > 1:
        source.prepare(files)


def _load(source: Source, info: RunInfo, roles: Roles | None) -> list[Run]:
    """Load a run; where a file goes away while it is read, all are fetched and read once more."""
    reason = "they went away"
    for again in (True, False):
        local, told = _fetch(source, info)
        try:
            runs = _read(info, local, told, roles)
        except NoFormat:
            if _are_there(local):
                raise
        except OSError as error:
            reason = error.strerror or reason
        else:
            if _are_there(local) or not again:
                return runs
    raise SourceError(
        f"The files of {info.name!r} cannot be read any more ({reason}); list the runs again."
    )


def _fetch(source: Source, info: RunInfo) -> tuple[dict[str, Path], list[Problem]]:
    """Return the files of a run that are to be had, and what must be told of all of them."""
    local: dict[str, Path] = {}
    told: list[Problem] = []
    failed: list[SourceError] = []
    for file in info.files:
        try:
            local[file.path] = source.fetch(file)
        except SourceError as error:
            failed.append(error)
            told.append(_problem(error, file.path))
        else:
            told.extend(source.remarks(file))
    if failed and not local:
        raise failed[0]
    return local, told


def _problem(error: Viz3dError, file: str) -> Problem:
    if isinstance(error, BucketError):
        return Problem(error.what, error.remedy, file)
    return Problem(str(error), file=file)


def _are_there(local: Mapping[str, Path]) -> bool:
    return all(path.is_file() for path in local.values())


def _read(
    info: RunInfo, local: Mapping[str, Path], told: Sequence[Problem], roles: Roles | None
) -> list[Run]:
    """Read a run. What was written meanwhile is read once more from a copy that stands still.

    Its digest is then of what was read, and not of what the files held a moment later.
    """
    before = state(local)
    runs = _read_now(info, local, told, roles)
    if state(local) == before:
        return runs
    with TemporaryDirectory(prefix="viz3d-") as folder:
        return _read_now(info, copied(local, folder), told, roles)


def _read_now(
    info: RunInfo, local: Mapping[str, Path], told: Sequence[Problem], roles: Roles | None
) -> list[Run]:
    contents = read_run(info.name, local)
    return [_run(info, part, local, told, roles, several=len(contents) > 1) for part in contents]


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
    told = tuple(_problem(error, info.name) for info, error in failed)
    return [replace(runs[0], problems=(*runs[0].problems, *told)), *runs[1:]]


def _run(
    info: RunInfo, contents: Contents, local: Mapping[str, Path], told: Sequence[Problem],
    roles: Roles | None, *, several: bool,
) -> Run:  # fmt: skip
    history, nonfinite = contents.joined.history, contents.joined.nonfinite
    attempts = contents.joined.attempts
    run = Run(
        name=whole_text(f"{info.name}{INSIDE}{contents.name}") if several else info.name,
        source=whole_text(info.source),
        history=history,
        config=_whole(contents.config),
        layers=contents.layers,
        report=contents.report,
        roles=recognise(list(history.columns), history),
        attempts=attempts if len(attempts) else None,
        nonfinite=nonfinite,
        problems=(*told, *contents.problems),
        digest=digest({path: local[path] for path in contents.used}),
    )
    return run.with_roles(roles) if roles else run
