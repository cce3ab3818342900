"""How a copy in the cache is called, and what its name and its file tell."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from viz3d.run import FileInfo

# Longer numbers are hashed like any other text, so that no tag stands for two generations.
_DIGITS = re.compile(r"[0-9]{1,20}")
_NAME = re.compile(r"[0-9a-f]{64}-([0-9]{1,20}|[0-9a-f]{32})-([0-9]{1,20})-([0-9a-f]{8})")
# Seconds: how often a use is noted on the disk.
NOTE_USE = 60.0


@dataclass(frozen=True)
class Entry:
    """One copy.

    Attributes
    ----------
    path : pathlib.Path
    generation : str
        Digits, or what stands for others.
    size, crc32c : int
        Of the bytes on the disk, which are the decoded ones of an object stored compressed.
    fetched : float
        Seconds since 1970.
    """

    path: Path
    generation: str
    size: int
    crc32c: int
    fetched: float


@dataclass(frozen=True)
class Info:
    """What the cache holds.

    Attributes
    ----------
    folder : str
    files, bytes : int
    parts, part_bytes : int
        Downloads that are under way, or were stopped and can go on.
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
    """What a check of every copy found.

    Attributes
    ----------
    checked : int
    bad : list of str
        Names of copies that do not hold what they say, which are gone, or cannot be read.
    """

    checked: int
    bad: list[str]


def key_of(bucket: str, path: str) -> str:
    """Return the key of an object: a hash, so that no name can lead anywhere."""
    return hashlib.sha256(f"{bucket}\0{path}".encode("utf-8", "surrogatepass")).hexdigest()


def tag(generation: str) -> str:
    """Return a generation as part of a file name."""
    if _DIGITS.fullmatch(generation):
        return generation
    return hashlib.sha256(generation.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def order(generation: str) -> int:
    """Return what the generations of copies are ordered by: the service counts them up."""
    return int(generation) if _DIGITS.fullmatch(generation) else 0


def name_of(key: str, tagged: str, size: int, crc32c: int) -> str:
    """Return the name of a copy: whose it is and what it must hold."""
    return f"{key}-{tagged}-{size}-{crc32c:08x}"


def read_name(path: Path) -> Entry | None:
    """Read what the name of a copy says; None for a file that is no copy, or is gone."""
    match = _NAME.fullmatch(path.name)
    try:
        if match:
            return Entry(path, match[1], int(match[2]), int(match[3], 16), path.stat().st_mtime)
    except OSError:
        pass
    return None


def fits(entry: Entry, file: FileInfo) -> bool:
    """Say whether a copy agrees with the listing, as far as that knows its bytes.

    An object's encoding can be changed without a new generation. The copy of one that is stored
    compressed is decoded, so it is never what is stored, unless that is nothing at all.
    """
    if file.crc32c is None:
        return True
    as_stored = (entry.size, entry.crc32c) == (file.size, file.crc32c)
    decoded = file.encoding == "gzip" and file.size > 0
    return as_stored != decoded


def state(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file does.

    Raises
    ------
    OSError
    """
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def last_used(path: Path) -> float:
    """Return when a file was fetched or used last, seconds since 1970.

    Raises
    ------
    OSError
    """
    found = path.stat()
    return max(found.st_atime, found.st_mtime)


def note_use(path: Path) -> None:
    """Note, now and then, that a copy is used: by its access time, whatever the mount does to that.

    The other time, of the last change, says when it was fetched.
    """
    with suppress(OSError):
        found, now = path.stat(), time.time_ns()
        if abs(now - found.st_atime_ns) > NOTE_USE * 1e9:
            os.utime(path, ns=(now, found.st_mtime_ns))


@contextmanager
def unused(path: Path) -> Iterator[None]:
    """Leave the time of the last use as it is, whatever is read within.

    Raises
    ------
    OSError
        If the file is not there.
    """
    found = path.stat()
    yield
    with suppress(OSError):
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def size_of(path: Path) -> int:
    """Return the size of a file; 0 for what is gone."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def inside(folder: Path, prefix: str = "") -> list[Path]:
    """Return what is in a folder and begins so; nothing where it is none or cannot be read."""
    try:
        return [folder / name for name in os.listdir(folder) if name.startswith(prefix)]  # noqa: PTH208 - no path for each of thousands that are not wanted
    except OSError:
        return []
