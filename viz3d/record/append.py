"""A file to which whole lines are appended, each with the operating system at once."""

from __future__ import annotations

import os
from pathlib import Path


class AppendFile:
    """Appends lines without a buffer, so that a killed process loses none of them.

    The file is opened by the first `write`. A line cut short (by a full disk now, or by a power
    cut before) is closed with a newline before the next one, which therefore stays readable.

    Parameters
    ----------
    path : Path
        Its folder has to exist by the time of the first write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._torn = False

    def write(self, data: bytes) -> None:
        """Append `data`, which is one or several whole lines.

        Raises
        ------
        OSError
            If not all of it could be written.
        """
        if self._descriptor is None:
            self._open()
        if self._torn:
            data = b"\n" + data
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])  # type: ignore[arg-type]
        finally:
            if written:
                self._torn = data[written - 1 : written] != b"\n"

    def close(self) -> None:
        """Bring the file to the disk and close it; nothing happens if it was never opened."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(self.path, flags, 0o644)
        size = os.fstat(self._descriptor).st_size
        if size:
            os.lseek(self._descriptor, size - 1, os.SEEK_SET)
            self._torn = os.read(self._descriptor, 1) != b"\n"
