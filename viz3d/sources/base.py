"""What a source is: a place where runs live."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable

    from viz3d.run import FileInfo, Problem
    from viz3d.sources.address import Address
    from viz3d.sources.progress import Watch
    from viz3d.sources.wandb_address import WandbAddress


class Source(Protocol):
    """A place that lists files and hands them out as local paths."""

    @property
    def name(self) -> str:
        """What people are shown; of a folder only its last part."""

    @property
    def as_of(self) -> float | None:
        """When the last listing was made, seconds since 1970, if the place cannot be asked now.

        None where the last listing is the present state.
        """

    def names(self) -> list[str]:
        """Return the names that are to be had at once: folders that may hold runs.

        Empty where `files` is as fast.

        Raises
        ------
        SourceError
            If the place cannot be listed.
        """

    def files(self) -> list[FileInfo]:
        """List the files that may belong to runs, without reading any.

        Raises
        ------
        SourceError
            If the place cannot be listed.
        """

    def find(self, pattern: str) -> list[FileInfo]:
        """List the files whose path matches a pattern, those that `files` leaves out included.

        Parameters
        ----------
        pattern : str
            ``*`` matches within one folder, ``**`` across folders, ``?`` one character.

        Raises
        ------
        SourceError
            If the place cannot be listed.
        """

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None, cancel: Event | None = None
    ) -> None:
        """Bring files near, many at once, so that `fetch` finds them here.

        Never raises for a file: `fetch` tells what was wrong with it. Returns when all are here or
        have failed, or soon after `cancel` is set; what has come by then is kept.
        """

    def fetch(self, file: FileInfo) -> Path:
        """Return a readable local path of `file`.

        Raises
        ------
        SourceError
            If it is gone or cannot be read.
        """

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """Return what must be told about the copy that `fetch` handed out last."""

    def problems(self) -> tuple[Problem, ...]:
        """Return what the last listing left out."""


class Local(Source, Protocol):
    """A folder or a file on this disk, which can be looked into at once."""

    @property
    def is_file(self) -> bool:
        """Whether it is one file, which somebody named."""

    def path_of(self, path: str) -> Path:
        """Return where the file of a listing lies."""


class Remote(Source, Protocol):
    """A source that asks a service, which knows who asks and may take its time.

    Attributes
    ----------
    address : Address or WandbAddress
    tell : callable or None
        Is told, on another thread, of each further try.
    patient : bool
        Whether `files` waits for the service to its deadlines although an earlier listing is here.
    """

    address: Address | WandbAddress
    tell: Callable[[str], None] | None
    patient: bool

    @property
    def identity(self) -> str:
        """Who we are to the service, in words; known after the first question."""

    @property
    def project(self) -> str:
        """The project of the login or of the settings, or the one that is read; may be empty."""


def is_local(source: Source | None) -> TypeGuard[Local]:
    """Say whether a source is on this disk, also where another one hands on to it."""
    return hasattr(source, "path_of")


def is_remote(source: Source | None) -> TypeGuard[Remote]:
    """Say whether a source asks a service."""
    return hasattr(source, "identity")
