"""The runs of a source, from the names of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from viz3d.errors import Viz3dError
from viz3d.formats.globs import claimed
from viz3d.formats.grouping import Group, group
from viz3d.formats.names import suffix, timestamp
from viz3d.formats.peek import KINDS, MOST, looks_like_one
from viz3d.run import FileInfo, RunInfo
from viz3d.sources.base import Source, is_local
from viz3d.sources.finding import plain_name, run_names
from viz3d.sources.several import Several


def list_runs(source: Source) -> list[RunInfo]:
    """List the runs of a source by the names of its files alone.

    On this disk landscapes and Parquet are known by what they hold, too, where names tell nothing.

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
        If the source cannot be listed; of several sources, if none can.
    """
    if isinstance(source, Several):
        return _list_each(source)
    files = {file.path: file for file in source.files()}
    groups = group(list(files), _known(source, files))
    names = run_names([found.run for found in groups], source.name)
    infos = [
        _info(names[found.run], source.name, found, [files[path] for path in found.files])
        for found in groups
    ]
    return newest_first(infos)


def _list_each(source: Several) -> list[RunInfo]:
    """List several sources; one that cannot be listed is among the problems of the whole."""
    infos: list[RunInfo] = []
    failed: list[Viz3dError] = []
    for part in source.parts:
        try:
            infos += [source.placed(part, info) for info in list_runs(part)]
            source.note(part, None)
        except Viz3dError as error:
            failed.append(error)
            source.note(part, error)
    if len(failed) == len(source.parts):
        raise failed[0]
    return newest_first(infos)


def _known(source: Source, files: Mapping[str, FileInfo]) -> set[str]:
    """Return files known by what they hold, and one that somebody named, to be told why not."""
    if not is_local(source):
        return set()
    if source.is_file:
        return set(files)
    asked = [path for path in files if suffix(path) in KINDS and not claimed(path)]
    asked.sort(key=lambda path: suffix(path) == ".parquet")  # a data set has many of those
    return {path for path in asked[:MOST] if looks_like_one(path, source.path_of(path))}


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


def newest_first(infos: Sequence[RunInfo]) -> list[RunInfo]:
    """Return entries in their order: by the timestamp in the name, else by the last change."""
    return sorted(infos, key=_age_and_name)


def _age_and_name(info: RunInfo) -> tuple[float, str]:
    when = timestamp(plain_name(info))
    return -(when if when is not None else info.changed or 0.0), info.name
