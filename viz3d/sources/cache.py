"""Verified copies of bucket objects on this computer's disk.

The name of a copy says what it must hold, ``key-generation-size-crc32c``, so that no second file
can disagree with it. It gets that name by a rename, after its bytes were read back and synced;
until then it is a part with a name of its own. No lock is needed for any of this to be right: two
processes that fetch one object write two parts, and the last rename wins with the same bytes.

::

    <folder>/v1/objects/a/<SHA-256 of bucket and name>-<generation>-<size>-<crc32c>
    <folder>/v1/parts/…        what is being written, and what a stopped download left
    <folder>/v1/listings/…     the last listing of each source
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from time import monotonic

from viz3d.run import FileInfo, Problem
from viz3d.settings import CACHE_BYTES
from viz3d.sources import checksum, parts, private, snapshot
from viz3d.sources.entries import (
    Entry,
    Info,
    Verified,
    fits,
    inside,
    key_of,
    last_used,
    name_of,
    note_use,
    order,
    read_name,
    size_of,
    state,
    tag,
    unused,
)
from viz3d.sources.faults import fault
from viz3d.sources.landing import land

LAYOUT, PARTS = "v1", "parts"
# A page may still be reading the generation before the newest.
GENERATIONS = 2
# Seconds: what was used so lately is not evicted.
IN_USE = 600.0
# The whole is measured when a hundredth of the limit was stored since, or so many seconds ago.
MEASURE_AFTER = 60.0


class Cache:
    """See the module. Use `open`, which sees to the folder and its rights.

    Threads and processes may share one. Nothing that another one does, a full disk or a crash makes
    it hand out wrong bytes or lose a good copy; a copy that somebody removed is fetched again.

    Parameters
    ----------
    folder : pathlib.Path
        With the layout's version as its last part.
    limit : int
        Bytes; the least recently used copies go first, and none that was used within ten minutes.
    problems : sequence of Problem
        What was wrong with the folder that was asked for.
    """

    def __init__(self, folder: Path, limit: int, problems: Sequence[Problem] = ()) -> None:
        self.folder, self.limit, self.problems = folder, limit, tuple(problems)
        self._checked: dict[Path, tuple[int, int, int]] = {}
        self._measuring = Lock()
        self._stored, self._measured = 0, float("-inf")

    @classmethod
    def open(cls, folder: str | Path = "", limit: int = CACHE_BYTES) -> Cache:
        """Open a cache and sweep what earlier processes left half done.

        Parameters
        ----------
        folder : path
            By default the user's own cache folder.
        limit : int
            Bytes.

        Returns
        -------
        Cache
            In a private temporary folder, with a problem that says so, where `folder` is not ours
            to write.

        Raises
        ------
        BucketError
            If no folder can be written at all.
        """
        problems = []
        try:
            root = private.open_layout(folder, LAYOUT)
            parts.try_out(root / PARTS)
        except OSError as error:
            found = fault("cache_unwritable", reason=error.strerror or type(error).__name__)
            said = f"{found.what} Downloads are kept until the program ends."
            problems.append(Problem(said, found.remedy))
            root = private.open_temporary(LAYOUT)
        cache = cls(root, limit, problems)
        parts.sweep(cache._parts)
        return cache

    def find(self, bucket: str, file: FileInfo) -> Path | None:
        """Return the copy of exactly this generation, or None.

        Its size and checksum are compared with its name at its first use and whenever the file has
        changed since; a copy that differs is removed.
        """
        key, wanted = key_of(bucket, file.path), tag(file.generation)
        if file.crc32c is None or file.encoding:
            here = [entry for entry in self._entries(key) if entry.generation == wanted]
        else:  # its whole name is known, so that nothing has to be listed
            named = read_name(self._shard(key) / name_of(key, wanted, file.size, file.crc32c))
            here = [named] if named else []
        for entry in here:
            if fits(entry, file) and self._is_good(entry):
                return entry.path
        return None

    def newest(self, bucket: str, path: str) -> Entry | None:
        """Return the last good copy of an object, whatever its generation, or None."""
        entries = self._entries(key_of(bucket, path))
        return next((entry for entry in entries if self._is_good(entry)), None)

    @contextmanager
    def part(self, bucket: str, file: FileInfo) -> Iterator[Path]:
        """Hand out a file to write the stored bytes of one generation into.

        It holds what an earlier try left. What is in it on leaving is kept for the next one,
        unless `store` took it.

        Raises
        ------
        OSError
        """
        key = key_of(bucket, f"{file.path}\0{tag(file.generation)}")
        with parts.claim(self._parts, key) as path:
            yield path

    def store(self, bucket: str, file: FileInfo, temp: Path, crc32c: int, size: int) -> Path:
        """Keep what was fetched and verified.

        Parameters
        ----------
        bucket : str
        file : FileInfo
        temp : pathlib.Path
            The stored bytes, as `part` handed it out.
        crc32c, size : int
            Of the stored bytes.

        Returns
        -------
        pathlib.Path
            Of the copy, decoded if the object is stored compressed.

        Raises
        ------
        BucketError
            If it cannot be decoded, or unpacks to more than is allowed.
        OSError
        """
        if file.encoding == "gzip":
            with parts.writing(self._parts, "unpacked") as unpacked:
                crc32c, size = parts.unpack(temp, unpacked, file.path)
                final = self._keep(bucket, file, unpacked, crc32c, size)
            temp.unlink(missing_ok=True)
        else:
            final = self._keep(bucket, file, temp, crc32c, size)
        self._forget_older(bucket, file.path, final)
        self._keep_to_limit(size)
        return final

    def keep(self, bucket: str, file: FileInfo, data: bytes) -> Path:
        """Keep what was made here as the copy of one generation.

        Raises
        ------
        OSError
        """
        with parts.writing(self._parts, "made") as temp:
            temp.write_bytes(data)
            final = self._keep(bucket, file, temp, checksum.extend(0, data), len(data))
        self._forget_older(bucket, file.path, final)
        self._keep_to_limit(len(data))
        return final

    def make_room(self, bytes_needed: int) -> bool:
        """Evict until so many bytes are gone; say whether anything went."""
        freed = self._evict(self._evictable(), bytes_needed)
        if freed < bytes_needed:
            # A download that was stopped a moment ago, too; not that of the object which needs the
            # room, of which less is here than all.
            large = [path for path in parts.resumable(self._parts) if size_of(path) > bytes_needed]
            freed += sum(self._remove(path) for path in large[:1])
        return freed > 0

    def info(self) -> Info:
        """Return what the cache holds."""
        entries = list(self._all())
        unfinished = [path for path in inside(self._parts) if path.is_file()]
        return Info(
            folder=str(self.folder.parent),
            files=len(entries),
            bytes=sum(entry.size for entry in entries),
            parts=len(unfinished),
            part_bytes=sum(size_of(path) for path in unfinished),
            limit=self.limit,
        )

    def verify(self) -> Verified:
        """Read every copy again and remove those that do not hold what their names say."""
        checked, bad = 0, []
        for entry in self._all():
            try:
                with unused(entry.path):
                    good = self._holds(entry, anew=True)
            except FileNotFoundError:  # evicted meanwhile
                continue
            except OSError:
                good = False
            checked += 1
            if not good:
                bad.append(entry.path.name)
        return Verified(checked, bad)

    def clear(self) -> int:
        """Remove every copy, part and listing; return the bytes that this freed.

        What is being written at this moment stays, and so does every file that is not ours.
        """
        freed = sum(self._remove(entry.path) for entry in self._all())
        listings = (path for path in inside(self._listings) if path.suffix == ".json")
        freed += sum(self._remove(path) for path in listings)
        return freed + parts.clear(self._parts)

    def save_listing(self, key: str, files: Sequence[FileInfo], when: float) -> None:
        """Keep a listing for the time when the bucket cannot be asked.

        Parameters
        ----------
        key : str
            Of what was listed.
        files : sequence of FileInfo
        when : float
            Seconds since 1970.

        Raises
        ------
        OSError
        """
        with parts.writing(self._parts, "listing") as temp:
            snapshot.write(temp, files, when)
            private.make(self._listings)
            land(temp, self._listing(key))

    def load_listing(self, key: str) -> tuple[list[FileInfo], float] | None:
        """Return the listing that was kept and when it was made, or None."""
        return snapshot.read(self._listing(key))

    @property
    def _parts(self) -> Path:
        return self.folder / PARTS

    @property
    def _listings(self) -> Path:
        return self.folder / "listings"

    def _listing(self, key: str) -> Path:
        return self._listings / f"{key_of(key, '')}.json"

    def _shard(self, key: str) -> Path:
        """Return the folder that a key's copies lie in.

        Sixteen of them: to make one for each object cost more than to fetch a small one.
        """
        return self.folder.joinpath("objects", key[0])

    def _entries(self, key: str) -> list[Entry]:
        """Return the copies of an object, newest first."""
        entries = (read_name(path) for path in inside(self._shard(key), f"{key}-"))
        return sorted(
            (entry for entry in entries if entry),
            key=lambda entry: (order(entry.generation), entry.fetched),
            reverse=True,
        )

    def _all(self) -> Iterator[Entry]:
        for shard in inside(self.folder / "objects"):
            for path in inside(shard):
                entry = read_name(path)
                if entry:
                    yield entry

    def _is_good(self, entry: Entry) -> bool:
        """Say whether a copy holds what its name says, and note that it was used."""
        try:
            good = self._holds(entry)
        except OSError:
            return False
        if good:
            note_use(entry.path)
        return good

    def _holds(self, entry: Entry, *, anew: bool = False) -> bool:
        """Compare a copy with its name, once for each state of the file; remove it if it differs.

        Raises
        ------
        OSError
            If it cannot be read, which says nothing about what it holds.
        """
        found = state(entry.path)
        if not anew and self._checked.get(entry.path) == found:
            return True
        if checksum.of_file(entry.path) != (entry.crc32c, entry.size):
            if state(entry.path) == found:  # else another process has put a good one there
                self._remove(entry.path)
            return False
        self._checked[entry.path] = found
        return True

    def _keep(self, bucket: str, file: FileInfo, temp: Path, crc32c: int, size: int) -> Path:
        """Give a file its final name, if what is on the disk is what was to be written."""
        found = state(temp)
        if checksum.of_file(temp) != (crc32c, size):
            raise OSError(errno.EIO, "what was written reads back differently")
        key = key_of(bucket, file.path)
        final = self._shard(key) / name_of(key, tag(file.generation), size, crc32c)
        self._land(temp, final)
        self._checked[final] = found
        return final

    def _land(self, temp: Path, final: Path) -> None:
        try:
            private.make(final.parent)
            # A copy whose name a power cut takes back is fetched again, which costs less than
            # a sync of the folder for each of a thousand small files.
            land(temp, final, sync_folder=False)
        except PermissionError:
            # Windows replaces no file that is open; what is there under that name is the same.
            there = read_name(final)
            if there is None or not self._holds(there):
                raise
            temp.unlink()

    def _forget_older(self, bucket: str, path: str, latest: Path) -> None:
        """Remove all generations but the newest; that which was just stored stays in any case."""
        entries = self._entries(key_of(bucket, path))
        others = [entry.path for entry in entries if entry.path != latest]
        for other in others[GENERATIONS - 1 :]:
            self._remove(other)

    def _remove(self, path: Path) -> int:
        """Remove a file, return its size; where another program holds it open it stays, for 0."""
        size = size_of(path)
        with suppress(OSError):
            path.unlink()
            self._checked.pop(path, None)
            return size
        return 0

    def _keep_to_limit(self, stored: int) -> None:
        """Evict, now and then, what is over the limit; other processes store and evict too."""
        self._stored += stored
        due = self._stored > self.limit // 100 or monotonic() - self._measured > MEASURE_AFTER
        if due and self._measuring.acquire(blocking=False):
            try:
                self._stored, self._measured = 0, monotonic()
                parts.sweep(self._parts)
                files = self._evictable()
                self._evict(files, sum(size for *_, size, _ in files) - self.limit)
            finally:
                self._measuring.release()

    def _evictable(self) -> list[tuple[bool, float, int, Path]]:
        """Return everything that takes space, what goes first first: parts, then the least used."""
        stopped = [(False, path) for path in parts.resumable(self._parts)]
        found = []
        for is_copy, path in [*stopped, *((True, entry.path) for entry in self._all())]:
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
                    freed += self._remove(path)
        return freed
