"""Copies of objects on the disk: which are handed out, kept, removed, and who may read them."""

from __future__ import annotations

import errno
import gzip
import os
import random
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.cache_store import BUCKET, NAMES, begin, content, put, stored, strays
from viz3d.errors import BucketError
from viz3d.run import FileInfo
from viz3d.sources import checksum, parts
from viz3d.sources.cache import Cache

PLAIN, PACKED = NAMES
posix = pytest.mark.skipif(os.name == "nt", reason="rights and owners are another matter there")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache.open(tmp_path / "cache")


def flip(path: Path, at: int = 10) -> None:
    """Change one bit in place, as a failing disk does or an editor that saves."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def keep(cache: Cache, file: FileInfo, data: bytes) -> Path:
    with cache.part(BUCKET, file) as temp:
        temp.write_bytes(data)
        return cache.store(BUCKET, file, temp, google_crc32c.value(data), len(data))


def age(path: Path, seconds: float) -> None:
    """Let the last use and the last change of a file be so long ago."""
    when = time.time() - seconds
    os.utime(path, (when, when))


# What is handed out


@pytest.mark.parametrize("name", NAMES)
def test_what_was_stored_is_found(cache: Cache, name: str):
    file, _ = stored(name, 5)
    assert cache.find(BUCKET, file) is None
    path = put(cache, name, 5)
    assert path.read_bytes() == content(name, 5)
    assert cache.find(BUCKET, file) == path
    assert Cache.open(cache.folder.parent).find(BUCKET, file) == path
    assert strays(cache) == []


@pytest.mark.parametrize(
    ("bucket", "change"),
    [
        ("other", {}),
        (BUCKET, {"path": "runs/a/other.jsonl"}),
        (BUCKET, {"generation": "6"}),
        (BUCKET, {"generation": "05"}),
        (BUCKET, {"size": 1}),
        (BUCKET, {"crc32c": 1}),
        (BUCKET, {"encoding": "gzip"}),
    ],
)
def test_another_object_is_not_found(cache: Cache, bucket: str, change: dict[str, object]):
    put(cache, PLAIN, 5)
    assert cache.find(bucket, replace(stored(PLAIN, 5)[0], **change)) is None


def test_an_object_that_is_no_longer_called_compressed_is_fetched_anew(cache: Cache):
    put(cache, PACKED, 5)
    assert cache.find(BUCKET, replace(stored(PACKED, 5)[0], encoding="")) is None


def test_a_listing_without_checksum_finds_the_generation(cache: Cache):
    path = put(cache, PLAIN, 5)
    assert cache.find(BUCKET, replace(stored(PLAIN, 5)[0], crc32c=None)) == path


@pytest.mark.parametrize("damage", ["flip", "cut", "grow"])
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_copy_is_removed_and_never_handed_out(cache: Cache, name: str, damage: str):
    older, path = put(cache, name, 4), put(cache, name, 5)
    if damage == "flip":
        flip(path)
    else:
        path.write_bytes(content(name, 5)[:-1] if damage == "cut" else content(name, 5) + b"x")
    assert cache.find(BUCKET, stored(name, 5)[0]) is None
    assert not path.exists()
    found = cache.newest(BUCKET, name)
    assert found is not None
    assert (found.path, found.generation) == (older, "4")


def test_damage_that_leaves_size_and_times_is_found_by_the_next_process(cache: Cache):
    path = put(cache, PLAIN, 5)
    before = path.stat()
    flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Cache.open(cache.folder.parent).find(BUCKET, stored(PLAIN, 5)[0]) is None
    assert not path.exists()


def test_a_copy_is_read_once_for_each_of_its_states(cache: Cache, monkeypatch: pytest.MonkeyPatch):
    path = put(cache, PLAIN, 5)
    file = stored(PLAIN, 5)[0]
    read: list[Path] = []
    of_file = checksum.of_file
    monkeypatch.setattr(checksum, "of_file", lambda path: (read.append(path), of_file(path))[1])
    assert cache.find(BUCKET, file) == path
    assert read == []
    path.touch()
    assert cache.find(BUCKET, file) == cache.find(BUCKET, file) == path
    assert read == [path]


def test_a_copy_that_cannot_be_read_is_neither_handed_out_nor_removed(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
):
    path = put(cache, PLAIN, 5)
    path.touch()

    def fail(path: Path) -> tuple[int, int]:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(checksum, "of_file", fail)
        assert cache.find(BUCKET, stored(PLAIN, 5)[0]) is None
        assert cache.verify().bad == [path.name]
    assert cache.find(BUCKET, stored(PLAIN, 5)[0]) == path


def test_a_good_copy_that_replaced_a_damaged_one_meanwhile_stays(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
):
    path = put(cache, PLAIN, 5)
    flip(path)
    other, of_file = Cache.open(cache.folder.parent), checksum.of_file

    def mended(read: Path) -> tuple[int, int]:
        monkeypatch.setattr(checksum, "of_file", of_file)
        found = of_file(read)
        put(other, PLAIN, 5)
        return found

    monkeypatch.setattr(checksum, "of_file", mended)
    cache.find(BUCKET, stored(PLAIN, 5)[0])
    assert path.read_bytes() == content(PLAIN, 5)


def test_the_newest_is_that_of_the_highest_generation(cache: Cache):
    assert cache.newest(BUCKET, PLAIN) is None
    put(cache, PLAIN, 10)
    late = put(cache, PLAIN, 9)
    found = cache.newest(BUCKET, PLAIN)
    assert found is not None
    data = content(PLAIN, 10)
    assert (found.generation, found.size) == ("10", len(data))
    assert found.crc32c == google_crc32c.value(data)
    assert abs(found.fetched - time.time()) < 60
    assert late.exists()


def test_a_copy_is_as_of_when_it_was_complete_not_as_of_an_earlier_try(cache: Cache):
    begin(cache, PLAIN, 5, 1_000_000)
    [part] = parts.resumable(cache.folder / "parts")
    age(part, 7200)
    put(cache, PLAIN, 5)
    found = cache.newest(BUCKET, PLAIN)
    assert found is not None
    assert abs(found.fetched - time.time()) < 60


def test_a_cache_that_is_removed_while_it_is_used_fills_again(cache: Cache):
    put(cache, PLAIN, 5)
    for path in sorted(cache.folder.parent.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    cache.folder.parent.rmdir()
    assert cache.find(BUCKET, stored(PLAIN, 5)[0]) is None
    cache.save_listing("key", [], 1.0)
    assert cache.find(BUCKET, stored(PLAIN, 5)[0]) is None
    assert put(cache, PLAIN, 5).read_bytes() == content(PLAIN, 5)


# What is stored


def test_two_generations_are_kept_and_the_one_just_stored_always(cache: Cache):
    for generation in (7, 8, 9):
        put(cache, PLAIN, generation)
    late = put(cache, PLAIN, 3)
    assert {path.name.split("-")[0] for path in late.parent.iterdir()} == {"9", "3"}


@pytest.mark.parametrize("wrong", [{"crc32c": 1}, {"size": 5}])
def test_what_reads_back_differently_is_not_stored(cache: Cache, wrong: dict[str, int]):
    file, data = stored(PLAIN, 5)
    older = put(cache, PLAIN, 4)
    with cache.part(BUCKET, file) as temp:
        temp.write_bytes(data)
        with pytest.raises(OSError, match="reads back differently"):
            cache.store(BUCKET, file, temp, **({"crc32c": file.crc32c, "size": file.size} | wrong))
    assert cache.find(BUCKET, file) is None
    assert list(older.parent.iterdir()) == [older]


def test_a_file_that_is_open_elsewhere_and_the_same_need_not_be_replaced(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
):
    def refuse(old: Path, new: Path) -> None:
        raise PermissionError(errno.EACCES, "The file is used by another process")

    path = put(cache, PLAIN, 5)
    with monkeypatch.context() as windows:
        windows.setattr(os, "replace", refuse)
        assert put(cache, PLAIN, 5) == path
        flip(path)
        with pytest.raises(PermissionError):
            put(cache, PLAIN, 5)
    assert strays(cache) == []


def test_a_name_is_where_its_hash_says_and_nowhere_else(cache: Cache):
    path = keep(cache, FileInfo("../../\ud800\0/etc/passwd", 1, generation="../7"), b"x")
    assert path.resolve().is_relative_to(cache.folder.resolve() / "objects")
    assert len(path.relative_to(cache.folder).parts) == 4


@settings(deadline=None, max_examples=50)  # each example syncs files to the disk
@given(st.sets(st.tuples(st.text(), st.text(), st.text()), min_size=2, max_size=5))
def test_any_names_are_told_apart_and_stay_inside(names: set[tuple[str, str, str]]):
    """Text with surrogates, NULs, dots and slashes included; bucket names hold no NUL."""
    names = {(bucket.replace("\0", ""), *rest) for bucket, *rest in names}
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache.open(folder)
        files = {key: FileInfo(key[1], 1, generation=key[2]) for key in names}
        paths = set()
        for (bucket, *_), file in files.items():
            with cache.part(bucket, file) as temp:
                assert temp.parent == cache.folder / "parts"
                temp.write_bytes(b"x")
                paths.add(cache.store(bucket, file, temp, google_crc32c.value(b"x"), 1))
        assert len(paths) == len(names)
        assert all(path.parent.parent.parent == cache.folder / "objects" for path in paths)


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
    fstat = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("unpacked") and path.exists():
            written.append(path.stat().st_size)
        fstat(path, missing_ok)

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


# Room


def test_the_least_recently_used_goes_first(tmp_path: Path):
    size = len(content("a", 1))
    cache = Cache.open(tmp_path / "cache", limit=3 * size)
    paths = {name: put(cache, name, 1) for name in "abc"}
    for name, seconds in {"a": 3000, "b": 5000, "c": 4000}.items():
        age(paths[name], seconds)
    assert cache.find(BUCKET, stored("b", 1)[0]) == paths["b"]
    put(cache, "d", 1)
    assert [name for name, path in paths.items() if path.exists()] == ["a", "b"]
    assert not paths["c"].parent.exists()


def test_what_is_in_use_stays_whatever_the_limit(tmp_path: Path):
    cache = Cache.open(tmp_path / "cache", limit=1)
    paths = [put(cache, name, 1) for name in "abc"]
    age(paths[0], 590)
    put(cache, "d", 1)
    assert all(path.exists() for path in paths)
    age(paths[0], 610)
    put(cache, "e", 1)
    assert [path.exists() for path in paths] == [False, True, True]


def test_other_processes_copies_count_too(tmp_path: Path):
    size = len(content("a", 1))
    cache = Cache.open(tmp_path / "cache", limit=250 * size)
    put(cache, "a", 1)
    other = Cache.open(tmp_path / "cache", limit=10 * size)
    first = put(other, "b", 1)
    age(first, 3000)
    for number in range(10):
        put(cache, f"c{number}", 1)
    put(other, "d", 1)
    assert not first.exists()


def test_times_to_come_do_not_make_copies_stay_for_ever(cache: Cache):
    path = put(cache, PLAIN, 1)
    age(path, -86_400)
    assert cache.make_room(1)
    assert not path.exists()


def test_room_is_made_from_stopped_downloads_first(cache: Cache):
    path = put(cache, PLAIN, 1)
    begin(cache, PLAIN, 2, 1000)
    [part] = parts.resumable(cache.folder / "parts")
    age(path, 9000)
    assert cache.make_room(1)
    assert part.exists()  # it is the very download that needs the room
    assert not path.exists()
    path = put(cache, PLAIN, 1)
    age(path, 9000)
    age(part, 3000)
    assert cache.make_room(1)
    assert not part.exists()
    assert path.exists()


def test_there_may_be_no_room_to_make(cache: Cache):
    assert not cache.make_room(1)
    put(cache, PLAIN, 1)
    assert not cache.make_room(1)


def test_a_use_is_noted_once_a_minute_and_keeps_the_time_of_the_download(cache: Cache):
    path, file = put(cache, PLAIN, 1), stored(PLAIN, 1)[0]
    fetched = path.stat().st_mtime
    for ago, noted in [(5000, True), (30, False), (-5000, True)]:
        # With its other time as it was, so that the copy is not read, which may count as a use.
        before = time.time() - ago
        os.utime(path, (before, fetched))
        assert cache.find(BUCKET, file) == path
        found = path.stat()
        assert found.st_mtime == pytest.approx(fetched, abs=0.001)
        expected = time.time() if noted else before
        assert found.st_atime == pytest.approx(expected, abs=20)


# Looking after it


def test_info_counts_what_is_there(cache: Cache):
    begin(cache, PLAIN, 1, 1000)
    put(cache, PLAIN, 2)
    put(cache, PACKED, 2)
    info = cache.info()
    sizes = [len(content(name, 2)) for name in NAMES]
    assert (info.files, info.bytes, info.parts, info.part_bytes) == (2, sum(sizes), 1, 1000)
    assert (info.folder, info.limit) == (str(cache.folder.parent), cache.limit)


def test_verify_reads_everything_and_counts_as_no_use(cache: Cache):
    good, bad = put(cache, PLAIN, 2), put(cache, PACKED, 2)
    before = bad.stat()
    flip(bad)
    os.utime(bad, ns=(before.st_atime_ns, before.st_mtime_ns))
    age(good, 90_000)
    used = good.stat().st_atime_ns
    found = cache.verify()
    assert (found.checked, found.bad) == (2, [bad.name])
    assert not bad.exists()
    assert good.stat().st_atime_ns == used
    assert cache.verify() == type(found)(1, [])


def test_clear_leaves_what_is_not_ours_and_what_is_being_written(cache: Cache):
    put(cache, PLAIN, 2)
    begin(cache, PACKED, 3, 20)
    cache.save_listing("key", [], 1.0)
    other = put(cache, PACKED, 2).parent / "notes.txt"
    for path in (other, cache.folder / "objects" / "notes.txt", cache.folder.parent / "a.csv"):
        path.write_text("mine")
    outside = cache.folder.parent.parent / "outside.json"
    outside.write_text("mine")
    (cache.folder / "listings" / "link.json").symlink_to(outside)
    file = stored(PLAIN, 7)[0]
    with cache.part(BUCKET, file) as temp:
        temp.write_bytes(b"x")
        freed = cache.clear()
        assert temp.exists()
    assert freed > sum(len(content(name, 2)) for name in NAMES) + 20
    assert cache.find(BUCKET, stored(PLAIN, 2)[0]) is None
    assert cache.load_listing("key") is None
    left = [path for path in cache.folder.parent.rglob("*") if path.is_file()]
    assert sorted(path.name for path in left if path.suffix != ".part") == (
        ["a.csv", "notes.txt", "notes.txt"]
    )
    assert outside.read_text() == "mine"


# Listings


def test_a_listing_comes_back_as_it_was(cache: Cache):
    files = [FileInfo("a\ud800\0/ü", 1, 2.5, "7", 9, "gzip"), FileInfo("b", 2)]
    assert cache.load_listing("gs://a") is None
    cache.save_listing("gs://a", files, 17.5)
    assert cache.load_listing("gs://a") == (files, 17.5)
    assert cache.load_listing("gs://b") is None
    cache.save_listing("gs://a", [], 18.5)
    assert cache.load_listing("gs://a") == ([], 18.5)
    assert strays(cache) == []


def test_a_damaged_listing_is_none(cache: Cache):
    cache.save_listing("key", [FileInfo("a", 1)], 17.5)
    [path] = (cache.folder / "listings").iterdir()
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert cache.load_listing("key") is None
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 1
        path.write_bytes(data)
        assert cache.load_listing("key") is None
    path.write_bytes(whole)
    assert cache.load_listing("key") == ([FileInfo("a", 1)], 17.5)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'{"files": []}',
        b'{"files": 3, "when": 1}',
        b'{"files": ["a"], "when": 1}',
        b'{"files": [], "when": "today"}',
        b'{"files": [{"path": "a"}], "when": 1}',
        b'{"files": [{"path": "a", "size": "1"}], "when": 1}',
        b'{"files": [{"path": 1, "size": 1}], "when": 1}',
        b'{"files": [{"path": "a", "size": 1, "colour": "red"}], "when": 1}',
        b"\xff",
    ],
)
def test_a_listing_of_another_shape_is_none(cache: Cache, body: bytes):
    cache.save_listing("key", [], 1.0)
    [path] = (cache.folder / "listings").iterdir()
    path.write_bytes(f"{google_crc32c.value(body):08x}\n".encode() + body)
    assert cache.load_listing("key") is None


# The folder


@posix
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_owner_alone_can_enter_and_read(tmp_path: Path, umask: int):
    before = os.umask(umask)
    try:
        cache = Cache.open(tmp_path / "new" / "cache")
        for name in NAMES:
            put(cache, name, 1)
        begin(cache, PLAIN, 2, 1000)
        cache.save_listing("key", [], 1.0)
        with cache.part(BUCKET, stored(PLAIN, 3)[0]) as temp:
            temp.write_bytes(b"x")
            everything = [path.lstat().st_mode for path in (tmp_path / "new").rglob("*")]
            assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert {stat.S_IMODE(mode) for mode in everything if stat.S_ISDIR(mode)} == {0o700}
    assert {stat.S_IMODE(mode) for mode in everything if stat.S_ISREG(mode)} == {0o600}
    assert len(everything) == 14


@posix
def test_a_folder_of_ours_that_was_open_is_closed(tmp_path: Path):
    inside = Cache.open(tmp_path / "cache").folder
    for folder in (inside, inside.parent):
        folder.chmod(0o755)
    Cache.open(tmp_path / "cache")
    for folder in (inside, inside.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@posix
def test_a_folder_that_holds_other_things_keeps_its_rights(tmp_path: Path):
    tmp_path.chmod(0o755)
    (tmp_path / "a.csv").write_text("step,loss\n")
    cache = Cache.open(tmp_path)
    assert cache.problems == ()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700


def lent(cache: Cache, wanted: Path, reason: str) -> None:
    """Check that a private temporary folder is used, and told in words that name no folder."""
    [problem] = cache.problems
    assert problem.what == (
        f"Downloads cannot be written to the cache folder: {reason}. "
        "Downloads are kept until the program ends."
    )
    assert "VIZ3D_CACHE_DIR" in problem.remedy
    assert str(wanted) not in str(problem)
    assert not cache.folder.is_relative_to(wanted)
    if os.name == "posix":
        assert stat.S_IMODE(cache.folder.parent.stat().st_mode) == 0o700
    assert put(cache, PLAIN, 1).read_bytes() == content(PLAIN, 1)


@posix
@pytest.mark.parametrize("where", ["cache", "cache/v1"])
def test_a_link_is_refused(tmp_path: Path, where: str):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / where).parent.mkdir(exist_ok=True)
    (tmp_path / where).symlink_to(tmp_path / "elsewhere")
    lent(Cache.open(tmp_path / "cache"), tmp_path, "it is a link to another folder")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@posix
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    us = os.getuid()
    (tmp_path / "cache").mkdir(mode=0o777)
    monkeypatch.setattr(os, "getuid", lambda: us + 1)
    lent(Cache.open(tmp_path / "cache"), tmp_path, "it belongs to another user")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("where", ["file", "file/cache"])
def test_a_file_in_its_place_is_told(tmp_path: Path, where: str):
    (tmp_path / "file").write_text("")
    lent(Cache.open(tmp_path / where), tmp_path, "a file stands in its place")


def test_a_name_that_is_none_is_told(tmp_path: Path):
    lent(Cache.open("a\0b"), tmp_path, "that is no name of a folder")


def test_a_user_without_home_gets_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def nowhere(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", nowhere)
    lent(Cache.open(), tmp_path, "there is no home folder")


def no_file(number: int) -> Callable[..., None]:
    def create(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return create


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_told(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as full:
        full.setattr(parts, "_create", no_file(number))
        cache = Cache.open(tmp_path / "cache")
    lent(cache, tmp_path, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_hides_no_copies(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = put(Cache.open(tmp_path / "cache"), PLAIN, 1)
    monkeypatch.setattr(parts, "_create", no_file(number))
    cache = Cache.open(tmp_path / "cache")
    assert cache.problems == ()
    assert cache.find(BUCKET, stored(PLAIN, 1)[0]) == path


def test_where_nothing_can_be_written_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(**_: object) -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(parts, "_create", no_file(errno.EROFS))
    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(BucketError, match="No usable temporary directory") as caught:
        Cache.open(tmp_path / "cache")
    assert caught.value.kind == "cache_unwritable"


def test_the_users_own_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_cache_path", lambda *_, **__: tmp_path / "own")
    assert Cache.open().folder == tmp_path / "own" / "v1"


def test_another_layout_is_left_alone(tmp_path: Path):
    later = tmp_path / "cache" / "v2" / "objects" / "x.tmp"
    later.parent.mkdir(parents=True)
    later.write_text("")
    cache = Cache.open(tmp_path / "cache")
    put(cache, PLAIN, 1)
    cache.clear()
    assert later.exists()
