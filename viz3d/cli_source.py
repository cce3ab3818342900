"""Sources as the command line opens them: listed once, and never silent on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from viz3d.cli_text import fitted, one_line, progress_text, tell, tell_problems, time_text
from viz3d.errors import SourceError
from viz3d.sources.absent import Absent
from viz3d.sources.base import is_remote

if TYPE_CHECKING:
    from viz3d.run import FileInfo, Problem
    from viz3d.settings import Settings
    from viz3d.sources.base import Source
    from viz3d.sources.progress import Progress, Watch
    from viz3d.sources.several import Several

# Seconds between two drawings of a line.
REDRAW = 0.1


class Line:
    """One line at the bottom of a terminal, drawn again and again; nothing where there is none.

    Used with ``with``; it is gone afterwards, whatever happened.
    """

    def __init__(self) -> None:
        self._drawn = 0
        self._last = -REDRAW
        self._lock = Lock()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._draw("")

    def show(self, text: str) -> None:
        """Draw a text; the last column stays free, since some terminals wrap there."""
        if sys.stderr.isatty():
            self._draw(fitted(one_line(text), _width() - 1))

    def watch(self, progress: Progress) -> None:
        """Draw a transfer's progress, at most ten times a second."""
        if progress.bytes_done < progress.bytes_total and monotonic() - self._last >= REDRAW:
            self._last = monotonic()
            self.show(progress_text(progress, _width()))

    def _draw(self, text: str) -> None:
        with self._lock:
            print(f"\r{text:{self._drawn}}", end="" if text else "\r", file=sys.stderr, flush=True)
            self._drawn = len(text)


class ShownSource:
    """A source that is listed once, and that shows on the terminal what it waits for.

    Parameters
    ----------
    source : Source
        Everything that is not here is handed on to it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._files: list[FileInfo] | None = None
        self._prepared: set[tuple[str, str]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    @property
    def name(self) -> str:
        """As the source says."""
        return self._source.name

    @property
    def as_of(self) -> float | None:
        """As the source says."""
        return self._source.as_of

    def names(self) -> list[str]:
        """As the source says."""
        return self._asking(self._source.names)

    def files(self) -> list[FileInfo]:
        """List the files once; what the listing has to tell is told then."""
        if self._files is None:
            self._files = self._asking(self._source.files)
            problems = self._source.problems()
            tell_problems(problems)
            if self.as_of is not None and not problems:
                tell(f"{self.name} cannot be asked now; this is as of {time_text(self.as_of)}.")
        return self._files

    def find(self, pattern: str) -> list[FileInfo]:
        """As the source says."""
        return self._asking(lambda: self._source.find(pattern))

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None, cancel: Event | None = None
    ) -> None:
        """Bring files near, with a progress bar unless `watch` draws its own."""
        self._prepared.update((file.path, file.generation) for file in files)
        with Line() as line:
            self._source.prepare(files, watch or line.watch, cancel)

    def fetch(self, file: FileInfo) -> Path:
        """Fetch a file, with a progress bar unless that was seen to before."""
        if (file.path, file.generation) not in self._prepared:
            self.prepare([file])
        return self._source.fetch(file)

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """As the source says."""
        return self._source.remarks(file)

    def problems(self) -> tuple[Problem, ...]:
        """As the source says."""
        return self._source.problems()

    def _asking(self, ask: Callable[[], list[Any]]) -> list[Any]:
        """Ask something that may take its time, and say so meanwhile."""
        source = self._source
        if not is_remote(source):
            return ask()
        with Line() as line:
            line.show(f"Asking {self.name} …")
            source.tell = line.show
            # A command ends with its answer: a listing that comes later would never be used.
            source.patient = True
            try:
                return ask()
            finally:
                source.tell = None


def read_settings() -> Settings:
    """Read the settings and tell what is wrong with them."""
    from viz3d.settings import load_settings

    settings = load_settings()
    for problem in settings.problems:
        tell(f"viz3d: {problem}")
    return settings


def open_shown(text: str | Path, settings: Settings | None = None) -> ShownSource:
    """Open a source; see `viz3d.load.open_source`."""
    from viz3d.load import open_source

    return ShownSource(open_source(text, settings))


def open_named(text: str | None) -> ShownSource:
    """Open the source that was named, else the one of the settings."""
    settings = read_settings()
    return open_shown(text or settings.source, settings)


def open_several(texts: Sequence[str]) -> ShownSource | Several:
    """Open the sources that were named; several are opened and shown one by one, and fail so."""
    from viz3d.sources.several import Several

    if len(set(texts)) < 2:
        return open_named(texts[0] if texts else None)
    settings = read_settings()
    return Several([_open_or_tell(text, settings) for text in dict.fromkeys(texts)])


def _open_or_tell(text: str, settings: Settings) -> ShownSource:
    """Open one of several sources; what cannot be opened says so when it is listed."""
    try:
        return open_shown(text, settings)
    except SourceError as error:
        return ShownSource(Absent(text, error))


def _width() -> int:
    """Return the columns of the terminal that standard error is."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return shutil.get_terminal_size().columns
