"""From a bucket to the disk: resumed where it stopped, checked against the listing.

The check is on the whole file, whatever path its bytes took: a resumed answer, an older copy that
the new object may begin with, a server that ignores what it was asked for. What does not fit is
fetched once more from the first byte, and then refused.
"""

from __future__ import annotations

import io
from pathlib import Path
from time import monotonic
from typing import Protocol

from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources import checksum
from viz3d.sources.explain import looks_like_page
from viz3d.sources.faults import PASSING, fault
from viz3d.sources.patience import Deadlines, wait_before
from viz3d.sources.progress import TICK, Meter

# Bytes that are written and checked together.
AT_ONCE = 1 << 18
# How often a download may break off or stall, whatever came in between.
MOST_BREAKS, MOST_STALLS = 20, 3
# How often without a byte.
MOST_TRIES = 3


class Reader(Protocol):
    """The part of a bucket that a transfer needs."""

    deadlines: Deadlines

    def read(self, file: FileInfo, start: int, sink: io.RawIOBase, left: float) -> None:
        """Read stored bytes into `sink`: one try."""


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
