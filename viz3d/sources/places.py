"""Which files of runs are downloaded, and what they are called in the folder they go to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viz3d.run import FileInfo, Problem, RunInfo
from viz3d.sources.globs import literal, matches
from viz3d.sources.safe_names import safe_paths

if TYPE_CHECKING:
    from viz3d.sources.base import Source

# A run's report: nanochat writes it into a folder of its own.
REPORTS = ("report/**", "report.md")
# So many runs are asked for one by one; more of them by one listing for all.
FEW = 8


@dataclass(frozen=True)
class Item:
    """A file and where it goes.

    Attributes
    ----------
    file : FileInfo
    place : str
        Below the output folder, with ``/`` between the parts; every system can hold it.
    """

    file: FileInfo
    place: str


def plan(
    source: Source, runs: Sequence[RunInfo], include: Sequence[str]
) -> tuple[list[Item], list[Problem]]:
    """Find the files of some runs and decide where each goes.

    Parameters
    ----------
    source : Source
    runs : sequence of RunInfo
    include : sequence of str
        Globs as for `viz3d.sources.base.Source.find`, relative to the run.

    Returns
    -------
    items : list of Item
        No two go to one place, also where a file system ignores case.
    told : list of Problem
        What was left out or is called otherwise.

    Raises
    ------
    SourceError
        If the source cannot be listed.
    """
    items: list[Item] = []
    told: list[Problem] = []
    places: dict[str, FileInfo] = {}
    for run, file in _find(source, runs, include):
        if places.setdefault(_place(run, file), file) != file:
            said = "Another file goes where it would, so it was left out."
            told.append(Problem(said, file=file.path))
    safe = safe_paths(places)
    for place, file in places.items():
        name = str(safe[place])
        if name != place:
            said = f"Not every system can hold its name there, so it is written as {name!r}."
            told.append(Problem(said, file=file.path))
        items.append(Item(file, name))
    return items, told


def _find(
    source: Source, runs: Sequence[RunInfo], include: Sequence[str]
) -> Iterator[tuple[RunInfo, FileInfo]]:
    """Yield the files of runs that match; each file of a run once."""
    seen: set[tuple[str, str]] = set()
    folders: dict[str, RunInfo] = {}
    found: list[tuple[RunInfo, FileInfo]] = []
    for run in runs:
        # Of a run that is no folder the listing has said all; and without the bucket it must do.
        if not _is_folder(run) or source.as_of is not None:
            found += [
                (run, file) for file in run.files
                if any(matches(glob, _inside(run, file)) for glob in include)
            ]  # fmt: skip
        else:
            folders[run.path] = run
    for paths in _together(list(folders)):
        depth = _depth(paths[0])
        for glob in include:
            for file in source.find(_join(_common(paths), glob)):
                home = "/".join(file.path.split("/")[:depth])
                if home in folders and not file.path.endswith("/"):
                    found.append((folders[home], file))
    for run, file in found:
        if (run.name, file.path) not in seen:
            seen.add((run.name, file.path))
            yield run, file


def _together(paths: Sequence[str]) -> Iterable[list[str]]:
    """Group folders of runs so that one pattern fits each group: few alone, many by depth."""
    if len(paths) <= FEW:
        return [[path] for path in paths]
    groups: dict[int, list[str]] = defaultdict(list)
    for path in paths:
        groups[_depth(path)].append(path)
    return groups.values()


def _common(paths: Sequence[str]) -> str:
    """Return a pattern that fits some folders of one depth, and perhaps others too."""
    columns = zip(*(path.split("/") for path in paths), strict=True)
    return "/".join(literal(parts[0]) if len(set(parts)) == 1 else "*" for parts in columns)


def _depth(path: str) -> int:
    return len(path.split("/")) if path else 0


def _join(folder: str, rest: str) -> str:
    return f"{folder}/{rest}" if folder else rest


def _is_file(run: RunInfo) -> bool:
    return any(file.path == run.path for file in run.files)


def _is_folder(run: RunInfo) -> bool:
    """Say whether all its files lie in its folder; segments of one run lie in several."""
    return not run.path or all(file.path.startswith(f"{run.path}/") for file in run.files)


def _home(run: RunInfo) -> str:
    """Return the folder that a run's files are named from."""
    return run.path.rpartition("/")[0] if _is_file(run) else run.path


def _inside(run: RunInfo, file: FileInfo) -> str:
    home = _home(run)
    if not file.path.startswith(f"{home}/"):
        home = home.rpartition("/")[0]
    return file.path[len(home) + 1 :] if home else file.path


def _place(run: RunInfo, file: FileInfo) -> str:
    """Return where a file goes: under the name of its run."""
    name = run.name.rpartition("/")[0] if _is_file(run) else run.name
    return _join(name, _inside(run, file))
