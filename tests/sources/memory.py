"""A source in memory that follows the protocol, and fails as it is told to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import google_crc32c

from viz3d.errors import BucketError
from viz3d.run import FileInfo, Problem
from viz3d.sources.globs import matches
from viz3d.sources.progress import Progress, Watch


class MemorySource:
    """Objects by their names.

    Attributes
    ----------
    objects : dict of {name: bytes}
    broken : dict of {name: BucketError}
        What cannot be fetched, and why.
    listed : dict of {name: FileInfo}
        What the listing says, where that is not what the objects are.
    told : dict of {name: Problem}
        What is remarked on a file.
    error : BucketError or None
        Why nothing can be listed.
    asked, prepared, fetched : list
        The patterns, batches and names that were asked for.
    """

    name = "gs://memory/runs"

    def __init__(self, objects: Mapping[str, bytes], times: Mapping[str, float] | None = None):
        self.objects, self.times = dict(objects), dict(times or {})
        self.broken: dict[str, BucketError] = {}
        self.error: BucketError | None = None
        self.listed: dict[str, FileInfo] = {}
        self.told: dict[str, Problem] = {}
        self.as_of: float | None = None
        self.asked: list[str] = []
        self.prepared: list[list[str]] = []
        self.fetched: list[str] = []
        self._folder = TemporaryDirectory(prefix="viz3d-test-")

    def names(self) -> list[str]:
        """Return nothing: `files` is as fast."""
        return []

    def files(self) -> list[FileInfo]:
        """List everything."""
        if self.error:
            raise self.error
        return [self._info(name) for name in sorted(self.objects)]

    def find(self, pattern: str) -> list[FileInfo]:
        """List what matches."""
        self.asked.append(pattern)
        return [file for file in self.files() if matches(pattern, file.path)]

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None, cancel: Event | None = None
    ) -> None:
        """Tell the progress after each file."""
        self.prepared.append([file.path for file in files])
        total = sum(file.size for file in files)
        for done in range(len(files)):
            come = sum(file.size for file in files[: done + 1])
            if watch:
                watch(Progress(done + 1, len(files), come, total, 1000.0))

    def fetch(self, file: FileInfo) -> Path:
        """Return a copy on the disk."""
        self.fetched.append(file.path)
        if file.path in self.broken:
            raise self.broken[file.path]
        copy = Path(self._folder.name, f"{len(self.fetched)}")
        copy.write_bytes(self.objects[file.path])
        return copy

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """Return what is to be told of a file."""
        return (self.told[file.path],) if file.path in self.told else ()

    def problems(self) -> tuple[Problem, ...]:
        """Return nothing."""
        return ()

    def _info(self, name: str) -> FileInfo:
        if name in self.listed:
            return self.listed[name]
        data = self.objects[name]
        changed = self.times.get(name, 1_700_000_000.0)
        return FileInfo(name, len(data), changed, "1", google_crc32c.value(data))
