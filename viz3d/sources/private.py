"""Folders that their owner alone can enter."""

from __future__ import annotations

import atexit
import errno
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from viz3d.sources.faults import fault


def make(folder: Path) -> None:
    """Make a folder and what is missing above it, each for its owner alone whatever the umask.

    Raises
    ------
    OSError
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        if folder == folder.parent:
            raise
        make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def open_layout(folder: str | Path, layout: str) -> Path:
    """Return the folder of a layout inside the user's cache folder, made and closed to others.

    A folder that holds other things keeps its rights; the layout inside it is closed all the same.

    Parameters
    ----------
    folder : path
        By default the user's own cache folder.
    layout : str
        ``v1`` and so on.

    Raises
    ------
    OSError
        If either belongs to somebody else, is a link, or cannot be made; the reason is in its
        `strerror`.
    """
    try:
        return _open(_absolute(folder), layout)
    except (FileExistsError, NotADirectoryError) as error:
        raise OSError(error.errno, "a file stands in its place") from error
    except RuntimeError as error:
        raise OSError(errno.ENOENT, "there is no home folder") from error
    except ValueError as error:
        raise OSError(errno.EINVAL, "that is no name of a folder") from error


def open_temporary(layout: str) -> Path:
    """Return the same in a folder that is removed when the program ends.

    Raises
    ------
    BucketError
        If there is no place for that either.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="viz3d-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        make(folder / layout)
    except OSError as error:
        raise fault("cache_unwritable", reason=error.strerror or "no folder works") from error
    return folder / layout


def _absolute(folder: str | Path) -> Path:
    from platformdirs import user_cache_path

    wanted = Path(folder) if str(folder) else user_cache_path("viz3d", appauthor=False)
    return wanted.expanduser().absolute()


def _open(whole: Path, layout: str) -> Path:
    make(whole)
    _refuse_foreign(whole)
    if all(re.fullmatch(r"v\d+", child.name) for child in whole.iterdir()):
        _close(whole)
    inside = whole / layout
    make(inside)
    _refuse_foreign(inside)
    _close(inside)
    return inside


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder through which somebody else could reach what is put into it."""
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise PermissionError(errno.EPERM, "it is a link to another folder")
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "it belongs to another user")


def _close(folder: Path) -> None:
    if hasattr(os, "getuid"):  # on Windows the user's own folders are closed already
        folder.chmod(0o700)
