"""Numbers that are not there yet: read on a thread, in order, and written when they come."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from viz3d.record.failures import Failures
from viz3d.record.limit import start

MOST = 64  # that wait at once, and so the values that they keep alive
IDLE = 1.0  # seconds without work after which the thread ends; the next value begins another


class Awaited:
    """Something to be read that may take its time: afterwards read, or late for its row.

    Parameters
    ----------
    name : str or None
        The metric; None for the layers of a step.
    step : int
    read : callable
        May raise, and may hang.
    write : callable
        Given what was read if it came late, or None if that raised.
    """

    def __init__(
        self,
        name: str | None,
        step: int,
        read: Callable[[], Any],
        write: Callable[[Any], object],
    ) -> None:
        self.name, self.step, self.read, self.write = name, step, read, write
        self.found: Any = None
        self.is_read = self.is_late = self.is_given_up = False


class Late:
    """Reads what may hang on one thread; the caller waits for it for a moment only.

    What is late of one metric is written in the order in which it was asked for, and before what
    is logged later: a reader takes steps that go back for a restart. While one value hangs, those
    after it wait, `MOST` at once, and no second thread is begun for them: what hangs once hangs
    again.

    Parameters
    ----------
    failures : Failures
        Counts what is given up.
    """

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self.abandon()

    def abandon(self) -> None:
        """Await nothing; in a forked child what was pending is the parent's."""
        self._queue: deque[Awaited] = deque()
        self._reading: Awaited | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()  # its lock lets a signal handler in

    def ask(self, wanted: Sequence[Awaited], end: float) -> None:
        """Have `wanted` read, and wait for it until `end`, of ``time.monotonic()``.

        Afterwards each one is read, or late, or given up because too many are. Where something
        that was asked for earlier is late already, this does not wait.
        """
        with self._changed:
            waits = not any(one.is_late for one in (*self._pending(), self._reading) if one)
            for one in wanted:
                pending = self._pending()
                later = [old for old in pending if old.name == one.name and old.step > one.step]
                self._give_up(later, "was logged again at an earlier step")
            self._queue.extend(wanted)
            try:
                self._begin()
                self._changed.notify_all()
                if waits:
                    self._changed.wait_for(
                        lambda: all(one.is_read or one.is_given_up for one in wanted),
                        max(0.0, end - time.monotonic()),
                    )
            finally:  # the loop may be interrupted
                late = [one for one in wanted if not one.is_read]
                for one in late:
                    one.is_late = True
                too_many = max(0, len(self._queue) - MOST)
                self._give_up(late[::-1][:too_many], f"would be the {MOST + 1}th to wait")

    def overtake(self, names: Iterable[str]) -> None:
        """Give up what is late of these metrics, because newer numbers of them are there."""
        if not self._queue:
            return
        with self._changed:
            newer = set(names)
            self._give_up(
                [one for one in self._pending() if one.is_late and one.name in newer],
                "came after a newer number",
            )

    def finish(self, limit: float) -> None:
        """Wait `limit` seconds for what is pending; give up what has not come by then."""
        with self._changed:
            self._changed.wait_for(lambda: not self._queue, limit)
            self._give_up(self._pending(), "never came")

    def _pending(self) -> tuple[Awaited, ...]:
        """Return what is queued now: a signal handler that logs may change the queue meanwhile."""
        return tuple(self._queue)

    def _give_up(self, some: Iterable[Awaited], why: str) -> None:
        for one in some:
            if one.is_given_up:  # in a signal handler, just now
                continue
            self._queue.remove(one)
            one.is_given_up = True
            name = "layers" if one.name is None else one.name
            self._failures.add("a late value was left out", f"{name:.80} of step {one.step} {why}")
        self._changed.notify_all()

    def _begin(self) -> None:
        if self._thread is not None or not self._queue:
            return
        self._thread = threading.Thread(target=self._run, name="viz3d-late", daemon=True)
        try:
            start(self._thread)
        except RuntimeError:
            self._thread = None
            self._give_up(self._pending(), "finds no thread to wait for it")

    def _run(self) -> None:
        while self._take():
            pass

    def _take(self) -> bool:
        """Read the next one; say whether there was one. Keeps nothing of it alive."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._queue, IDLE):
                self._thread = None
                return False
            self._reading = one = self._queue[0]
        try:
            found = one.read()
        except BaseException:  # a stranger's; this is not the loop's thread
            found = None
        with self._changed:
            self._reading = None
            if not one.is_given_up:
                one.is_read, one.found = True, found
                if one.is_late:
                    self._write(one)
                self._queue.popleft()  # not before: `overtake` looks at it without the lock
                self._changed.notify_all()
        return True

    def _write(self, one: Awaited) -> None:
        try:
            one.write(one.found)
        except Exception as error:
            self._failures.add(f"a late row of step {one.step} was not recorded", error)
