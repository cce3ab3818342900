"""A source that could not be opened, beside others that could."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from viz3d.errors import SourceError
    from viz3d.run import FileInfo, Problem
    from viz3d.sources.progress import Watch


class Absent:
    """A source that says, whatever it is asked for, why it could not be opened.

    Parameters
    ----------
    text : str
        What was to be opened.
    error : SourceError
    """

    def __init__(self, text: str, error: SourceError) -> None:
        # A whole address may hold a password.
        scheme, mark, _ = text.partition("://")
        self.name = f"{scheme}://…" if mark else Path(text).name or text
        self.as_of = None
        self._error = error

    def names(self) -> NoReturn:
        """Raise why it could not be opened."""
        raise self._error

    def files(self) -> NoReturn:
        """Raise why it could not be opened."""
        raise self._error

    def find(self, pattern: str) -> NoReturn:
        """Raise why it could not be opened."""
        raise self._error

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None, cancel: Event | None = None
    ) -> None:
        """Do nothing: `fetch` tells."""

    def fetch(self, file: FileInfo) -> NoReturn:
        """Raise why it could not be opened."""
        raise self._error

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """Return nothing."""
        return ()

    def problems(self) -> tuple[Problem, ...]:
        """Return nothing: the listing itself fails."""
        return ()
