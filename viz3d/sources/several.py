"""Several sources as one: each is listed and fails by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from viz3d.errors import Viz3dError
from viz3d.run import FileInfo, Problem, RunInfo
from viz3d.sources.finding import MARK

if TYPE_CHECKING:
    from viz3d.sources.base import Source
    from viz3d.sources.progress import Watch


@dataclass(frozen=True)
class PlacedFile(FileInfo):
    """A file that knows the source it lies in.

    Attributes
    ----------
    place : Source
    file : FileInfo
        As that source lists it.
    """

    place: Source | None = field(default=None, repr=False, compare=False)
    file: FileInfo | None = field(default=None, repr=False, compare=False)


class Several:
    """Some sources, each under a name of its own.

    Parameters
    ----------
    parts : sequence of Source
    labels : sequence of str, optional
        Their names where people are shown one; by default as they are called, with a number where
        two are called alike.
    """

    def __init__(self, parts: Sequence[Source], labels: Sequence[str] = ()) -> None:
        self.parts = tuple(parts)
        self.labels = tuple(labels) or labels_of([part.name for part in parts])
        self._failed: dict[str, Viz3dError] = {}

    @property
    def name(self) -> str:
        """The names of all."""
        return " + ".join(self.labels)

    @property
    def as_of(self) -> float | None:
        """Of the oldest listing that is shown because a place cannot be asked now."""
        return min((part.as_of for part in self.parts if part.as_of is not None), default=None)

    def names(self) -> list[str]:
        """Return nothing: the parts are listed one by one."""
        return []

    def files(self) -> list[FileInfo]:
        """List the files of all.

        Raises
        ------
        SourceError
            If one cannot be listed.
        """
        return [_placed(part, file) for part in self.parts for file in part.files()]

    def find(self, pattern: str) -> list[FileInfo]:
        """List the files of all whose path matches a pattern."""
        return [_placed(part, file) for part in self.parts for file in part.find(pattern)]

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None, cancel: Event | None = None
    ) -> None:
        """Bring files near, source by source."""
        for part in self.parts:
            mine = [own for place, own in map(_own, files) if place is part]
            if mine and not (cancel and cancel.is_set()):
                part.prepare(mine, watch, cancel)

    def fetch(self, file: FileInfo) -> Path:
        """Return a readable local path of a file, as its source does."""
        place, own = _own(file)
        return place.fetch(own)

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """As its source says."""
        place, own = _own(file)
        return place.remarks(own)

    def problems(self) -> tuple[Problem, ...]:
        """Return which sources could not be listed, and what the others left out."""
        left_out = (problem for part in self.parts for problem in part.problems())
        return (*self.failures(), *left_out)

    def failures(self) -> tuple[Problem, ...]:
        """Return which sources the last listing could not list, and why."""
        return tuple(Problem.of(error, label) for label, error in self._failed.items())

    def note(self, part: Source, error: Viz3dError | None) -> None:
        """Note why one could not be listed now, to be told among the problems; None: it was."""
        label = self.labels[self.parts.index(part)]
        self._failed.pop(label, None)
        if error is not None:
            self._failed[label] = error

    def placed(self, part: Source, info: RunInfo) -> RunInfo:
        """Return an entry of one source as an entry of all."""
        label = self.labels[self.parts.index(part)]
        files = tuple(_placed(part, file) for file in info.files)
        return replace(info, name=f"{info.name}{MARK}{label}", source=label, files=files)

    def part_of(self, info: RunInfo) -> Source:
        """Return the source of an entry."""
        return self.parts[self.labels.index(info.source)]


def labels_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of sources, those that occur more than once with a number."""
    times, seen = Counter(names), Counter[str]()
    labels: list[str] = []
    for name in names:
        label = name
        while times[name] > 1 and (label in times or label in labels):
            seen[name] += 1
            label = f"{name} #{seen[name]}"
        labels.append(label)
    return tuple(labels)


def _placed(part: Source, file: FileInfo) -> PlacedFile:
    own = {one.name: getattr(file, one.name) for one in fields(FileInfo)}
    return PlacedFile(**own, place=part, file=file)


def _own(file: FileInfo) -> tuple[Source, FileInfo]:
    assert isinstance(file, PlacedFile)
    assert file.place is not None
    assert file.file is not None
    return file.place, file.file
