"""Notice that another process records into the same folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows, where it is not noticed
    fcntl = None  # type: ignore[assignment]


class FolderLock:
    """An advisory lock on a folder itself; it goes with the process, however that ends."""

    def __init__(self) -> None:
        self._descriptor: int | None = None

    def acquire(self, folder: Path) -> bool:
        """Lock `folder`, and say whether nobody else holds it.

        Where folders cannot be locked (some network drives) the answer is True.
        """
        self.release()
        if fcntl is None:
            return True
        with suppress(OSError, ValueError):  # the latter is for a path that can be none
            self._descriptor = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def release(self) -> None:
        """Let go; in a forked child this leaves the parent's lock as it is."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)
