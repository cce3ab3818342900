"""The copies in a folder, each under a name that says what it must hold."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from viz3d.run import FileInfo
from viz3d.sources import checksum, private
from viz3d.sources.entries import (
    Entry,
    Verified,
    fits,
    inside,
    key_of,
    name_of,
    note_use,
    order,
    read_name,
    size_of,
    state,
    tag,
    unused,
)  # fmt: skip
from viz3d.sources.landing import land

# A page may still be reading the generation before the newest.
GENERATIONS = 2


class Copies:
    """Copies of objects: found, checked, kept and removed; see `viz3d.sources.cache`.

    Parameters
    ----------
    folder : pathlib.Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked: dict[Path, tuple[int, int, int]] = {}

    def __iter__(self) -> Iterator[Entry]:
        for shard in inside(self._folder):
            for path in inside(shard):
                entry = read_name(path)
                if entry:
                    yield entry

    def find(self, bucket: str, file: FileInfo) -> Path | None:
        """Return the copy of exactly this generation, or None; see `Cache.find`."""
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

    def keep(self, bucket: str, file: FileInfo, temp: Path, crc32c: int, size: int) -> Path:
        """Give a file its final name, if what is on the disk is what was to be written.

        Generations before the one before it are removed.

        Raises
        ------
        OSError
        """
        found = state(temp)
        if checksum.of_file(temp) != (crc32c, size):
            raise OSError(errno.EIO, "what was written reads back differently")
        key = key_of(bucket, file.path)
        final = self._shard(key) / name_of(key, tag(file.generation), size, crc32c)
        self._land(temp, final)
        self._checked[final] = found
        self._forget_older(bucket, file.path, final)
        return final

    def remove(self, path: Path) -> int:
        """Remove a file, return its size; where another program holds it open it stays, for 0."""
        size = size_of(path)
        with suppress(OSError):
            path.unlink()
            self._checked.pop(path, None)
            return size
        return 0

    def verify(self) -> Verified:
        """Read every copy again and remove those that do not hold what their names say."""
        checked, bad = 0, []
        for entry in self:
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

    def _shard(self, key: str) -> Path:
        """Return the folder that a key's copies lie in.

        Sixteen of them: to make one for each object cost more than to fetch a small one.
        """
        return self._folder / key[0]

    def _entries(self, key: str) -> list[Entry]:
        """Return the copies of an object, newest first."""
        entries = (read_name(path) for path in inside(self._shard(key), f"{key}-"))
        return sorted(
            (entry for entry in entries if entry),
            key=lambda entry: (order(entry.generation), entry.fetched),
            reverse=True,
        )

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
                self.remove(entry.path)
            return False
        self._checked[entry.path] = found
        return True

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
            self.remove(other)
