"""What goes first when the cache is full, and what stays whatever the limit."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.sources.cache_store import BUCKET, NAMES, age, begin, content, put, stored
from viz3d.sources import parts
from viz3d.sources.cache import Cache

PLAIN, _ = NAMES


def test_the_least_recently_used_goes_first(tmp_path: Path):
    size = len(content("a", 1))
    cache = Cache.open(tmp_path / "cache", limit=3 * size)
    paths = {name: put(cache, name, 1) for name in "abc"}
    for name, seconds in {"a": 3000, "b": 5000, "c": 4000}.items():
        age(paths[name], seconds)
    assert cache.find(BUCKET, stored("b", 1)[0]) == paths["b"]
    put(cache, "d", 1)
    assert [name for name, path in paths.items() if path.exists()] == ["a", "b"]


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


def test_a_download_that_filled_the_disk_leaves_room_for_small_ones(cache: Cache):
    begin(cache, PLAIN, 2, 1000)
    assert not cache.make_room(len(content(PLAIN, 2)))  # its own next try goes on from there
    assert cache.make_room(600)
    assert not parts.resumable(cache.folder / "parts")


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
