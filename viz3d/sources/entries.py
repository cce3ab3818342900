"""How a copy in the cache is called, and what its name and its file tell."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from viz3d.run import FileInfo


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


def key_of(bucket: str, path: str) -> str:
    """Return the key of an object: a hash, so that no name can lead anywhere."""
    return hashlib.sha256(f"{bucket}\0{path}".encode("utf-8", "surrogatepass")).hexdigest()


def tag(generation: str) -> str:
    """Return a generation as part of a file name."""
    if generation.isascii() and generation.isdigit() and len(generation) <= 20:
        return generation
    return hashlib.sha256(generation.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def order(tag: str) -> int:
    """Return what generations are ordered by: the service counts them up."""
    return int(tag) if tag.isdigit() and len(tag) <= 20 else 0


def read_name(path: Path) -> Entry | None:
    """Read what the name of a copy says; None for a file that is no copy."""
    try:
        generation, size, crc = path.name.split("-")
        return Entry(path, generation, int(size), int(crc, 16), path.stat().st_mtime)
    except (ValueError, OSError):
        return None


def fits(entry: Entry, file: FileInfo) -> bool:
    """Say whether a copy agrees with the listing, as far as that knows its bytes."""
    if file.encoding or file.crc32c is None:
        return True
    return (entry.size, entry.crc32c) == (file.size, file.crc32c)


def state(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file does.

    Raises
    ------
    OSError
    """
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def last_used(path: Path) -> float:
    """Return when a copy was fetched or used last, seconds since 1970."""
    try:
        found = path.stat()
    except OSError:
        return 0.0
    return max(found.st_atime, found.st_mtime)


def size_of(path: Path) -> int:
    """Return the size of a file; 0 for a folder or what is gone."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
