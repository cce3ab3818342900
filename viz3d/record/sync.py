"""A thread that brings a recorder's files to the disk once a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from viz3d.record.append import AppendFile
from viz3d.record.limit import start

INTERVAL = 1.0  # seconds: what a power cut costs at most


class Syncer:
    """Syncs files once a second, on a thread that `start` begins and `stop` ends.

    Only this thread closes the files: a descriptor is never closed under a sync.

    Parameters
    ----------
    failed : callable
        Given what happened and the error.
    removed : callable
        Called when a file was removed by someone.
    """

    def __init__(
        self, failed: Callable[[str, object], object], removed: Callable[[], object]
    ) -> None:
        self.files: tuple[AppendFile, ...] = ()
        self._failed, self._removed = failed, removed
        self._end = threading.Event()
        self._end.set()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to sync; nothing happens if it has begun."""
        if not self._end.is_set():
            return
        self._end = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._end,), name="viz3d-sync", daemon=True
        )
        try:
            start(self._thread)
        except RuntimeError as error:
            self._thread = None
            self._end.set()
            self._failed("the rows are written but not synced to the disk", error)

    def end(self) -> None:
        """Let the thread sync once more, close the files and end, without waiting for it."""
        self._end.set()

    def stop(self, limit: float) -> bool:
        """End the thread, and say whether all is on the disk within `limit` seconds."""
        self.end()
        if self._thread is None:
            self._finish()
            return True
        self._thread.join(limit)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Forget the thread and the files, in a forked child that has neither."""
        self._thread = None
        self._end.set()
        for file in self.files:
            file.abandon()

    def _run(self, end: threading.Event) -> None:
        while not end.wait(INTERVAL):
            _each(self.files, self._look_after, self._failed)
        self._finish()

    def _finish(self) -> None:
        _each(self.files, self._look_last, self._failed)
        _each(self.files, AppendFile.close, self._failed)

    def _look_last(self, file: AppendFile) -> None:
        if file.is_removed():
            self._failed(f"{file.path.name} was removed", "its rows are gone")

    def _look_after(self, file: AppendFile) -> None:
        if file.is_removed():
            self._removed()
        file.sync()


def _each(
    files: Iterable[AppendFile],
    do: Callable[[AppendFile], None],
    failed: Callable[[str, object], object],
) -> None:
    for file in files:
        try:
            do(file)
        except Exception as error:
            failed(f"{file.path.name} was not brought to the disk", error)
