"""How far a transfer has come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

# How often progress is shown, and over how long the rate is taken, in seconds.
TICK, RATE_OVER = 0.125, 3.0


@dataclass(frozen=True)
class Progress:
    """A moment of a transfer of several files.

    Attributes
    ----------
    files_done, files : int
    bytes_done, bytes_total : int
        Of what has to be transferred; files that were here already count in neither.
    rate : float
        Bytes per second over the last seconds; 0 while nothing moves.
    unit : str
        ``"rows"`` where rows are counted instead of bytes, because nobody knows their size before.
    """

    files_done: int
    files: int
    bytes_done: int
    bytes_total: int
    rate: float
    unit: str = "bytes"

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return min(self.bytes_done / self.bytes_total, 1.0) if self.bytes_total else 1.0

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take at this rate; None while nothing moves."""
        return (self.bytes_total - self.bytes_done) / self.rate if self.rate > 0 else None


Watch = Callable[[Progress], None]


class Meter:
    """Counts what several threads transfer.

    Parameters
    ----------
    cancel : threading.Event, optional
    unit : str
        What is counted: ``"bytes"`` or ``"rows"``.

    Attributes
    ----------
    cancel : threading.Event
        Set to stop all of them.
    """

    def __init__(self, cancel: threading.Event | None = None, unit: str = "bytes") -> None:
        self._unit = unit
        self.cancel = cancel or threading.Event()
        self._lock = threading.Lock()
        self._bytes = self._total = self._files = self._planned = 0
        self._seen: deque[tuple[float, int]] = deque([(monotonic(), 0)])

    def plan(self, size: int, files: int = 1) -> None:
        """Add bytes that are to come."""
        with self._lock:
            self._total += size
            self._planned += files

    def count(self, size: int) -> None:
        """Count bytes that came, or take back (negative) those that turned out wrong."""
        with self._lock:
            self._bytes += size

    def done(self) -> None:
        """Count a file that is finished, well or not."""
        with self._lock:
            self._files += 1

    def progress(self) -> Progress:
        """Return where things stand."""
        with self._lock:
            now = monotonic()
            self._seen.append((now, self._bytes))
            while len(self._seen) > 2 and now - self._seen[1][0] > RATE_OVER:
                self._seen.popleft()
            then, before = self._seen[0]
            rate = max(self._bytes - before, 0) / (now - then) if now > then else 0.0
            return Progress(
                self._files, self._planned, self._bytes, self._total, rate, self._unit
            )  # fmt: skip
