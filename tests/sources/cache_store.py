"""What the tests of the cache share: objects whose bytes follow from their name and generation."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from pathlib import Path

import google_crc32c

from viz3d.run import FileInfo
from viz3d.sources.cache import Cache
from viz3d.sources.entries import key_of

BUCKET = "bucket"
NAMES = ("runs/a/metrics.jsonl", "runs/b/metrics.jsonl.gz")


def content(name: str, generation: int) -> bytes:
    """Return the bytes of one generation: each is told from any other by any few of its bytes."""
    seed = hashlib.sha256(f"{name} {generation}".encode()).digest()
    return seed * (100 + generation * 37 % 300) + str(generation).encode()


def stored(name: str, generation: int) -> tuple[FileInfo, bytes]:
    """Return an object as the bucket has it; a name that ends in .gz is stored compressed."""
    data = content(name, generation)
    encoding = "gzip" if name.endswith(".gz") else ""
    if encoding:
        data = gzip.compress(data, mtime=0)
    crc = google_crc32c.value(data)
    return FileInfo(name, len(data), 0.0, str(generation), crc, encoding), data


def put(cache: Cache, name: str, generation: int) -> Path:
    """Do what a download does: go on with what is there, in a few writes, then store."""
    file, data = stored(name, generation)
    with cache.part(BUCKET, file) as temp:
        have = temp.stat().st_size
        assert temp.read_bytes() == data[:have], "a part holds something else"
        for start in range(have, len(data), 3000):
            with temp.open("ab") as out:
                out.write(data[start : start + 3000])
        return cache.store(BUCKET, file, temp, file.crc32c, file.size)


def begin(cache: Cache, name: str, generation: int, size: int) -> None:
    """Do what a download does that is stopped after `size` bytes."""
    file, data = stored(name, generation)
    with cache.part(BUCKET, file) as temp, temp.open("ab") as out:
        out.write(data[temp.stat().st_size : size])


def copies(cache: Cache, names: tuple[str, ...] = NAMES) -> set[tuple[str, int]]:
    """Return name and generation of every copy, after checking that each is right to the byte."""
    found = set()
    keys = {key_of(BUCKET, name): name for name in names}
    for path in (cache.folder / "objects").glob("*/*"):
        key, generation = path.name.split("-")[:2]
        name, generation = keys[key], int(generation)
        assert path.read_bytes() == content(name, generation), path.name
        found.add((name, generation))
    return found


def strays(cache: Cache) -> list[Path]:
    """Return the files that somebody began and nobody finished; stopped downloads are none."""
    return [path for path in cache.folder.rglob("*.tmp") if path.is_file()]


def keep(cache: Cache, file: FileInfo, data: bytes) -> Path:
    """Store other bytes than those that `put` makes up."""
    with cache.part(BUCKET, file) as temp:
        temp.write_bytes(data)
        return cache.store(BUCKET, file, temp, google_crc32c.value(data), len(data))


def age(path: Path, seconds: float) -> None:
    """Let the last use and the last change of a file be so long ago."""
    when = time.time() - seconds
    os.utime(path, (when, when))
