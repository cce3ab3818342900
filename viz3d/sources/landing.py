"""A file is there whole or not at all: written under another name, synced, then renamed."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

SUFFIX = ".tmp"


def temporary(folder: Path, stem: str) -> Path:
    """Return a name in `folder` that nobody else uses, for a file that is being written."""
    return folder / f"{stem}.{secrets.token_hex(8)}{SUFFIX}"


def land(temp: Path, final: Path) -> None:
    """Give a finished file its name; after a power cut either the old or the new one is there.

    Parameters
    ----------
    temp, final : pathlib.Path
        In the same file system.

    Raises
    ------
    OSError
    """
    with temp.open("r+b") as file:
        os.fsync(file.fileno())
    temp.chmod(0o600)
    os.replace(temp, final)  # noqa: PTH105 - the name that people look for when they read this
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; where a folder cannot be opened, the system sees to it."""
    if os.name == "nt":
        return
    with suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
