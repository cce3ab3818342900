"""What a source is: a place where runs live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from viz3d.run import FileInfo, Problem


class Source(Protocol):
    """A place that lists files and hands them out as local paths."""

    @property
    def name(self) -> str:
        """What people are shown; of a folder only its last part."""

    def files(self) -> list[FileInfo]:
        """List the files, without reading any.

        Raises
        ------
        SourceError
            If the place cannot be listed.
        """

    def fetch(self, file: FileInfo) -> Path:
        """Return a readable local path of `file`.

        Raises
        ------
        SourceError
            If it is gone or cannot be read.
        """

    def problems(self) -> tuple[Problem, ...]:
        """Return what the last listing left out."""
