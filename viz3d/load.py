"""Source + format -> run: here, in `load_listing` and in `load_entries` alone the two meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from viz3d.errors import RunNotFound, SettingsError, SourceError
from viz3d.formats import limits, wandb_history
from viz3d.formats.globs import claimed, claimed_names
from viz3d.load_entries import load_entries
from viz3d.load_listing import list_runs
from viz3d.run import Run, RunInfo
from viz3d.settings import Settings, load_settings
from viz3d.sources import parts, sample
from viz3d.sources.address import is_bucket, parse_bucket, scheme_of
from viz3d.sources.base import Source
from viz3d.sources.finding import INSIDE, find_run, some
from viz3d.sources.local import LocalSource, exists
from viz3d.sources.several import Several
from viz3d.sources.skipping import skipped
from viz3d.sources.wandb_address import is_wandb, parse_wandb

__all__ = [
    "is_address",
    "is_path",
    "list_runs",
    "load_path",
    "load_run",
    "load_runs",
    "open_source",
]

Roles = Mapping[str, str]


def open_source(
    text: str | Path | Sequence[str | Path], settings: Settings | None = None
) -> Source:
    """Open the place where runs live; no service is asked for anything yet.

    Parameters
    ----------
    text : str, pathlib.Path or a sequence of them
        ``"sample"`` for the bundled runs, the path of a folder, a run or a file,
        ``gs://BUCKET/FOLDER`` or ``wandb://ENTITY/PROJECT[/RUN_ID]``. Several are opened side by
        side: their runs are called ``NAME · SOURCE``.
    settings : Settings, optional
        For services; by default those of the environment and of ``.env``.

    Returns
    -------
    Source

    Raises
    ------
    SourceError
        If there is nothing at the path, or it is an address of a service that is not known.
    BucketError, WandbError
        If `text` is no address of a bucket, or on W&B.
    SettingsError
        If ``.env`` is needed and cannot be read.
    """
    places = [text] if isinstance(text, str | Path) else [*dict.fromkeys(map(str, text))]
    settings = settings or _settings(needed=any(is_address(str(place)) for place in places))
    limits.apply(settings.limits)
    parts.allow(limits.RATIO, limits.UNPACKED_BYTES)  # sources know no formats
    opened = [_open(place, settings) for place in places]
    return opened[0] if len(opened) == 1 else Several(opened)


def _settings(*, needed: bool) -> Settings:
    """Read the settings; what cannot be read is no setting where no service needs one."""
    try:
        return load_settings()
    except SettingsError:
        if needed:
            raise
        return Settings()


def _open(text: str | Path, settings: Settings) -> Source:
    where = str(text)
    if where == sample.NAME:
        return sample.sample_source()
    if is_wandb(where):
        return _open_wandb(where, settings)
    if is_bucket(where):
        return _open_bucket(where, settings)
    if (scheme := scheme_of(where)) and not exists(where):
        raise SourceError(
            f"Addresses that begin with {scheme}:// are not read; copy the runs into a folder or "
            "to gs://BUCKET/FOLDER, and open that."
        )
    return LocalSource(text)


def is_address(text: str) -> bool:
    """Say whether `text` is meant as the address of a service, be it a right one or not."""
    return is_wandb(text) or is_bucket(text) or bool(scheme_of(text))


def _open_wandb(text: str, settings: Settings) -> Source:
    from viz3d.sources.wandb_source import WandbSource

    return WandbSource(parse_wandb(text), settings, wandb_history)


def _open_bucket(text: str, settings: Settings) -> Source:
    from viz3d.sources.bucket import BucketSource

    return BucketSource(parse_bucket(text), settings, names=claimed_names(), wanted=_wanted)


def _wanted(path: str) -> bool:
    """Say whether a path may belong to a run, by the rules that hold for folders too."""
    return not skipped(path) and claimed(path)


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
        return load_entries(source, [name], roles)
    return _load_named(source, list_runs(source), name, roles)


def _load_named(
    source: Source, infos: Sequence[RunInfo], name: str | None, roles: Roles | None
) -> list[Run]:
    """Load the runs of a listing that go by a name; without one, all."""
    if name is None:
        if not infos:
            told = [f"There are no runs in {source.name!r}.", *map(str, source.problems()[:1])]
            raise RunNotFound(" ".join(told))
        return load_entries(source, infos, roles)
    info, inside = find_run(infos, name, source.name)
    runs = load_entries(source, [info], roles)
    if not inside:
        return runs
    chosen = [run for run in runs if run.name == f"{info.name}{INSIDE}{inside}"]
    if not chosen:
        raise RunNotFound(f"{info.name!r} holds no run {inside!r}; it holds: {some(runs)}.")
    return chosen


def load_path(
    path: str | Path,
    *,
    roles: Roles | None = None,
    opened: Callable[[str | Path], Source] = open_source,
) -> list[Run]:
    """Load every run at a path.

    Parameters
    ----------
    path : str or pathlib.Path
        Of a folder, a run or a file, here or in a bucket; ``PATH::NAME`` for one of several runs
        in a file.
    roles : mapping, optional
    opened : callable
        Opens the place, as `open_source` does, for whoever wants to see what its listing tells.

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
        return load_runs(opened(path), roles=roles)
    source = opened(where)
    infos = list_runs(source)
    name = f"{infos[0].name}{INSIDE}{inside}" if len(infos) == 1 else inside
    return _load_named(source, infos, name, roles)


def is_path(text: str) -> bool:
    """Say whether `text` is a path of something on this disk, also as ``PATH::NAME``."""
    parts = (text, text.rpartition(INSIDE)[0])
    return not is_address(text) and any(part and exists(part) for part in parts)


def _is_there(path: str | Path) -> bool:
    """Say whether something is at the whole of `path`: a bucket has to be listed for that."""
    return bool(open_source(path).files()) if is_address(str(path)) else exists(path)
