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

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from viz3d.run import FileInfo, Problem
from viz3d.settings import CACHE_BYTES
from viz3d.sources import checksum, parts, private, snapshot
from viz3d.sources.copies import Copies
from viz3d.sources.disk_room import DiskRoom
from viz3d.sources.entries import Entry, Info, Verified, inside, key_of, size_of, tag
from viz3d.sources.faults import fault
from viz3d.sources.landing import land

LAYOUT, PARTS = "v1", "parts"


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
        self._copies = Copies(folder / "objects")
        self._room = DiskRoom(self._copies, self._parts, limit)

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
        return self._copies.find(bucket, file)

    def newest(self, bucket: str, path: str) -> Entry | None:
        """Return the last good copy of an object, whatever its generation, or None."""
        return self._copies.newest(bucket, path)

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
                final = self._copies.keep(bucket, file, unpacked, crc32c, size)
            temp.unlink(missing_ok=True)
        else:
            final = self._copies.keep(bucket, file, temp, crc32c, size)
        self._room.keep_to_limit(size)
        return final

    def keep(self, bucket: str, file: FileInfo, data: bytes) -> Path:
        """Keep what was made here as the copy of one generation.

        Raises
        ------
        OSError
        """
        with parts.writing(self._parts, "made") as temp:
            temp.write_bytes(data)
            final = self._copies.keep(bucket, file, temp, checksum.extend(0, data), len(data))
        self._room.keep_to_limit(len(data))
        return final

    def make_room(self, bytes_needed: int) -> bool:
        """Evict until so many bytes are gone; say whether anything went."""
        return self._room.make(bytes_needed)

    def info(self) -> Info:
        """Return what the cache holds."""
        entries = list(self._copies)
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
        return self._copies.verify()

    def clear(self) -> int:
        """Remove every copy, part and listing; return the bytes that this freed.

        What is being written at this moment stays, and so does every file that is not ours.
        """
        freed = sum(self._copies.remove(entry.path) for entry in self._copies)
        listings = (path for path in inside(self._listings) if path.suffix == ".json")
        freed += sum(self._copies.remove(path) for path in listings)
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
