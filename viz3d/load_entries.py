"""Entries of a listing: their files fetched, read as their format says, and made runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from viz3d.analysis.roles import recognise
from viz3d.characters import deceptive
from viz3d.errors import FormatError, NoFormat, SourceError, Viz3dError
from viz3d.formats import limits
from viz3d.formats.names import file_name
from viz3d.formats.reading import Contents, read_run
from viz3d.formats.run_manifest import MANIFEST
from viz3d.formats.run_parts import stood_for
from viz3d.parsed.cache import WORTH, ParsedCache, users_cache
from viz3d.parsed.digests import Beginning
from viz3d.parsed.growth import can_grow, extended
from viz3d.parsed.key import key_of
from viz3d.run import Columns, Origin, Problem, Run, RunInfo
from viz3d.sources.base import Source, is_remote
from viz3d.sources.digest import digest, of_file
from viz3d.sources.finding import INSIDE, plain_name, whole_text
from viz3d.sources.several import Several
from viz3d.sources.still import copied, state

if TYPE_CHECKING:
    import pandas as pd

Roles = Mapping[str, str]
# Of the characters of a name that are not what they look like, so many are named.
MOST_CHARACTERS = 5


def load_entries(source: Source, infos: Sequence[RunInfo], roles: Roles | None) -> list[Run]:
    """Load entries of a listing; one that cannot be read is told, unless there is no other.

    Raises
    ------
    SourceError, NoFormat, ValueError
        As `viz3d.load.load_run`.
    """
    infos = [_needed(source, info) for info in infos]
    files = [file for info in infos for file in info.files]
    if len(files) > 1:
        source.prepare(files)  # many at once
    runs: list[Run] = []
    failed: list[tuple[RunInfo, Viz3dError]] = []
    for info in infos:
        try:
            runs.extend(_load(source, info, roles))
        except (FormatError, SourceError) as error:
            failed.append((info, error))
    if not failed:
        return runs
    if not runs:
        raise failed[0][1]
    told = tuple(Problem.of(error, info.name) for info, error in failed)
    return [replace(runs[0], problems=(*runs[0].problems, *told)), *runs[1:]]


def _needed(source: Source, info: RunInfo) -> RunInfo:
    """Leave out the parts for which packed ones stand: there may be thousands to download."""
    if not is_remote(source.part_of(info) if isinstance(source, Several) else source):
        return info
    manifest = next((file for file in info.files if file_name(file.path) == MANIFEST), None)
    if manifest is None:
        return info
    try:
        packed = stood_for([file.path for file in info.files], source.fetch(manifest))
    except SourceError:
        return info  # which is told when all are fetched
    return replace(info, files=tuple(file for file in info.files if file.path not in packed))


def _load(source: Source, info: RunInfo, roles: Roles | None) -> list[Run]:
    """Load an entry; where a file goes away meanwhile, all are fetched and read once more."""
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
            told.append(Problem.of(error, file.path))
        else:
            told.extend(source.remarks(file))
    if failed and not local:
        raise failed[0]
    return local, told


def _are_there(local: Mapping[str, Path]) -> bool:
    return all(path.is_file() for path in local.values())


def _read(
    info: RunInfo, local: Mapping[str, Path], told: Sequence[Problem], roles: Roles | None
) -> list[Run]:
    """Read a run. What was written meanwhile is read once more from a copy that stands still.

    Its digest is then of what was read, and not of what the files held a moment later.
    """
    name, before = plain_name(info), state(local)
    worth = _worth_reading(local)
    if sum(worth.values()) >= WORTH:
        cache, problem = users_cache()
        told = [*told, problem] if problem else told
    else:
        cache = None
    known, begun = cache.digests({path: local[path] for path in worth}) if cache else ({}, {})
    key = key_of(name, _in_key(local, known)) if cache else ""
    kept = cache.find(key, partial(_again, name, local, key)) if cache else None
    if kept:
        return [_run(info, *part, local, known, told, roles, len(kept)) for part in kept]
    grown = _grown(cache, name, local, known, begun) if cache else None
    contents = [grown] if grown else read_run(name, local)
    runs = [_run(info, part, None, local, known, told, roles, len(contents)) for part in contents]
    if state(local) == before:
        if cache:
            cache.keep(key, contents)
        return runs
    with TemporaryDirectory(prefix="viz3d-") as folder:
        local = copied(local, folder)
        contents = read_run(name, local)
        return [_run(info, part, None, local, {}, told, roles, len(contents)) for part in contents]


def _worth_reading(local: Mapping[str, Path]) -> dict[str, int]:
    """Return the sizes of the files that are not refused for it."""
    sizes = {path: told[1] if told else 0 for path, told in zip(local, state(local), strict=True)}
    return {path: size for path, size in sizes.items() if not limits.refused(path, size)}


def _in_key(local: Mapping[str, Path], known: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the digests for a key; of a file that is refused it matters that it is there."""
    return {path: known.get(path, b"") for path in local}


def _grown(
    cache: ParsedCache, name: str, local: Mapping[str, Path], known: Mapping[str, bytes],
    begun: Mapping[str, Beginning],
) -> Contents | None:  # fmt: skip
    """Return what a log holds that has grown since it was kept, where only its end need be read."""
    for path, first in begun.items():
        if can_grow(local, path):
            key = key_of(name, {**_in_key(local, known), path: first.digest})
            before = cache.find(key, _changed)
            try:
                found = extended(before, path, local[path], first.size) if before else None
            except SourceError:
                found = None
            if found:
                cache.forget(key)
                return found
    return None


def _changed(_: int) -> pd.DataFrame:
    raise SourceError("The copy in the cache is damaged and its file has changed.")


def _again(name: str, local: Mapping[str, Path], key: str, at: int) -> pd.DataFrame:
    """Read a history again whose copy in the cache turned out to be damaged."""
    cache, _ = users_cache()
    if cache:
        cache.forget(key)
    try:
        contents = read_run(name, local)
        known = {path: of_file(local[path]) for path in _worth_reading(local)}
        if key == key_of(name, _in_key(local, known)):
            return contents[at].joined.history
    except (OSError, NoFormat):
        pass
    raise SourceError(f"The files of {name!r} have changed meanwhile; open the run again.")


def _run(
    info: RunInfo, contents: Contents, columns: Columns | None, local: Mapping[str, Path],
    known: Mapping[str, bytes], told: Sequence[Problem], roles: Roles | None, count: int,
) -> Run:  # fmt: skip
    history: Any = contents.joined.history if columns is None else columns
    nonfinite, attempts = contents.joined.nonfinite, contents.joined.attempts
    run = Run(
        name=whole_text(f"{info.name}{INSIDE}{contents.name}") if count > 1 else info.name,
        source=whole_text(info.source),
        history=history,
        config=_whole(contents.config),
        layers=contents.layers,
        report=contents.report,
        landscapes=contents.landscapes,
        roles=columns.roles if columns else recognise(list(history.columns), history),
        attempts=attempts if len(attempts) else None,
        nonfinite=nonfinite,
        problems=(*_of_name(info), *told, *contents.problems),
        digest=digest({path: local[path] for path in contents.used}, known),
        origins=tuple(_placed(origin, info) for origin in contents.origins),
    )
    return run.with_roles(roles) if roles else run


def _of_name(info: RunInfo) -> list[Problem]:
    """Say where a run's name is not what it looks like."""
    found = deceptive(info.name)
    if not found:
        return []
    rest = f" and {len(found) - MOST_CHARACTERS} more" if len(found) > MOST_CHARACTERS else ""
    which = ", ".join(found[:MOST_CHARACTERS]) + rest
    what = f"The name of the run holds what is not seen or looks like other letters: {which}."
    return [Problem(what, "Rename it if that is not meant.", info.name)]


def _placed(origin: Origin, info: RunInfo) -> Origin:
    files = tuple(map(whole_text, origin.files))
    return replace(origin, source=whole_text(info.source), files=files)


def _whole(value: Any) -> Any:
    """Return a config in which every text is one that can be written as UTF-8."""
    if isinstance(value, Mapping):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return whole_text(value) if isinstance(value, str) else value
