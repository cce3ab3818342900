"""A bucket that answers, stays away or is slow as a test wants it to be; no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

from viz3d.errors import BucketError
from viz3d.run import FileInfo, Problem
from viz3d.sources.address import Address
from viz3d.sources.faults import fault
from viz3d.sources.local import LocalSource
from viz3d.sources.progress import Progress, Watch

TEXT = "gs://runs-of-ours"
AS_OF = 1_795_464_060.0  # 2026-11-23 20:01 UTC


class FakeBucket:
    """The files of a folder, as a bucket's.

    Attributes
    ----------
    away : BucketError or None
        Why it cannot be asked now.
    snapshot : bool
        Whether an earlier listing is shown then, instead of the error.
    here : set of str
        Paths that need no download.
    older : set of str
        Paths of which only an older copy can be had.
    asked : list of str
        What was asked of it, in order.
    """

    name = TEXT
    identity = "reader@ours.example"
    project = "our-project"
    address = Address("runs-of-ours")
    tell = None
    patient = False

    def __init__(self, folder: Path) -> None:
        self._folder = LocalSource(folder)
        self.away: BucketError | None = None
        self.snapshot = False
        self.here = {file.path for file in self._folder.files()}
        self.older: set[str] = set()
        self.asked: list[str] = []
        self.prepared: list[list[str]] = []

    @property
    def as_of(self) -> float | None:
        """When the listing was made, while the bucket is away."""
        return AS_OF if self.away and self.snapshot else None

    def names(self) -> list[str]:
        """Return two of the folders."""
        self.asked.append("names")
        return ["sweep-0.0001", "grpo"]

    def files(self) -> list[FileInfo]:
        """List the folder, or raise why that cannot be done."""
        self.asked.append("files")
        if self.away and not self.snapshot:
            raise self.away
        return self._folder.files()

    def find(self, pattern: str) -> list[FileInfo]:
        """Fail: no page needs this."""
        raise AssertionError(f"nobody on a page looks for {pattern}")

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None, cancel: Event | None = None
    ) -> None:
        """Bring one file after the other, and tell so before each."""
        self.prepared.append([file.path for file in files])
        missing = [file for file in files if file.path not in self.here]
        if self.as_of is not None:
            return
        for done, file in enumerate(missing):
            if watch:
                watch(Progress(done, len(missing), done, len(missing), 1.0))
            if cancel and cancel.is_set():
                return
            self.here.add(file.path)

    def fetch(self, file: FileInfo) -> Path:
        """Return the file in the folder."""
        self.asked.append(file.path)
        if file.path not in self.here and self.as_of is not None:
            raise fault("offline", name=file.path, where=TEXT)
        self.here.add(file.path)
        return self._folder.fetch(file)

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """Say of an older copy that it is one."""
        if file.path not in self.older:
            return ()
        said = "Shown is the copy as of 2026-11-23 20:01 UTC, because: it stopped answering."
        return (Problem(said, "Try again in a minute.", file.path),)

    def problems(self) -> tuple[Problem, ...]:
        """Say why an earlier listing is shown."""
        if self.as_of is None or self.away is None:
            return ()
        said = f"The bucket cannot be read now: {self.away.what} "
        return (
            Problem(f"{said}Shown is what was there as of 2026-11-23 20:01 UTC.", self.away.remedy),
        )


def opened_as(bucket: FakeBucket) -> Any:
    """Return a stand-in for `viz3d.load.open_source` that opens one bucket, whatever is named."""

    def open_source(text: str, settings: object = None) -> FakeBucket:
        bucket.asked.append("open")
        return bucket

    return open_source
