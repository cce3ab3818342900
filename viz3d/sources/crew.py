"""Many tasks at once, on as many threads as have waiting to share."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic, thread_time

from viz3d.sources.progress import TICK, Meter, Watch

# Downloads at once: enough to hide the time each request takes to begin, and how many at first.
WORKERS, FEWEST = 16, 1
# A task waited, and did not only take turns with the others, if it took so many times what they
# would have worked meanwhile.
MOSTLY = 1.6
# Seconds that cancelled downloads have to put down what came.
LET_GO = 1.0


def all_at_once(
    tasks: Sequence[Callable[[], None]], meter: Meter, watch: Watch | None = None
) -> None:
    """Run tasks on several threads; the progress is shown on the caller's own.

    Parameters
    ----------
    tasks : sequence of callable
        None of them raises.
    meter : Meter
        Once cancelled, no further task begins, and this returns without waiting for those that
        hang in the network: they end at their own deadlines and touch nothing that others see.
    watch : callable, optional

    Raises
    ------
    BaseException
        What `watch` raises, after everything was cancelled; Streamlit ends a script in this way.
    """
    crew = _Crew(tasks, meter)
    shown = 0.0
    try:
        while not meter.cancel.is_set():
            over = crew.wait(TICK)
            if watch and (monotonic() - shown > TICK or over):
                watch(meter.progress())
                shown = monotonic()
            if over:
                return
            crew.grow()
    except BaseException:
        meter.cancel.set()
        raise
    finally:
        if meter.cancel.is_set():
            # What has come is put down within a moment; who hangs in the network is left behind.
            crew.wait(LET_GO)


class _Crew:
    """Threads that work through tasks: as many as there is waiting to share.

    Threads that wait for a service some way off hide each other's waiting; threads that only take
    turns with the interpreter are slower than a few of them (`benchmarks/bucket_download.py`). So
    there are few to begin with, and one more for each task that mostly waited.
    """

    def __init__(self, tasks: Sequence[Callable[[], None]], meter: Meter) -> None:
        self._left, self._meter = deque(tasks), meter
        self._changed = threading.Condition()
        self._started = self._working = self._finished = self._seen = 0
        self._add(FEWEST)

    def wait(self, seconds: float) -> bool:
        """Wait for the end of all threads; say whether it has come."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._working, seconds)

    def grow(self) -> None:
        """Double the crew if no task has ended since the last time: large ones are all waiting."""
        if self._finished == self._seen:
            self._add(self._started)
        self._seen = self._finished

    def _add(self, threads: int) -> None:
        with self._changed:
            threads = min(threads, WORKERS - self._started, len(self._left))
            self._started += threads
            self._working += threads
        for _ in range(threads):
            threading.Thread(target=self._work, name="viz3d-download", daemon=True).start()

    def _work(self) -> None:
        try:
            while self._left and not self._meter.cancel.is_set():
                began, busy = monotonic(), thread_time()
                with suppress(IndexError):  # another thread may have taken the last one
                    self._left.popleft()()
                busy = thread_time() - busy
                self._finished += 1
                if monotonic() - began > MOSTLY * self._started * busy:
                    self._add(1)
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()
