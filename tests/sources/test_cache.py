"""Copies of objects on the disk: which are handed out and kept."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.cache_store import BUCKET, NAMES, age, begin, content, keep, put, stored, strays
from viz3d.run import FileInfo
from viz3d.sources import checksum, parts
from viz3d.sources.cache import Cache

PLAIN, PACKED = NAMES


def flip(path: Path, at: int = 10) -> None:
    """Change one bit in place, as a failing disk does or an editor that saves."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


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
    assert {path.name.split("-")[1] for path in late.parent.iterdir()} == {"9", "3"}


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
    assert len(path.relative_to(cache.folder).parts) == 3


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
        assert all(path.parent.parent == cache.folder / "objects" for path in paths)


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
