"""Files that are written while they are read, and copies of them that stand still."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

Files = Mapping[str, Path]


def state(files: Files) -> list[tuple[int, int, int] | None]:
    """Return what changes when one of the files is written or exchanged; None for one that went."""
    return [_state(path) for path in files.values()]


def _state(path: Path) -> tuple[int, int, int] | None:
    with suppress(OSError):
        stat = path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
    return None


def copied(files: Files, folder: str) -> dict[str, Path]:
    """Copy files, each as far as it is written now, and return where they can be read.

    Parameters
    ----------
    files : mapping of {path in the source: local path}
    folder : str
        An empty one.

    Returns
    -------
    dict of {path in the source: local path}
        What cannot be copied is to be read where it is.
    """
    copies = dict(files)
    for number, (path, file) in enumerate(files.items()):
        copy = Path(folder, str(number), file.name)
        with suppress(OSError):
            copy.parent.mkdir()
            shutil.copyfile(file, copy)
            copies[path] = copy
    return copies
