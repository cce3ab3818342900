"""Files of the cache that are not finished, and objects that are unpacked into it."""

from __future__ import annotations

import errno
import gzip
import random
from pathlib import Path

import google_crc32c
import pytest

from tests.sources.cache_store import BUCKET, NAMES, age, begin, keep, stored, strays
from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources import parts
from viz3d.sources.cache import Cache

PLAIN, _ = NAMES


# Objects that are stored compressed


def noise(size: int) -> bytes:
    """Return bytes that cannot be compressed, the same ones each time."""
    return random.Random(0).randbytes(size)


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (gzipped(b"one") + gzipped(b"two"), b"onetwo"),
        (gzipped(b"one") + b"\0" * 700, b"one"),
        (gzipped(b"one") + b"\0" * 3 + gzipped(b""), b"one"),
        (b"", b""),
        (gzipped(noise(40_000) * 100), None),
    ],
    ids=["two members", "padded", "padded and empty", "empty", "several blocks"],
)
def test_compressed_objects_are_decoded(cache: Cache, packed: bytes, plain: bytes | None):
    file = FileInfo("a.gz", len(packed), 0, "5", google_crc32c.value(packed), "gzip")
    expected = gzip.decompress(packed) if plain is None else plain
    path = keep(cache, file, packed)
    assert path.read_bytes() == expected
    assert cache.find(BUCKET, file) == path


CUT = gzipped(noise(2000))


DAMAGED = {
    **{f"cut at {size}": CUT[:size] for size in (1, 9, 12, 1000, len(CUT) - 8, len(CUT) - 1)},
    "wrong checksum": CUT[:-6] + bytes([CUT[-6] ^ 1]) + CUT[-5:],
    "followed by junk": CUT + b"junk",
    "plain text": b"no gzip at all",
}


@pytest.mark.parametrize("packed", DAMAGED.values(), ids=DAMAGED)
def test_a_compressed_object_that_is_damaged_is_refused(cache: Cache, packed: bytes):
    file = FileInfo("a.gz", len(packed), 0, "5", google_crc32c.value(packed), "gzip")
    with pytest.raises(BucketError, match=r"a\.gz is stored as gzip") as caught:
        keep(cache, file, packed)
    assert caught.value.kind == "corrupt"
    assert cache.find(BUCKET, file) is None
    assert strays(cache) == []


@pytest.mark.parametrize("longest", [parts.MAX_UNPACKED, 1 << 21])
def test_a_bomb_is_stopped_at_its_bound(
    cache: Cache, longest: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(parts, "MAX_UNPACKED", longest)
    packed = gzipped(bytes(64 << 20))
    limit = min(200 * len(packed), longest)
    file = FileInfo("a.gz", len(packed), 0, "5", google_crc32c.value(packed), "gzip")
    written: list[int] = []
    remove = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("unpacked") and path.exists():
            written.append(path.stat().st_size)
        remove(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(BucketError, match=f"more than {limit:,} bytes") as caught:
        keep(cache, file, packed)
    assert caught.value.kind == "too_large"
    assert written
    assert max(written) <= limit
    assert strays(cache) == []


# Parts


def test_a_stopped_download_goes_on_in_another_process(cache: Cache):
    begin(cache, PLAIN, 5, 1000)
    file, data = stored(PLAIN, 5)
    with Cache.open(cache.folder.parent).part(BUCKET, file) as temp:
        assert temp.read_bytes() == data[:1000]


def test_each_generation_has_a_part_of_its_own(cache: Cache):
    begin(cache, PLAIN, 5, 1000)
    with cache.part(BUCKET, stored(PLAIN, 6)[0]) as temp:
        assert temp.read_bytes() == b""


def test_two_at_once_never_share_a_part(cache: Cache):
    begin(cache, PLAIN, 5, 1000)
    file, data = stored(PLAIN, 5)
    other = Cache.open(cache.folder.parent)
    with cache.part(BUCKET, file) as one, other.part(BUCKET, file) as two:
        assert one != two
        assert sorted([one.read_bytes(), two.read_bytes()]) == [b"", data[:1000]]
        Cache.open(cache.folder.parent)  # sweeps
        assert one.exists()
        assert two.exists()


def test_an_emptied_part_leaves_nothing(cache: Cache):
    begin(cache, PLAIN, 5, 1000)
    with cache.part(BUCKET, stored(PLAIN, 5)[0]) as temp, temp.open("r+b") as out:
        out.truncate(0)
    assert list((cache.folder / "parts").iterdir()) == []


def stray(cache: Cache, name: str, data: bytes = b"x") -> Path:
    path = cache.folder / "parts" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def test_strays_are_swept_and_downloads_among_them_go_on(cache: Cache):
    key = "ab" * 32
    stray(cache, f"{key}.0123.tmp", b"begun")
    stray(cache, f"{'cd' * 32}.0123.tmp", b"")
    for stem in ("unpacked", "listing", "probe"):
        stray(cache, f"{stem}.0123.tmp")
    parts.sweep(cache.folder / "parts")
    [left] = (cache.folder / "parts").iterdir()
    assert (left.name, left.read_bytes()) == (f"{key}.part", b"begun")


def test_a_stopped_download_is_kept_for_a_day(cache: Cache):
    begin(cache, PLAIN, 5, 1000)
    [path] = parts.resumable(cache.folder / "parts")
    age(path, parts.KEEP_PART - 60)
    parts.sweep(cache.folder / "parts")
    assert path.exists()
    age(path, parts.KEEP_PART + 60)
    parts.sweep(cache.folder / "parts")
    assert not path.exists()


class NoOp:
    """Locks of a network file system on which everybody gets them."""

    LOCK_EX = LOCK_NB = 0

    @staticmethod
    def flock(*_: object) -> None:
        """Lock nothing."""


class Refused(NoOp):
    """Locks of a file system that has none."""

    @staticmethod
    def flock(*_: object) -> None:
        """Refuse."""
        raise OSError(errno.ENOLCK, "No locks available")


@pytest.mark.parametrize("locks", [None, NoOp, Refused])
def test_without_locks_a_stray_is_told_by_its_age(
    cache: Cache, locks: type | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(parts, "fcntl", locks)
    begin(cache, PLAIN, 5, 1000)
    [begun] = parts.resumable(cache.folder / "parts")
    age(begun, 7200)
    old = stray(cache, "unpacked.1.tmp")
    age(old, 7200)
    with cache.part(BUCKET, stored(PLAIN, 5)[0]) as temp:
        parts.sweep(cache.folder / "parts")
        assert temp.exists()
        cache.clear()
        assert temp.exists()
    assert not old.exists()


def test_where_there_are_no_locks_no_part_is_held_open(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
):
    """Windows renames no file that is open."""
    handles = Path("/proc/self/fd")
    if not handles.exists():
        pytest.skip("open files cannot be listed here")
    monkeypatch.setattr(parts, "fcntl", None)
    before = len(list(handles.iterdir()))
    with cache.part(BUCKET, stored(PLAIN, 5)[0]):
        assert len(list(handles.iterdir())) == before


def test_a_file_that_was_swept_before_it_was_locked_is_created_anew(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
):
    if parts.fcntl is None:
        pytest.skip("there are no locks here")
    begin(cache, PLAIN, 5, 1000)
    lock, swept = parts._lock, []

    def sweep_first(handle: int) -> bool | None:
        if not swept:
            swept.append(True)
            parts.sweep(cache.folder / "parts")
        return lock(handle)

    monkeypatch.setattr(parts, "_lock", sweep_first)
    file, data = stored(PLAIN, 5)
    with cache.part(BUCKET, file) as temp:
        assert temp.read_bytes() == data[:1000]
