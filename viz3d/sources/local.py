"""Runs in a local folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from viz3d.errors import SourceError
from viz3d.run import FileInfo, Problem

# Folders that hold no histories, only weights, code or caches; entering them costs much.
SKIPPED = re.compile(
    r"\..*|checkpoints|.*_checkpoints|tokenizer|eval_bundle|base_data|node_modules|__pycache__"
    r"|venv|site-packages"
)
MAX_DEPTH = 32


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

    def files(self) -> list[FileInfo]:
        """List the files in the order of their paths.

        Raises
        ------
        SourceError
            If the folder itself cannot be listed.
        """
        if self._root.is_file():
            return [_info(self._root.name, self._root.stat())]
        problems: list[Problem] = []
        found = sorted(self._walk(self._root, "", problems), key=lambda file: file.path)
        self._problems = tuple(problems)
        return found

    def fetch(self, file: FileInfo) -> Path:
        """Return the file itself.

        Raises
        ------
        SourceError
            If it is gone, or its path leads out of the folder.
        """
        path = self._root if self._root.is_file() else self._root / file.path
        if not path.resolve().is_relative_to(self._root) or not path.is_file():
            raise SourceError(f"{file.path!r} is no longer in {self.name!r}; list the runs again.")
        return path

    def problems(self) -> tuple[Problem, ...]:
        """Return what the last listing left out."""
        return self._problems

    def _walk(self, folder: Path, prefix: str, problems: list[Problem]) -> Iterator[FileInfo]:
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            if not prefix:
                raise SourceError(
                    f"The folder {self.name!r} cannot be listed: {error.strerror}."
                ) from error
            problems.append(
                Problem("The folder cannot be listed, so it was left out.", file=prefix)
            )
            return
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if not SKIPPED.fullmatch(entry.name) and path.count("/") < MAX_DEPTH:
                    yield from self._walk(folder / entry.name, f"{path}/", problems)
            elif entry.name.startswith("."):
                continue
            elif reason := self._why_not(entry):
                problems.append(Problem(reason, file=path))
            else:
                yield _info(path, entry.stat())

    def _why_not(self, entry: os.DirEntry[str]) -> str:
        """Say why `entry` is left out; empty when it is a file to be read."""
        try:
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(self._root):
                return "It is a link that leads out of the folder, so it was left out."
            if entry.is_dir():
                return "It is a link to a folder, so it was not followed."
            if entry.is_file():
                entry.stat()  # fails where the file has gone since; else it is remembered
                return ""
        except (OSError, RuntimeError):
            pass
        return "It is no plain file, so it was left out."


def exists(path: str | Path) -> bool:
    """Say whether a folder or file is at `path`; False also where nobody can look."""
    try:
        return Path(path).expanduser().resolve().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _info(path: str, stat: os.stat_result) -> FileInfo:
    generation = f"{stat.st_mtime_ns}-{stat.st_size}-{stat.st_ino}"
    return FileInfo(path, stat.st_size, stat.st_mtime, generation)
