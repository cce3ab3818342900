"""Verified copies of bucket objects on this computer's disk.

The name of a copy says what it must hold, ``generation-size-crc32c``, so that no second file can
disagree with it. It gets that name by a rename, after its bytes were checked and synced; until then
it is a part with a name of its own. No lock is needed for any of this to be right: two processes
that fetch one object write two parts, and the last rename wins with the same bytes.

::

    <folder>/v1/objects/ab/<SHA-256 of bucket and name>/<generation>-<size>-<crc32c>
    <folder>/v1/parts/…        what is being written, and what a stopped download left
    <folder>/v1/listings/…     the last listing of each source
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from viz3d.run import FileInfo, Problem
from viz3d.sources import checksum, parts, snapshot
from viz3d.sources.entries import (
    Entry,
    fits,
    key_of,
    last_used,
    order,
    read_name,
    size_of,
    state,
    tag,
)
from viz3d.sources.faults import fault
from viz3d.sources.landing import land, temporary

LAYOUT = "v1"
DEFAULT_LIMIT = 10_000_000_000
# A page may still be reading the generation before the newest.
GENERATIONS = 2
# Seconds: what was used so lately is not evicted, and how often a use is noted on the disk.
IN_USE, NOTE_USE = 600.0, 60.0


@dataclass(frozen=True)
class Info:
    """What the cache holds.

    Attributes
    ----------
    folder : str
    files, bytes : int
    parts, part_bytes : int
        Downloads that were stopped and can go on.
    limit : int
        Bytes.
    """

    folder: str
    files: int
    bytes: int
    parts: int
    part_bytes: int
    limit: int


@dataclass(frozen=True)
class Verified:
    """What a check of every copy found; the bad ones are gone.

    Attributes
    ----------
    checked : int
    bad : list of str
        Names of copies that did not hold what they say.
    """

    checked: int
    bad: list[str]


class Cache:
    """See the module. Use `open`, which sees to the folder and its rights.

    Parameters
    ----------
    folder : pathlib.Path
        With the layout's version as its last part.
    limit : int
        Bytes; the least recently used copies go first.
    problems : sequence of Problem
        What was wrong with the folder that was asked for.
    """

    def __init__(self, folder: Path, limit: int, problems: Sequence[Problem] = ()) -> None:
        self.folder, self.limit, self.problems = folder, limit, tuple(problems)
        self._checked: dict[Path, tuple[int, int, int]] = {}
        self._lock = Lock()
        self._size: int | None = None

    @classmethod
    def open(cls, folder: str | Path = "", limit: int = DEFAULT_LIMIT) -> Cache:
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
        """
        wanted = Path(folder).expanduser() if folder else _users_own()
        try:
            _make_private(wanted)
            root, problems = wanted / LAYOUT, []
        except OSError as error:
            reason = error.strerror or str(error)
            found = fault("cache_unwritable", reason=reason)
            root = Path(tempfile.mkdtemp(prefix="viz3d-")) / LAYOUT
            atexit.register(shutil.rmtree, root.parent, ignore_errors=True)
            said = f"{found.what} Downloads are kept until the program ends."
            problems = [Problem(said, found.remedy)]
        for part in ("objects", "parts", "listings"):
            (root / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        cache = cls(root, limit, problems)
        parts.sweep(cache.folder / "parts")
        return cache

    def find(self, bucket: str, file: FileInfo) -> Path | None:
        """Return the copy of exactly this generation, or None.

        Its size and checksum are compared with its name at its first use and whenever the file has
        changed since; a copy that differs is removed.
        """
        for entry in self._entries(bucket, file.path):
            if entry.generation == tag(file.generation) and fits(entry, file):
                return entry.path if self._is_good(entry) else None
        return None

    def newest(self, bucket: str, path: str) -> Entry | None:
        """Return the last good copy of an object, whatever its generation, or None."""
        return next((entry for entry in self._entries(bucket, path) if self._is_good(entry)), None)

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
        with parts.claim(self.folder / "parts", key) as path:
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
            with parts.writing(self.folder / "parts", "unpacked") as unpacked:
                crc32c, size = parts.unpack(temp, unpacked, file.path)
                final = self._land(unpacked, bucket, file, f"{size}-{crc32c:08x}")
            temp.unlink(missing_ok=True)
        else:
            final = self._land(temp, bucket, file, f"{size}-{crc32c:08x}")
        with self._lock:
            self._checked[final] = state(final)
            if self._size is not None:
                self._size += size
        self._forget_older(bucket, file.path)
        self._keep_to_limit()
        return final

    def _land(self, temp: Path, bucket: str, file: FileInfo, holds: str) -> Path:
        folder = self._folder(bucket, file.path)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        final = folder / f"{tag(file.generation)}-{holds}"
        land(temp, final)
        return final

    def make_room(self, bytes_needed: int) -> bool:
        """Evict copies until so many bytes are gone; say whether anything went."""
        return self._evict(bytes_needed) > 0

    def info(self) -> Info:
        """Return what the cache holds."""
        entries = list(self._all())
        stopped = [path for path in (self.folder / "parts").glob("*") if path.is_file()]
        return Info(
            folder=str(self.folder.parent),
            files=len(entries),
            bytes=sum(entry.size for entry in entries),
            parts=len(stopped),
            part_bytes=sum(size_of(path) for path in stopped),
            limit=self.limit,
        )

    def verify(self) -> Verified:
        """Read every copy again and remove those that do not hold what their names say."""
        self._checked.clear()
        entries = list(self._all())
        bad = [entry.path.name for entry in entries if not self._is_good(entry)]
        return Verified(len(entries), bad)

    def clear(self) -> int:
        """Remove every copy, part and listing; return the bytes that this freed.

        What another process is writing at this moment stays.
        """
        freed = 0
        for part in ("objects", "parts", "listings"):
            for path in sorted((self.folder / part).rglob("*"), reverse=True):
                size = size_of(path)
                with suppress(OSError):
                    if path.is_dir():
                        path.rmdir()
                    elif part != "parts" or not parts.is_written(path):
                        path.unlink()
                        freed += size
        self._checked.clear()
        self._size = None
        return freed

    def save_listing(self, key: str, files: Sequence[FileInfo], when: float) -> None:
        """Keep a listing for the time when the bucket cannot be asked.

        Raises
        ------
        OSError
        """
        with parts.writing(self.folder / "parts", "listing") as temp:
            snapshot.write(temp, files, when)
            final = self._listing(key)
            final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            land(temp, final)

    def load_listing(self, key: str) -> tuple[list[FileInfo], float] | None:
        """Return the listing that was kept and when it was made, or None."""
        return snapshot.read(self._listing(key))

    def _folder(self, bucket: str, path: str) -> Path:
        key = key_of(bucket, path)
        return self.folder / "objects" / key[:2] / key

    def _listing(self, key: str) -> Path:
        return self.folder / "listings" / f"{key_of(key, '')}.json"

    def _entries(self, bucket: str, path: str) -> list[Entry]:
        """Return the copies of an object, newest first."""
        try:
            found = list(self._folder(bucket, path).iterdir())
        except OSError:
            return []
        entries = (read_name(path) for path in found)
        return sorted(
            (entry for entry in entries if entry),
            key=lambda entry: (order(entry.generation), entry.fetched),
            reverse=True,
        )

    def _all(self) -> Iterator[Entry]:
        for path in (self.folder / "objects").glob("*/*/*"):
            entry = read_name(path)
            if entry:
                yield entry

    def _is_good(self, entry: Entry) -> bool:
        """Compare a copy with its name, once for each state of the file; note that it was used."""
        try:
            found = state(entry.path)
            if self._checked.get(entry.path) != found:
                if checksum.of_file(entry.path) != (entry.crc32c, entry.size):
                    entry.path.unlink(missing_ok=True)
                    return False
                self._checked[entry.path] = found
            self._note_use(entry.path)
        except OSError:
            return False
        return True

    def _note_use(self, path: Path) -> None:
        """Set the access time, by which the least recently used is known, now and then."""
        found, now = path.stat(), time.time()
        if abs(now - found.st_atime) > NOTE_USE:
            with suppress(OSError):
                os.utime(path, ns=(int(now * 1e9), found.st_mtime_ns))

    def _forget_older(self, bucket: str, path: str) -> None:
        for entry in self._entries(bucket, path)[GENERATIONS:]:
            self._remove(entry)

    def _remove(self, entry: Entry) -> int:
        """Remove a copy; where another program holds it open it stays, and counts as nothing."""
        try:
            entry.path.unlink()
        except OSError:
            return 0
        with self._lock:
            self._checked.pop(entry.path, None)
            if self._size is not None:
                self._size -= entry.size
        return entry.size

    def _keep_to_limit(self) -> None:
        if self._size is None:
            self._size = sum(entry.size for entry in self._all())
        if self._size > self.limit:
            # Other processes store and evict too: count again before anything goes.
            self._size = sum(entry.size for entry in self._all())
            self._evict(self._size - self.limit)

    def _evict(self, wanted: int) -> int:
        """Remove the least recently used copies until `wanted` bytes are gone."""
        freed, now = 0, time.time()
        used = sorted((last_used(entry.path), entry.path.name, entry) for entry in self._all())
        for last, _, entry in used:
            if freed >= wanted:
                break
            if now - last > IN_USE:
                freed += self._remove(entry)
        return freed


def _users_own() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("viz3d", appauthor=False)


def _make_private(folder: Path) -> None:
    """Make a folder that its owner alone can enter.

    Raises
    ------
    OSError
        If it belongs to somebody else, is a link, or cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink():
        raise PermissionError(1, "it is a link to another folder")
    if hasattr(os, "getuid"):
        if folder.stat().st_uid != os.getuid():
            raise PermissionError(1, "it belongs to another user")
        folder.chmod(0o700)
    probe = temporary(folder, "probe")
    probe.touch(mode=0o600)
    probe.unlink()
