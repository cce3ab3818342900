"""Do what may hang on a thread of its own, and wait for it only so long."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

# The longest that anything but the row's own write holds the training loop, in seconds: 50 ms, of
# which all that a call reads has the most and a warning the rest.
LOOP_LIMIT = 0.04
WARNING_LIMIT = 0.01


def soon() -> float:
    """Return until when, of ``time.monotonic()``, a call that begins now may hold the loop."""
    return time.monotonic() + LOOP_LIMIT


def start(thread: threading.Thread) -> None:
    """Start a thread.

    Raises
    ------
    RuntimeError
        If there are no threads left, or the interpreter ends: it would be waited for for ever.
    """
    if sys.is_finalizing():
        raise RuntimeError("the interpreter ends")
    thread.start()


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
        start(thread)
    except RuntimeError:
        work()
        return True
    thread.join(limit)
    return not thread.is_alive()


class Helper:
    """One thread for many short pieces of work; while one hangs, no other is tried."""

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Callable[[], object], threading.Event]] | None = None
        self._overdue: threading.Event | None = None
        self._free = threading.Lock()

    def do(self, work: Callable[[], object], end: float) -> bool:
        """Do `work`, and wait for it until `end`, of ``time.monotonic()``; what it raises is lost.

        Returns
        -------
        bool
            False if it was not done by then, or not begun because an earlier piece
            still hangs: that is not waited for again.
        """
        if self._overdue is not None and not self._overdue.is_set():
            return False
        if not self._free.acquire(timeout=max(0.0, end - time.monotonic())):
            return False
        done = threading.Event()
        try:
            if self._work is None:
                self._work = self._begin()
        except RuntimeError:
            self._free.release()
            return False
        self._work.put((work, done))
        if done.wait(max(0.0, end - time.monotonic())):
            return True
        self._overdue = done
        return done.is_set()

    def _begin(self) -> SimpleQueue[tuple[Callable[[], object], threading.Event]]:
        todo: SimpleQueue[tuple[Callable[[], object], threading.Event]] = SimpleQueue()
        start(threading.Thread(target=self._run, args=(todo,), name="viz3d-values", daemon=True))
        return todo

    def _run(self, todo: SimpleQueue[tuple[Callable[[], object], threading.Event]]) -> None:
        while True:
            work, done = todo.get()
            with suppress(BaseException):  # a stranger's; it must not end the thread
                work()
            del work  # or its values would live until the next piece comes
            done.set()
            self._free.release()
