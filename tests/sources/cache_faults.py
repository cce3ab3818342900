"""A process that dies, or a disk that fails, at the Nth call to the system."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.sources.cache_store import BUCKET, NAMES, begin, copies, put, stored, strays
from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources.cache import Cache

# What pathlib and we call; os.scandir is not there, because the cache does not use it.
CALLS = (
    "open", "close", "stat", "lstat", "replace", "rename", "unlink", "mkdir", "rmdir", "chmod",
    "utime", "fsync", "listdir",
)  # fmt: skip
# A close that fails has closed all the same, and nobody looks at its answer.
CANNOT_FAIL = ("close",)
PLAIN, PACKED = NAMES
COLD = "runs/cold/metrics.jsonl"
LISTED = [FileInfo(PLAIN, 1, 0.0, "1")]
Interfere = Callable[[str, Callable[[], Any]], Any]


class _File:
    """A file whose reads and writes are counted; half of a write is done before it is counted."""

    def __init__(self, file: Any, meddle: Interfere) -> None:
        self._file, self._meddle = file, meddle

    def write(self, data: bytes) -> int:
        def second_half() -> int:
            self._file.write(data[half:])
            return len(data)

        half = len(data) // 2
        self._file.write(data[:half])
        self._file.flush()
        return self._meddle("write", second_half)

    def read(self, *size: int) -> bytes:
        return self._meddle("read", lambda: self._file.read(*size))

    def fileno(self) -> int:
        return self._file.fileno()

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@contextmanager
def meddling(meddle: Interfere) -> Iterator[None]:
    """Let every call to the system that the cache makes pass through `meddle`."""
    real = {name: getattr(os, name) for name in CALLS}
    real_open = io.open

    def through(name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return meddle(name, lambda: real[name](*args, **kwargs))

        return call

    def open_file(*args: Any, **kwargs: Any) -> _File:
        return _File(meddle("open", lambda: real_open(*args, **kwargs)), meddle)

    try:
        for name in CALLS:
            setattr(os, name, through(name))
        io.open = open_file
        yield
    finally:
        io.open = real_open
        for name, function in real.items():
            setattr(os, name, function)


def fail(first: int, number: int, *, forever: bool) -> tuple[Interfere, list[str]]:
    """Return what lets the call `first`, or all from there on, fail; and the record of calls."""
    seen: list[str] = []

    def meddle(name: str, do: Callable[[], Any]) -> Any:
        if name not in CANNOT_FAIL:
            seen.append(name)
            if len(seen) == first or (forever and len(seen) > first):
                raise OSError(number, os.strerror(number))
        return do()

    return meddle, seen


def die(first: int, *, after: bool) -> Interfere:
    """Return what ends the process at the call `first`, before or after it is done."""
    seen = 0

    def meddle(name: str, do: Callable[[], Any]) -> Any:
        nonlocal seen
        seen += 1
        if seen == first and not after:
            os._exit(9)
        try:
            return do()
        finally:
            if seen == first:
                os._exit(9)

    return meddle


def prepare(root: Path) -> None:
    """Fill a cache: what `work` then changes."""
    cache = Cache.open(root)
    for name in (*NAMES, COLD):
        put(cache, name, 1)
    cold = cache.find(BUCKET, stored(COLD, 1)[0])
    assert cold
    os.utime(cold, (1e9, 1e9))
    begin(cache, PLAIN, 2, 2000)
    cache.save_listing("key", LISTED, 1.0)
    (root / "v1" / "parts" / f"{'ab' * 32}.0123.tmp").write_bytes(b"begun and left")


def work(root: Path, done: Callable[[str, int], None]) -> None:
    """Do everything that a cache does; tell each copy that it handed out of `root`.

    An error that the cache may raise ends one step, as it ends one download, and not the others.
    """

    def step(do: Callable[[], object]) -> None:
        with suppress(OSError, BucketError):
            do()

    def find(name: str, generation: int) -> None:
        tell(cache.find(BUCKET, stored(name, generation)[0]), name, generation)

    def store(name: str, generation: int) -> None:
        tell(put(cache, name, generation), name, generation)

    def tell(path: Path | None, name: str, generation: int) -> None:
        if path and path.is_relative_to(root):
            done(name, generation)

    try:
        cache = Cache.open(root, limit=25_000)
    except BucketError:
        return
    step(lambda: find(PLAIN, 1))
    step(lambda: store(PLAIN, 2))
    step(lambda: begin(cache, PACKED, 2, 30))
    step(lambda: store(PACKED, 2))
    step(lambda: store(PLAIN, 3))
    step(lambda: cache.save_listing("key", LISTED * 2, 2.0))
    step(lambda: find(PLAIN, 3))
    step(lambda: cache.newest(BUCKET, PACKED))
    step(lambda: cache.make_room(10))
    step(cache.verify)


def check(root: Path, told: Iterable[tuple[str, int]]) -> None:
    """Check what must hold whatever happened, at this moment and after the next start."""
    copies(Cache(root / "v1", 0), (*NAMES, COLD))
    cache = Cache.open(root)
    assert cache.problems == ()
    assert strays(cache) == []
    listing = cache.load_listing("key")
    assert listing in ((LISTED, 1.0), (LISTED * 2, 2.0))
    for name in NAMES:
        last = max([1, *(generation for other, generation in told if other == name)])
        newest = cache.newest(BUCKET, name)
        assert newest is not None
        assert int(newest.generation) >= last, "a copy that was handed out is gone"
        assert cache.find(BUCKET, stored(name, last)[0]) or int(newest.generation) > last
        put(cache, name, 4)
    copies(cache, (*NAMES, COLD))
