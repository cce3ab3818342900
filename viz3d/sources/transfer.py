"""From a bucket to the disk: resumed where it stopped, checked against the listing, many at once.

The check is on the whole file, whatever path its bytes took: a resumed answer, an older copy that
the new object may begin with, a server that ignores what it was asked for. What does not fit is
fetched once more from the first byte, and then refused.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, thread_time
from typing import Protocol

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources import checksum
from viz3d.sources.explain import looks_like_page
from viz3d.sources.faults import PASSING, fault
from viz3d.sources.patience import Deadlines, wait_before
from viz3d.sources.progress import Progress, Watch

# Downloads at once: enough to hide the time each request takes to begin, and how many at first.
WORKERS, FEWEST = 16, 1
# A task waited, and did not only take turns with the others, if it took so many times what they
# would have worked meanwhile.
MOSTLY = 1.6
# Bytes that are written and checked together.
AT_ONCE = 1 << 18
# How often progress is shown, and over how long the rate is taken, in seconds.
TICK, RATE_OVER = 0.125, 3.0
# Seconds that cancelled downloads have to put down what came.
LET_GO = 1.0
# How often a download may break off or stall, whatever came in between.
MOST_BREAKS, MOST_STALLS = 20, 3
# How often without a byte.
MOST_TRIES = 3


class Reader(Protocol):
    """The part of a bucket that a transfer needs."""

    deadlines: Deadlines

    def read(self, file: FileInfo, start: int, sink: io.RawIOBase, left: float) -> None:
        """Read stored bytes into `sink`: one try."""


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


class _Sink(io.RawIOBase):
    """Takes the bytes of an answer: writes, counts and checksums them as they come.

    The client hands out 8 kB at a time; they are worked on some at once, which is what makes this
    as fast as a download without any of it.
    """

    def __init__(self, path: Path, crc: int, have: int, file: FileInfo, meter: Meter) -> None:
        self._out = path.open("ab", buffering=0)
        self._file, self._meter = file, meter
        self._waiting: list[bytes] = []
        self._flushed = have
        self.crc, self.have = crc, have
        self.last = monotonic()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if self._meter.cancel.is_set():
            raise fault("cancelled", name=self._file.path)
        if self.have + len(data) > self._file.size:
            raise _Wrong
        self._waiting.append(data)
        self.have += len(data)
        now = monotonic()
        if self.have - self._flushed >= AT_ONCE or now - self.last > TICK:
            self._flush()
        self.last = now
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            try:
                self._flush()
            finally:
                self._out.close()

    def _flush(self) -> None:
        """Write what waits. What cannot be written is not counted as here."""
        data, self._waiting = b"".join(self._waiting), []
        self.have = self._flushed
        left = memoryview(data)
        while left:
            left = left[self._out.write(left) :]
        self.crc = checksum.extend(self.crc, data)
        self.have = self._flushed = self._flushed + len(data)
        self._meter.count(len(data))


class _Wrong(BucketError):
    """The answer is longer or shorter than the object; nothing of it is to be trusted."""

    def __init__(self) -> None:
        super().__init__("corrupt", "The answer is not as long as the object.")


def download(bucket: Reader, file: FileInfo, temp: Path, meter: Meter, where: str) -> int:
    """Fill a file with the stored bytes of one generation of an object.

    Parameters
    ----------
    bucket : Reader
    file : FileInfo
        As the listing says, with the whole name of the object as its path.
    temp : pathlib.Path
        What it holds already is taken for the beginning, and checked with the rest.
    meter : Meter
    where : str
        Address of the bucket, for messages.

    Returns
    -------
    int
        The CRC32C of the stored bytes, which is that of the listing.

    Raises
    ------
    BucketError
        What had come by then stays in `temp`, unless it was wrong.
    OSError
        If `temp` cannot be written.
    """
    if file.crc32c is None:
        raise fault("no_checksum", name=file.path, where=where)
    wrong = 0
    begun_with = temp.stat().st_size if temp.exists() else 0
    while True:
        try:
            crc, size = _fill(bucket, file, temp, meter)
            if (crc, size) == (file.crc32c, file.size):
                return crc
        except _Wrong:
            pass
        with temp.open("r+b") as out:
            page = out.read(200)
            meter.count(begun_with - out.seek(0, io.SEEK_END))
            out.truncate(0)
        # An earlier copy that the object does not begin with is no fault of the network.
        wrong += not begun_with
        meter.plan(begun_with, files=0)
        begun_with = 0
        if wrong > 1:
            if looks_like_page(page) and not file.path.endswith((".html", ".htm")):
                raise fault("portal", where=where)
            raise fault("corrupt", name=file.path, where=where)


def _fill(bucket: Reader, file: FileInfo, temp: Path, meter: Meter) -> tuple[int, int]:
    """Append to `temp` until it is as long as the object; return its checksum and length."""
    temp.touch()
    crc, have = checksum.of_file(temp)
    if have > file.size:
        raise _Wrong
    last, tries = monotonic(), 0
    left = {"stalled": MOST_STALLS}
    while have < file.size:
        if meter.cancel.is_set():
            raise fault("cancelled", name=file.path)
        tries += 1
        with _Sink(temp, crc, have, file, meter) as sink:
            error = None
            try:
                bucket.read(file, have, sink, bucket.deadlines.transfer - (monotonic() - last))
            except BucketError as raised:
                error = raised
        if sink.have > have:
            tries, last = 0, sink.last
        crc, have = sink.crc, sink.have
        if error is None and have < file.size:
            raise _Wrong  # an answer that calls itself whole and is not
        if error is not None and have < file.size:
            left[error.kind] = left.get(error.kind, MOST_BREAKS) - 1
            if not left[error.kind]:
                raise error
            _wait(error, tries, last, bucket.deadlines, meter)
    return crc, have


def _wait(error: BucketError, tries: int, last: float, deadlines: Deadlines, meter: Meter) -> None:
    """Wait before the rest is asked for; raise the error where that is of no use any more."""
    if error.kind not in PASSING or tries > MOST_TRIES:
        raise error
    pause = wait_before(error, max(tries, 1), deadlines)
    budget = deadlines.of(error, deadlines.transfer)
    if pause is None or monotonic() - last + pause >= budget:
        raise error
    meter.cancel.wait(pause)


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
