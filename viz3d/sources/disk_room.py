"""Room on the disk for copies: the least recently used go where more than the limit is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import monotonic

from viz3d.sources import parts
from viz3d.sources.copies import Copies
from viz3d.sources.entries import last_used, size_of

# Seconds: what was used so lately is not evicted.
IN_USE = 600.0
# The whole is measured when a hundredth of the limit was stored since, or so many seconds ago.
MEASURE_AFTER = 60.0


class DiskRoom:
    """What copies and parts may take on the disk; other processes store and evict too.

    Parameters
    ----------
    copies : Copies
    unfinished : pathlib.Path
        The folder of what is being written, or was when a download stopped.
    limit : int
        Bytes; no copy that was used within ten minutes goes for it.
    """

    def __init__(self, copies: Copies, unfinished: Path, limit: int) -> None:
        self._copies, self._parts, self._limit = copies, unfinished, limit
        self._measuring = Lock()
        self._stored, self._measured = 0, float("-inf")

    def make(self, bytes_needed: int) -> bool:
        """Evict what is not in use until so many bytes are gone; say whether anything went."""
        freed = self._evict(self._evictable(), bytes_needed)
        if freed < bytes_needed:
            # A download that was stopped a moment ago, too; not that of the object which needs the
            # room, of which less is here than all.
            large = [path for path in parts.resumable(self._parts) if size_of(path) > bytes_needed]
            freed += sum(self._copies.remove(path) for path in large[:1])
        return freed > 0

    def keep_to_limit(self, stored: int) -> None:
        """Evict, now and then, what is over the limit, now that so many bytes more are stored."""
        self._stored += stored
        due = self._stored > self._limit // 100 or monotonic() - self._measured > MEASURE_AFTER
        if due and self._measuring.acquire(blocking=False):
            try:
                self._stored, self._measured = 0, monotonic()
                parts.sweep(self._parts)
                files = self._evictable()
                self._evict(files, sum(size for *_, size, _ in files) - self._limit)
            finally:
                self._measuring.release()

    def _evictable(self) -> list[tuple[bool, float, int, Path]]:
        """Return everything that takes space, what goes first first: parts, then the least used."""
        stopped = [(False, path) for path in parts.resumable(self._parts)]
        found = []
        for is_copy, path in [*stopped, *((True, entry.path) for entry in self._copies)]:
            with suppress(OSError):  # gone, or nothing is known of it and so it stays
                found.append((is_copy, last_used(path), size_of(path), path))
        return sorted(found)

    def _evict(self, files: Sequence[tuple[bool, float, int, Path]], wanted: int) -> int:
        """Remove files that are not in use until `wanted` bytes are gone."""
        freed = 0
        for *_, path in files:
            if freed >= wanted:
                break
            with suppress(OSError):
                # Asked again: it may have been used since. A time to come is a clock's fault.
                if abs(time.time() - last_used(path)) > IN_USE:
                    freed += self._copies.remove(path)
        return freed
