"""The cache under processes that are killed, disks that fail and processes that compete.

Whatever happens and whenever: every copy is right to the byte, the last good one is still there,
what was left half done is swept by the next start, and errors are those that callers expect.
"""

from __future__ import annotations

import errno
import os
import random
import select
import shutil
import signal
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from tests.sources.cache_faults import check, die, fail, meddling, prepare, work
from tests.sources.cache_store import BUCKET, NAMES, begin, content, copies, put, stored, strays
from viz3d.run import FileInfo
from viz3d.sources import parts
from viz3d.sources.cache import Cache

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT, errno.EINTR)
# The suite runs one error for each of the two ways; the others differ from it in little.
FAILURES = [
    pytest.param(number, forever, marks=() if (number, forever) in quick else pytest.mark.slow,
                 id=f"{errno.errorcode[number]} {'for ever' if forever else 'once'}")
    for quick in [{(errno.ENOSPC, True), (errno.EACCES, False)}]
    for number in ERRORS
    for forever in (False, True)
]  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with some copies, to be copied."""
    root = tmp_path_factory.mktemp("filled") / "cache"
    prepare(root)
    return root


@pytest.fixture
def fresh(filled: Path, tmp_path: Path) -> Callable[[], Path]:
    """What returns a copy of the filled cache each time it is called, in place of the last."""

    def make() -> Path:
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        return shutil.copytree(filled, tmp_path / "cache")

    return make


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncing is what thousands of rounds would spend their time on; only a power cut shows it."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def fork(job: Callable[[], object]) -> int:
    """Run `job` in another process; return its id. Its status is 0 if nothing was raised."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        job()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def status_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Told:
    """What a child says that it handed out; it is said before anything else happens."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def __call__(self, name: str, generation: int) -> None:
        """Say that a copy was handed out."""
        os.write(self._write, f"{name} {generation}\n".encode())

    def listen(self) -> None:
        """Wait until the child has said the first thing, or is gone."""
        os.close(self._write)
        select.select([self._read], [], [])

    def all(self) -> list[tuple[str, int]]:
        """Return everything that the child says until it is gone."""
        with os.fdopen(self._read) as lines:
            said = [line.split() for line in lines]
        return [(name, int(generation)) for name, generation in said]


# The disk fails


@pytest.mark.parametrize(("number", "forever"), FAILURES)
@pytest.mark.usefixtures("unsynced")
def test_whichever_call_fails_the_good_copies_stay(
    number: int, forever: bool, fresh: Callable[[], Path]
):
    for first in count(1):
        root = fresh()
        told: list[tuple[str, int]] = []
        meddle, seen = fail(first, number, forever=forever)
        with meddling(meddle):
            work(root, lambda *copy, told=told: told.append(copy))
        check(root, told)
        if len(seen) < first:
            break
    assert first > 100
    assert {"open", "write", "read", "fsync", "replace", "unlink", "stat"} <= set(seen)


# The process is killed


@forks
@pytest.mark.usefixtures("unsynced")
@pytest.mark.parametrize("after", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_process_that_dies_at_any_call_leaves_good_copies(after: bool, fresh: Callable[[], Path]):
    for first in count(1):
        root, told = fresh(), Told()

        def job(root: Path = root, told: Told = told, first: int = first) -> None:
            with meddling(die(first, after=after)):
                work(root, told)

        child = fork(job)
        told.listen()
        status = status_of(child)
        assert status in (0, 9)
        check(root, told.all())
        if status == 0:
            break
    assert first > 100


def download_for_ever(root: Path, begin_at: int, told: Told) -> None:
    """Store generation after generation, until killed."""
    cache = Cache.open(root, limit=60_000)
    for generation in count(begin_at):
        for name in NAMES:
            begin(cache, name, generation, 50)
            put(cache, name, generation)
            told(name, generation)
        cache.save_listing("key", [FileInfo("a", generation)], float(generation))


@forks
@pytest.mark.parametrize("rounds", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_process_that_is_killed_at_any_moment_leaves_good_copies(rounds: int, tmp_path: Path):
    chance = random.Random(rounds)
    root = tmp_path / "cache"
    last = dict.fromkeys(NAMES, 0)
    listed = swept = 0
    for _ in range(rounds):
        told = Told()
        child = fork(lambda: download_for_ever(root, max(last.values()) + 1, told))  # noqa: B023
        told.listen()
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        assert status_of(child) == -signal.SIGKILL
        for name, generation in told.all():
            last[name] = max(last[name], generation)
        cache = Cache(root / "v1", 0)
        copies(cache)
        swept += len(strays(cache))
        cache = Cache.open(root)
        assert strays(cache) == []
        for name, generation in last.items():
            newest = cache.newest(BUCKET, name)
            assert newest is not None or not generation
            assert not newest or int(newest.generation) >= generation
        listing = cache.load_listing("key")
        assert listing is not None or not listed
        if listing:
            assert listing[0] == [FileInfo("a", int(listing[1]))]
            assert listing[1] >= listed
            listed = listing[1]
    assert min(last.values()) > 0
    assert swept > 0


# Processes compete


class _Locks:
    """Stands in for `fcntl`: locks that everybody gets, or nobody."""

    LOCK_EX = LOCK_NB = 0

    def __init__(self, error: OSError | None) -> None:
        self.error = error

    def flock(self, *_: object) -> None:
        """Lock nothing."""
        if self.error:
            raise self.error


def hammer(root: Path, seed: int, rounds: int) -> None:
    """Fetch and read the same objects as all the others, and some of one's own."""
    chance = random.Random(seed)
    mine = (*NAMES, f"runs/{seed}/metrics.jsonl")
    cache = Cache.open(root, limit=20_000)
    for _ in range(rounds):
        name, generation = chance.choice(mine), chance.randint(1, 6)
        path = cache.find(BUCKET, stored(name, generation)[0]) or put(cache, name, generation)
        # A file that is gone was the oldest of several, or cleared; it is never another one.
        with suppress(FileNotFoundError):
            assert path.read_bytes() == content(name, generation)
        newest = cache.newest(BUCKET, name)
        if newest:
            with suppress(FileNotFoundError):
                assert newest.path.read_bytes() == content(name, int(newest.generation))
        cache.save_listing("key", [FileInfo("a", seed)], float(seed))
        files, when = cache.load_listing("key") or ([FileInfo("a", 0)], 0.0)
        assert files == [FileInfo("a", int(when))]
        match chance.randrange(20):
            case 0:
                cache = Cache.open(root, limit=20_000)  # sweeps, under the hands of the others
            case 1:
                begin(cache, name, generation + 1, 1000)
            case 2:
                cache.verify()
            case 3:
                cache.clear()
            case 4:
                cache.make_room(1000)


@forks
@pytest.mark.parametrize("locks", ["real", "no-op", "refused"])
@pytest.mark.parametrize(
    ("processes", "rounds"), [(6, 80), pytest.param(20, 200, marks=pytest.mark.slow)]
)
def test_processes_that_share_a_cache_read_right_bytes(
    locks: str, processes: int, rounds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if locks != "real":
        error = OSError(errno.ENOLCK, "No locks available") if locks == "refused" else None
        monkeypatch.setattr(parts, "fcntl", _Locks(error))
    monkeypatch.setattr(
        "viz3d.sources.disk_room.IN_USE", 0.0
    )  # so that they evict from each other too
    root = tmp_path / "cache"
    children = [
        fork(lambda: hammer(root, seed, rounds))  # noqa: B023
        for seed in range(1, processes + 1)
    ]
    assert [status_of(child) for child in children] == [0] * processes
    cache = Cache.open(root)
    copies(cache, (*NAMES, *(f"runs/{seed}/metrics.jsonl" for seed in range(1, processes + 1))))
    assert strays(cache) == []


def test_threads_that_share_a_cache_read_right_bytes(tmp_path: Path):
    cache = Cache.open(tmp_path / "cache", limit=20_000)

    def job(seed: int) -> int:
        chance, read = random.Random(seed), 0
        for _ in range(30):
            name, generation = chance.choice(NAMES), chance.randint(1, 3)
            path = cache.find(BUCKET, stored(name, generation)[0]) or put(cache, name, generation)
            with suppress(FileNotFoundError):
                assert path.read_bytes() == content(name, generation)
                read += 1
        return read

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(job, range(8))) > 8
    assert copies(cache)
    assert strays(cache) == []
