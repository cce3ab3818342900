"""Runs in a local folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from threading import Event
from typing import TYPE_CHECKING

from viz3d.errors import SourceError
from viz3d.run import FileInfo, Problem
from viz3d.sources.globs import matches
from viz3d.sources.skipping import ARCHIVE, skipped, why_not_opened

if TYPE_CHECKING:
    from viz3d.sources.progress import Watch

MAX_DEPTH = 32
REMEDY = "If there are logs in it, unpack them into a folder and open that."
LEADS_OUT = (
    "It is a link that leads out of the folder, so it was left out.",
    "Copy it into the folder if it is wanted.",
)
OF_A_FOLDER = (
    "It is a link to a folder, so it was not followed.",
    "Put the folder itself there if it is wanted.",
)
LEADS_NOWHERE = (
    "It is a link that leads nowhere, so it was left out.",
    "Put back what it led to if it is wanted.",
)
TOO_DEEP = (
    f"The folder lies below {MAX_DEPTH} others, so it was not searched.",
    "Name it, or one above it, as the source if there are runs in it.",
)
NO_FILE = (
    "It is a pipe, a socket or a device, so it was not opened.",
    "Nothing needs doing: no log lies in it.",
)
NOT_ALLOWED = (
    "You have no right to look at it, so it was left out.",
    "Give yourself that right if it is wanted.",
)
GONE = ("It went away while the folder was listed.", "List the runs again.")


class LocalSource:
    """A folder, searched to the bottom, or one file.

    Hidden folders and folders of weights or code are skipped. Links that lead out of the folder
    and anything that is no plain file are left out and told.

    Parameters
    ----------
    path : str or pathlib.Path
    name : str, optional
        What people are shown; by default the last part of `path`.

    Raises
    ------
    SourceError
        If there is nothing at `path`.
    """

    def __init__(self, path: str | Path, name: str = "") -> None:
        if not exists(path):
            raise SourceError(
                f"There is no folder or file {Path(path).name or str(path)!r} at the given path; "
                "check the path."
            )
        self._root = Path(path).expanduser().resolve()
        self._name = name or self._root.name or "/"
        self._problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self._name

    @property
    def is_file(self) -> bool:
        """Whether it is one file, which somebody named."""
        return self._root.is_file()

    def path_of(self, path: str) -> Path:
        """Return where the file of a listing lies."""
        return self._root / path

    @property
    def as_of(self) -> None:
        """None: a folder is always listed as it is now."""

    def names(self) -> list[str]:
        """Return nothing, because `files` is as fast."""
        return []

    def files(self) -> list[FileInfo]:
        """List the files in the order of their paths.

        Raises
        ------
        SourceError
            If the folder itself cannot be listed.
        """
        problems: list[Problem] = []
        found = self._list(problems, everything=False)
        self._problems = tuple(problems)
        return found

    def find(self, pattern: str) -> list[FileInfo]:
        """List the files whose path matches a pattern, those in hidden and skipped folders too.

        Parameters
        ----------
        pattern : str
            As for `viz3d.sources.globs.matches`.

        Raises
        ------
        SourceError
            If the folder itself cannot be listed.
        """
        return [file for file in self._list([], everything=True) if matches(pattern, file.path)]

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None, cancel: Event | None = None
    ) -> None:
        """Do nothing: the files are here."""

    def fetch(self, file: FileInfo) -> Path:
        """Return the file itself.

        Raises
        ------
        SourceError
            If it is gone, its path leads out of the folder, or it may not be read.
        """
        path = self._root / file.path
        try:
            path = self._root if self._root.is_file() else path
            if not path.resolve().is_relative_to(self._root) or not path.is_file():
                raise SourceError(
                    f"{file.path!r} is no longer in {self.name!r}; list the runs again."
                )
            path.open("rb").close()
        except PermissionError:
            raise SourceError(
                f"You have no right to read {file.path!r}; give yourself that right if it is "
                "wanted."
            ) from None
        except OSError:
            pass  # whoever reads it says why not
        return path

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """Return nothing: what is handed out is the file itself."""
        return ()

    def problems(self) -> tuple[Problem, ...]:
        """Return what the last listing left out."""
        return self._problems

    def _list(self, problems: list[Problem], *, everything: bool) -> list[FileInfo]:
        try:
            stat = self._root.stat()
        except OSError as error:
            raise self._not_listed(error) from error
        if S_ISREG(stat.st_mode):
            if reason := why_not_opened(self._root.name):
                problems.append(Problem(reason, REMEDY, self._root.name))
            return [_info(self._root.name, stat)]
        if not S_ISDIR(stat.st_mode):
            raise SourceError(
                f"{self.name!r} is a pipe, a socket or a device, so it was not opened; name a "
                "folder or a file."
            )
        walked = self._walk(self._root, "", problems, everything=everything)
        found = sorted(walked, key=lambda file: file.path)
        if archives := [file.path for file in found if ARCHIVE.fullmatch(file.path)]:
            what = "An archive was" if len(archives) == 1 else f"{len(archives):,} archives were"
            problems.append(Problem(f"{what} not opened.", REMEDY, archives[0]))
        return found

    def _walk(
        self, folder: Path, prefix: str, problems: list[Problem], *, everything: bool
    ) -> Iterator[FileInfo]:
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            if not prefix:
                raise self._not_listed(error) from error
            problems.append(
                Problem(
                    "The folder cannot be listed, so it was left out.",
                    "Give yourself the right to read it if there are runs in it.",
                    prefix,
                )
            )
            return
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if not everything and skipped(f"{entry.name}/"):
                    continue
                if path.count("/") < MAX_DEPTH:
                    below = folder / entry.name
                    yield from self._walk(below, f"{path}/", problems, everything=everything)
                else:
                    problems.append(Problem(*TOO_DEEP, f"{path}/"))
            elif not everything and skipped(entry.name):
                continue
            elif reason := self._why_not(entry):
                problems.append(Problem(*reason, path))
            else:
                yield _info(path, entry.stat())

    def _not_listed(self, error: OSError) -> SourceError:
        rights = isinstance(error, PermissionError)
        what = "give yourself the right to read it." if rights else "check the path."
        return SourceError(f"{self.name!r} cannot be listed: {error.strerror}; {what}")

    def _why_not(self, entry: os.DirEntry[str]) -> tuple[str, str] | None:
        """Say why `entry` is left out, and what to do; None when it is a file to be read."""
        try:
            entry.stat()  # fails where nothing is, or is no longer; else it is remembered
            if not (entry.is_file() or entry.is_dir()):
                return NO_FILE
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(self._root):
                return LEADS_OUT
            return OF_A_FOLDER if entry.is_dir() else None
        except PermissionError:
            return NOT_ALLOWED
        except (OSError, RuntimeError):
            return LEADS_NOWHERE if entry.is_symlink() else GONE


def exists(path: str | Path) -> bool:
    """Say whether a folder or file is at `path`; where it is forbidden to look, one may be."""
    try:
        Path(path).expanduser().resolve().stat()
    except PermissionError:
        return True
    except (OSError, ValueError, RuntimeError):
        return False
    return True


def _info(path: str, stat: os.stat_result) -> FileInfo:
    generation = f"{stat.st_mtime_ns}-{stat.st_size}-{stat.st_ino}"
    return FileInfo(path, stat.st_size, stat.st_mtime, generation)
