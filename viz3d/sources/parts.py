"""Files of the cache that are not finished: claimed, resumed, unpacked and swept."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from viz3d.errors import BucketError
from viz3d.sources import checksum
from viz3d.sources.landing import SUFFIX, temporary

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows refuses to remove a file that is open, which serves as well
    fcntl = None

RESUMABLE = ".part"
# Seconds after which a stopped download is given up, and a stray where there are no locks.
KEEP_PART, KEEP_STRAY = 86_400.0, 3_600.0
# Compressed objects: as far as one may unpack.
MAX_RATIO, MAX_UNPACKED = 200, 1024 * 1024 * 1024


@contextmanager
def writing(folder: Path, stem: str, begun: Path | None = None) -> Iterator[Path]:
    """Hand out a new file that `sweep` leaves alone while this process lives; then it is removed.

    Parameters
    ----------
    folder : pathlib.Path
    stem : str
    begun : pathlib.Path, optional
        A file to go on with, if it is there: the rename succeeds for one process alone.

    Raises
    ------
    OSError
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mine = temporary(folder, stem)
    if begun is not None:
        with suppress(OSError):
            begun.rename(mine)
    handle = os.open(mine, os.O_RDWR | os.O_CREAT, 0o600)
    locked = _lock(handle)
    if not locked:
        os.close(handle)  # Windows does not rename a file that is open
    try:
        yield mine
    finally:
        if locked:
            os.close(handle)
        with suppress(OSError):
            mine.unlink()


@contextmanager
def claim(folder: Path, key: str) -> Iterator[Path]:
    """Hand out a file for one download, with what an earlier try left of it.

    On leaving, what is in the file is left for the next try, unless it was taken away.

    Raises
    ------
    OSError
    """
    resumable = folder / f"{key}{RESUMABLE}"
    with writing(folder, key, resumable) as mine:
        try:
            yield mine
        finally:
            with suppress(OSError):
                if mine.stat().st_size:
                    mine.replace(resumable)


def sweep(folder: Path) -> None:
    """Remove what processes that are gone left behind; their downloads can go on.

    A writer holds a lock on its file, so what can be locked belongs to nobody. Correctness does not
    depend on it: a file that is swept too early costs one download.
    """
    for path in list(folder.glob(f"*{SUFFIX}")):
        with suppress(OSError):
            if not is_written(path):
                key = path.name.split(".")[0]
                resumable = folder / f"{key}{RESUMABLE}"
                if path.stat().st_size and len(key) == 64 and not resumable.exists():
                    path.replace(resumable)
                else:
                    path.unlink()
    for path in list(folder.glob(f"*{RESUMABLE}")):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > KEEP_PART:
                path.unlink()


def unpack(packed: Path, into: Path, name: str) -> tuple[int, int]:
    """Decode an object that is stored compressed; return the checksum and the size of the result.

    Parameters
    ----------
    packed, into : pathlib.Path
    name : str
        Of the object, for messages.

    Raises
    ------
    BucketError
        If it is cut or no gzip, or unpacks to more than 200 times its size or 1 GiB.
    OSError
    """
    limit = min(max(MAX_RATIO * packed.stat().st_size, checksum.BLOCK), MAX_UNPACKED)
    crc = size = 0
    with packed.open("rb") as source, into.open("wb") as out:
        try:
            for block in _unpacked(source):
                crc, size = checksum.extend(crc, block), size + len(block)
                if size > limit:
                    raise BucketError(
                        "too_large",
                        f"{name} is stored compressed and unpacks to more than {limit:,} bytes, "
                        "so it was not opened.",
                        "Store it uncompressed if it is a log.",
                    )
                out.write(block)
        except (zlib.error, EOFError) as error:
            raise BucketError(
                "corrupt",
                f"{name} is stored as gzip and cannot be unpacked.",
                "Upload it again.",
            ) from error
    return crc, size


def _unpacked(source: BinaryIO) -> Iterator[bytes]:
    """Yield the decoded bytes of one or more gzip members, a bounded block at a time."""
    member = zlib.decompressobj(wbits=31)
    data = source.read(checksum.BLOCK)
    while data:
        yield member.decompress(data, checksum.BLOCK)
        data = member.unconsumed_tail
        if member.eof:
            data = member.unused_data or source.read(checksum.BLOCK)
            if data:
                member = zlib.decompressobj(wbits=31)
        elif not data:
            data = source.read(checksum.BLOCK)
    if not member.eof:
        raise EOFError


def _lock(handle: int) -> bool:
    """Lock a file for as long as it is open; say whether that was to be had."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_written(path: Path) -> bool:
    """Say whether a process is writing the file, as far as that can be known."""
    if fcntl is None:
        return time.time() - path.stat().st_mtime < KEEP_STRAY
    handle = os.open(path, os.O_RDWR)
    try:
        return not _lock(handle)
    finally:
        os.close(handle)
