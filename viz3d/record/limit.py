"""Do what may hang on a thread of its own, and wait for it only so long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

# The longest that anything but the row's own write holds the training loop, in seconds.
LOOP_LIMIT = 0.05


def within(limit: float, work: Callable[[], object]) -> bool:
    """Do `work` on a new thread and wait for at most `limit` seconds.

    Parameters
    ----------
    limit : float
        Seconds.
    work : callable
        Handles its own exceptions.

    Returns
    -------
    bool
        False if it is not done yet; it goes on.
    """
    thread = threading.Thread(target=work, name="viz3d-aside", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter ends, or there are no threads left
        work()
        return True
    thread.join(limit)
    return not thread.is_alive()


class Helper:
    """One thread for many short pieces of work; while one hangs, no other is tried.

    Parameters
    ----------
    limit : float
        Seconds to wait for one piece.
    """

    def __init__(self, limit: float = LOOP_LIMIT) -> None:
        self._limit = limit
        self._work: SimpleQueue[tuple[Callable[[], object], threading.Event]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._overdue: threading.Event | None = None
        self._free = threading.Lock()

    def do(self, work: Callable[[], object]) -> bool:
        """Do `work`, which handles its own exceptions.

        Returns
        -------
        bool
            False if it was not done within the limit, or not begun because an earlier piece
            still hangs: that is not waited for again.
        """
        end = time.monotonic() + self._limit
        if self._overdue is not None and not self._overdue.is_set():
            return False
        if not self._free.acquire(timeout=self._limit):
            return False
        done = threading.Event()
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="viz3d-values", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError:  # as above
            self._free.release()
            return False
        self._work.put((work, done))
        if done.wait(max(0.0, end - time.monotonic())):
            return True
        self._overdue = done
        return done.is_set()

    def _run(self) -> None:
        while True:
            work, done = self._work.get()
            try:
                work()
            finally:
                del work  # or its values would live until the next piece comes
                done.set()
                self._free.release()
