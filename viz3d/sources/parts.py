"""Files of the cache that are not finished: claimed, resumed, unpacked and swept.

A writer holds a lock on its file, by which `sweep` knows what belongs to nobody. Nothing but
tidiness depends on locks, which do nothing on some network file systems: a file that is swept under
its writer's hands costs one download, because a copy is read back before it gets its name.
"""

from __future__ import annotations

import os
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from viz3d.errors import BucketError
from viz3d.sources import checksum, private
from viz3d.sources.entries import inside, size_of
from viz3d.sources.faults import fault
from viz3d.sources.landing import NO_SPACE, SUFFIX, temporary

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

RESUMABLE = ".part"
# Seconds after which a stopped download is given up, and a stray where there are no locks.
KEEP_PART, KEEP_STRAY = 86_400.0, 3_600.0
# Compressed objects: as far as one may unpack, unless `allow` was told otherwise. A short one may
# reach a megabyte at any ratio.
MAX_RATIO, MAX_UNPACKED = 200, 1024 * 1024 * 1024


def allow(ratio: int, unpacked: int) -> None:
    """Let compressed objects unpack to so many times their size, and so many bytes."""
    global MAX_RATIO, MAX_UNPACKED
    MAX_RATIO, MAX_UNPACKED = ratio, unpacked


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
    private.make(folder)
    mine, handle = _create(folder, stem, begun)
    try:
        yield mine
    finally:
        if handle is not None:
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


def try_out(folder: Path) -> None:
    """Write a file and remove it.

    A full disk is no failure: what is there can be read, and evicted.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    try:
        with writing(folder, "probe"):
            pass
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise


def sweep(folder: Path) -> None:
    """Remove what processes that are gone left behind; their downloads can go on for a day."""
    for path in _files(folder, SUFFIX):
        with suppress(OSError), _unwritten(path) as free:
            if free:
                _give_up(path)
    for path in resumable(folder):
        with suppress(OSError):
            if _age(path) > KEEP_PART:
                path.unlink()


def clear(folder: Path) -> int:
    """Remove everything that nobody is writing now; return the bytes that this freed."""
    freed = 0
    for path in (*_files(folder, SUFFIX), *resumable(folder)):
        size = size_of(path)
        with suppress(OSError), _unwritten(path) as free:
            if free:
                path.unlink()
                freed += size
    return freed


def resumable(folder: Path) -> list[Path]:
    """Return the downloads that were stopped and can go on."""
    return _files(folder, RESUMABLE)


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
        If it is cut or no gzip, or unpacks to more than is allowed.
    OSError
    """
    limit = min(max(MAX_RATIO * packed.stat().st_size, checksum.BLOCK), MAX_UNPACKED)
    crc = size = 0
    with packed.open("rb") as source, into.open("wb") as out:
        try:
            for block in _unpacked(source):
                crc, size = checksum.extend(crc, block), size + len(block)
                if size > limit:
                    raise fault("too_large", name=name, limit=limit)
                out.write(block)
        except (zlib.error, EOFError) as error:
            raise BucketError(
                "corrupt",
                f"{name} is stored as gzip and cannot be unpacked.",
                "Upload it again.",
            ) from error
    return crc, size


def _unpacked(source: BinaryIO) -> Iterator[bytes]:
    """Yield the decoded bytes of any number of gzip members, a bounded block at a time.

    Zeros after a member are padding, as for Python's own gzip module.

    Raises
    ------
    EOFError, zlib.error
    """
    member, data = None, b""
    while data := data or source.read(checksum.BLOCK):
        if member is None:
            data = data.lstrip(b"\0")
            if not data:
                continue
            member = zlib.decompressobj(wbits=31)
        yield member.decompress(data, checksum.BLOCK)
        data = member.unconsumed_tail
        if member.eof:
            data, member = member.unused_data, None
    if member is not None:
        raise EOFError


def _create(folder: Path, stem: str, begun: Path | None) -> tuple[Path, int | None]:
    """Create a file and lock it; return its handle where that holds a lock.

    A `sweep` that comes between the two has the file, so another one is created.
    """
    for _ in range(3):
        mine = temporary(folder, stem)
        if begun is not None:
            with suppress(OSError):
                begun.rename(mine)
        handle = os.open(mine, os.O_RDWR | os.O_CREAT, 0o600)
        locked = _lock(handle)
        with suppress(OSError):
            # Its age tells it from a stray where locks do not, and a copy is as of now.
            os.utime(mine)
        if locked and _is_at(mine, handle):
            return mine, handle
        os.close(handle)  # also because Windows does not rename a file that is open
        if locked is None:
            break
    return mine, None


def _give_up(path: Path) -> None:
    """Keep a download that nobody goes on with for the next one who wants it; remove the rest."""
    key = path.name.split(".")[0]
    kept = path.with_name(f"{key}{RESUMABLE}")
    if path.stat().st_size and re.fullmatch("[0-9a-f]{64}", key) and not kept.exists():
        path.replace(kept)
    else:
        path.unlink()


@contextmanager
def _unwritten(path: Path) -> Iterator[bool]:
    """Say whether nobody is writing the file, which is held so meanwhile if that can be.

    Raises
    ------
    OSError
    """
    if path.suffix == RESUMABLE:
        yield True
        return
    handles: list[int] = []
    try:
        if fcntl is not None:
            handles.append(os.open(path, os.O_RDWR))
            handles.append(os.open(path, os.O_RDWR))
        locked = [_lock(handle) for handle in handles]
        if locked == [True, False]:
            yield True
        elif False in locked:
            yield False
        else:  # no locks, or such as two can have at once
            yield _age(path) > KEEP_STRAY
    finally:
        for handle in handles:
            os.close(handle)


def _lock(handle: int) -> bool | None:
    """Lock a file for as long as it is open; None where there are no locks."""
    try:
        if fcntl is None:
            return None
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(path: Path, handle: int) -> bool:
    """Say whether the file that is open is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _age(path: Path) -> float:
    """Return the seconds since a file was written; also where the clock was set back since."""
    return abs(time.time() - path.stat().st_mtime)


def _files(folder: Path, suffix: str) -> list[Path]:
    return [path for path in inside(folder) if path.suffix == suffix]
