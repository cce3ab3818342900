"""A file to which whole lines are appended, each with the operating system at once."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# What says that there is nothing to sync: a pipe, a device, a file system without it.
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}
# What says that the descriptor is of no use: closed by someone else, or of a file that is gone.
_NO_FILE = {errno.EBADF, errno.ESTALE}

_flush = getattr(os, "fdatasync", os.fsync)


class AppendFile:
    """Appends lines without a buffer, so that a killed process loses none of them.

    The file is opened by the first `write`, and its folder made if needed. A line cut short (by a
    full disk now, or by a power cut before) is closed with a newline before the next one, which
    therefore stays readable. Several threads may write.

    Parameters
    ----------
    path : Path
    opened : callable
        Called when the file was opened.
    """

    def __init__(self, path: Path, opened: Callable[[], object] = lambda: None) -> None:
        self.path = path
        self._opened = opened
        self._descriptor: int | None = None
        self._torn = False
        self._unsynced = False
        self._new = False
        self._abandoned = False
        # A signal handler may log while a row is being written.
        self._lock = threading.RLock()

    def write(self, data: bytes) -> None:
        """Append `data`, which is one or several whole lines.

        Raises
        ------
        OSError
            If not all of it could be written, or in a process that was forked since.
        """
        with self._lock:
            descriptor = self._descriptor if self._descriptor is not None else self._open()
            if self._torn:
                data = b"\n" + data
            self._unsynced = True
            written = 0
            try:
                while written < len(data):
                    # One call takes all of it, unless the disk is full.
                    written += os.write(descriptor, data[written:] if written else data)
            except OSError as error:
                if error.errno in _NO_FILE:
                    self._descriptor = None
                raise
            finally:
                if written:
                    self._torn = written < len(data) and data[written - 1 : written] != b"\n"

    def sync(self) -> None:
        """Bring what was written to the disk; to be called on another thread than the loop's.

        Raises
        ------
        OSError
            If it could not be.
        """
        descriptor = self._descriptor
        if descriptor is None or not self._unsynced:
            return
        self._unsynced = False
        _sync(descriptor)
        if self._new:
            self._new = False
            for folder in (self.path.parent, self.path.parent.parent):
                _sync_folder(folder)

    def is_removed(self) -> bool:
        """Say whether the file was removed; if so the next write makes it again."""
        with self._lock:
            if self._descriptor is None or os.fstat(self._descriptor).st_nlink:
                return False
            descriptor, self._descriptor = self._descriptor, None
        os.close(descriptor)
        return True

    def close(self) -> None:
        """Bring the file to the disk and close it; nothing happens if it is not open.

        Raises
        ------
        OSError
            If it could not be brought to the disk.
        """
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        try:
            _sync(descriptor)
        finally:
            os.close(descriptor)

    def abandon(self) -> None:
        """Close the file as it is and open it no more, in a forked child: it is its parent's."""
        self._lock = threading.RLock()  # the old one may be held by a thread that is not here
        self._abandoned = True
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)

    def _open(self) -> int:
        if self._abandoned:
            raise OSError("this process was forked from the one that records; open a Recorder here")
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(self.path, flags, 0o644)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, flags, 0o644)
        size = os.fstat(descriptor).st_size
        self._new, self._torn = not size, False
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            self._torn = os.read(descriptor, 1) != b"\n"
        self._descriptor = descriptor
        self._opened()
        return descriptor


def _sync(descriptor: int) -> None:
    try:
        _flush(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _sync_folder(folder: Path) -> None:
    """Bring the name of a new file to the disk, where a folder can be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            _sync(descriptor)
        finally:
            os.close(descriptor)
