"""A file is there whole or not at all: written under another name, synced, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

SUFFIX = ".tmp"
# Errors of a full disk, or of a user's share of one.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def temporary(folder: Path, stem: str) -> Path:
    """Return a name in `folder` that nobody else uses, for a file that is being written."""
    return folder / f"{stem}.{secrets.token_hex(8)}{SUFFIX}"


def land(temp: Path, final: Path, *, sync_folder: bool = True) -> None:
    """Give a finished file its name; after a power cut either the old or the new one is there.

    Parameters
    ----------
    temp, final : pathlib.Path
        In the same file system. The file can be read by its owner alone afterwards.
    sync_folder : bool
        Whether the new name has to survive a power cut, too. Without, the bytes under whatever
        name is there afterwards are whole all the same.

    Raises
    ------
    OSError
        If it cannot be synced or renamed; what was there under the final name is untouched.
    """
    with temp.open("r+b") as file:
        temp.chmod(0o600)
        os.fsync(file.fileno())
    os.replace(temp, final)  # noqa: PTH105 - the name that people look for when they read this
    if sync_folder:
        _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable.

    Not every file system lets a folder be opened or synced. The file has its name already, so
    that is no reason to fail: a power cut may then bring back the old file, which is whole too.
    """
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
