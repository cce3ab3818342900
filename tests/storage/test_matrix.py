"""Every fault that is injected into a bucket: what the user is told, what stays here, and when.

Each cell opens a source that has read a first generation of a file, replaces the object, and
injects one fault into reading the second. In every cell, whatever the fault:

* the bytes handed out are those of the second generation, or those of the first with a remark that
  says as of when and why;
* nothing in the cache differs from what its name says, and nothing stray is left;
* the neighbouring run is read as if nothing were;
* the answer comes before the cell's deadline (a tenth of the real ones, and of their settings).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.storage.server import Fault, StorageServer
from viz3d.errors import BucketError
from viz3d.load import open_source
from viz3d.run import FileInfo
from viz3d.settings import Settings
from viz3d.sources import faults
from viz3d.sources.bucket import BucketSource

SCALE = 0.1
# Seconds for starting threads and connections; the stock client would take ten or more in all.
SLACK = 0.3
OLD = b"".join(b'{"step": %d, "loss": 9.0}\n' % step for step in range(4000))
NEW = b"".join(b'{"step": %d, "loss": 2.5}\n' % step for step in range(8000))
GROWN = OLD + NEW
LENGTH = len(NEW)
OTHER = b'{"step": 1, "loss": 1.0}\n'
NAME = "runs/a/metrics.jsonl"
FRESH = ""
# kind -> what to do about it
REMEDIES = {kind: remedy for kind, (_, remedy) in faults._FAULTS.items()}


@dataclass(frozen=True)
class Cell:
    """A fault and what must come of it.

    Attributes
    ----------
    name : str
    faults : tuple of dict
        Arguments of `Fault`.
    told : str
        Kind of the fault that the user is told of; empty where the new bytes must come.
    within : float
        Seconds at full length.
    """

    name: str
    faults: tuple[dict[str, Any], ...]
    told: str = FRESH
    within: float = 15.0
    new: bytes = field(default=NEW, repr=False)


def cell(name: str, told: str = FRESH, within: float = 15.0, **fault: Any) -> Cell:
    return Cell(name, (fault,), told, within)


PASSING_STATUS = [
    cell(f"status {status}, once", within=5, kind="status", status=status, times=1)
    for status in (408, 429, 500, 502, 503, 504)
]
BREAKS = [
    cell(f"{kind} at {at}, once", within=5, kind=kind, at=at, times=1)
    for kind in ("reset", "fin")
    for at in (0, 1, LENGTH // 2, LENGTH - 1)
]
FLIPS = [
    cell(f"bit flipped at {at}, once", within=5, kind="flip", at=at, times=1)
    for at in (0, LENGTH // 2, LENGTH - 1)
]
MEDIA = [
    *PASSING_STATUS,
    *BREAKS,
    *FLIPS,
    cell("status 503, three times", within=10, kind="status", status=503, times=3),
    cell("status 503, for ever", "service_down", kind="status", status=503, times=None),
    cell("429 with Retry-After, once", within=10, kind="status", status=429, times=1,
         headers={"Retry-After": "0.2"}),
    cell("429 with a long Retry-After", "too_many_requests", 3, kind="status", status=429,
         times=None, headers={"Retry-After": "120"}),
    cell("429, for ever", "too_many_requests", kind="status", status=429, times=None),
    cell("status 401", "no_credentials", 3, kind="status", status=401, times=None),
    cell("status 403", "no_credentials", 3, kind="status", status=403, times=None),
    cell("status 404", "deleted", 3, kind="status", status=404, times=None),
    cell("status 412", "changed", 3, kind="status", status=412, times=None),
    cell("reset, for ever", "dropped", 30, kind="reset", at=0, times=None),
    cell("closed before the end, for ever", "dropped", 30, kind="fin", at=0, times=None),
    cell("bit flipped, for ever", "corrupt", 10, kind="flip", at=100, times=None),
    cell("shorter than it says, once", within=5, kind="truncate", at=LENGTH - 500, times=1),
    cell("no checksum in the answer", within=5, kind="nohash", times=None),
    cell("login page", "portal", 5, kind="html", times=None),
    cell("redirected to a login page", "portal", 5, kind="redirect", times=None),
    cell("stalled half way, once", within=14, kind="stall", at=LENGTH // 2, times=1),
    cell("stalled after 100 bytes, each time", "stalled", 40, kind="stall", at=100, times=None),
    cell("reset after 100 bytes, each time", "dropped", 30, kind="reset", at=100, times=None),
    cell("never answered", "stalled", kind="hang", times=None),
    cell("slow and steady", within=600, kind="drip", rate=400_000, times=None),
    Cell(
        "broken off, then a bit flipped in the rest, once",
        ({"kind": "reset", "at": LENGTH // 2, "times": 1}, {"kind": "flip", "at": 9, "times": 1}),
        within=6,
    ),
    Cell(
        "broken off, then the range ignored, once",
        ({"kind": "reset", "at": LENGTH // 2, "times": 1}, {"kind": "wrong_range", "times": 1}),
        within=6,
    ),
]  # fmt: skip


@pytest.fixture
def server() -> Iterator[StorageServer]:
    with StorageServer() as running:
        running.put("team-runs", NAME, OLD)
        running.put("team-runs", "runs/b/metrics.jsonl", OTHER)
        yield running


def connect(server: StorageServer, cache: Path, **settings: Any) -> BucketSource:
    chosen = Settings(storage_emulator=server.url, cache_dir=str(cache), patience=SCALE, **settings)
    source = open_source("gs://team-runs", chosen)
    assert isinstance(source, BucketSource)
    return source


def listed(source: BucketSource) -> dict[str, FileInfo]:
    return {file.path: file for file in source.files()}


def settle(source: BucketSource) -> None:
    """What lies in the cache is what its name says, and nothing stray is left."""
    assert source.cache.verify().bad == []
    assert not list(source.cache.folder.rglob("*.tmp"))


@pytest.mark.parametrize("cell", MEDIA, ids=lambda cell: cell.name)
def test_a_fault_of_a_download_with_an_older_copy_here(
    cell: Cell, server: StorageServer, tmp_path: Path
):
    source = connect(server, tmp_path)
    assert source.fetch(listed(source)[NAME]).read_bytes() == OLD
    server.put("team-runs", NAME, cell.new)
    files = listed(source)
    server.clear()
    server.faults += [Fault(on="media", name=NAME, **fault) for fault in cell.faults]
    began = monotonic()
    path = source.fetch(files[NAME])
    took = monotonic() - began
    remarks = source.remarks(files[NAME])
    if cell.told:
        assert path.read_bytes() == OLD
        (remark,) = remarks
        assert re.search(r"as of \d{4}-\d\d-\d\d \d\d:\d\d UTC, because: .+\.$", remark.what)
        assert remark.remedy == REMEDIES[cell.told]
        assert remark.file == NAME
    else:
        assert path.read_bytes() == cell.new
        assert remarks == ()
    assert took <= cell.within * SCALE + SLACK
    assert source.fetch(files["runs/b/metrics.jsonl"]).read_bytes() == OTHER
    settle(source)


@pytest.mark.parametrize("cell", MEDIA, ids=lambda cell: cell.name)
def test_a_fault_of_a_first_download(cell: Cell, server: StorageServer, tmp_path: Path):
    server.put("team-runs", NAME, cell.new)
    source = connect(server, tmp_path)
    files = listed(source)
    server.clear()
    server.faults += [Fault(on="media", name=NAME, **fault) for fault in cell.faults]
    began = monotonic()
    if cell.told:
        with pytest.raises(BucketError) as caught:
            source.fetch(files[NAME])
        assert caught.value.kind == cell.told
        assert_plain(caught.value, tmp_path)
    else:
        assert source.fetch(files[NAME]).read_bytes() == cell.new
    assert monotonic() - began <= cell.within * SCALE + SLACK
    objects = [path for path in (source.cache.folder / "objects").rglob("*") if path.is_file()]
    assert len(objects) == (0 if cell.told else 1)
    assert source.fetch(files["runs/b/metrics.jsonl"]).read_bytes() == OTHER
    settle(source)


def assert_plain(error: BucketError, cache: Path) -> None:
    """One sentence, a remedy, and nothing of the computer or of Python."""
    said = str(error)
    assert error.what.endswith(".")
    assert error.remedy.endswith(".")
    assert str(cache) not in said
    assert not re.search(r"Traceback|Error\b|Exception|object at 0x|http://|<html", said)
    assert len(said) < 500


LISTS = [
    *[
        cell(f"status {status}, once", within=6, kind="status", status=status, times=1)
        for status in (408, 429, 500, 502, 503, 504)
    ],
    cell("status 503, for ever", "service_down", kind="status", status=503, times=None),
    cell("429, for ever", "too_many_requests", kind="status", status=429, times=None),
    cell("429 with Retry-After, once", within=10, kind="status", status=429, times=1,
         headers={"Retry-After": "0.1"}),
    cell("status 401", "no_credentials", 3, kind="status", status=401, times=None),
    cell("status 403", "no_credentials", 3, kind="status", status=403, times=None),
    cell("status 404", "no_bucket", 8, kind="status", status=404, times=None),
    cell("reset, once", within=5, kind="reset", at=0, times=1),
    cell("reset, for ever", "dropped", kind="reset", at=0, times=None),
    cell("login page", "portal", 3, kind="html", times=None),
    cell("redirected to a login page", "portal", 3, kind="redirect", times=None),
    cell("cut JSON, once", within=5, kind="badjson", times=1),
    cell("cut JSON, for ever", "bad_answer", 5, kind="badjson", times=None),
    cell("never answered", "stalled", kind="hang", times=None),
    cell("stalled half way", "stalled", kind="stall", at=100, times=None),
]  # fmt: skip


@pytest.mark.parametrize("cell", LISTS, ids=lambda cell: cell.name)
def test_a_fault_of_the_first_listing(cell: Cell, server: StorageServer, tmp_path: Path):
    source = connect(server, tmp_path)
    server.faults += [Fault(on="list", **fault) for fault in cell.faults]
    began = monotonic()
    if cell.told:
        with pytest.raises(BucketError) as caught:
            source.files()
        assert caught.value.kind == cell.told
        assert_plain(caught.value, tmp_path)
    else:
        assert set(listed(source)) == {NAME, "runs/b/metrics.jsonl"}
        assert source.as_of is None
    assert monotonic() - began <= cell.within * SCALE + SLACK


@pytest.mark.parametrize("cell", LISTS, ids=lambda cell: cell.name)
def test_a_fault_of_a_later_listing(cell: Cell, server: StorageServer, tmp_path: Path):
    before = connect(server, tmp_path)
    kept = listed(before)
    assert before.fetch(kept[NAME]).read_bytes() == OLD
    source = connect(server, tmp_path)
    server.put("team-runs", "runs/c/metrics.jsonl", OTHER)
    server.faults += [Fault(on="list", **fault) for fault in cell.faults]
    began = monotonic()
    files = listed(source)
    took = monotonic() - began
    assert took <= cell.within * SCALE + SLACK
    if cell.told:
        assert files == kept
        assert source.as_of is not None
        (problem,) = source.problems()
        assert re.search(r"as of \d{4}-\d\d-\d\d \d\d:\d\d UTC", problem.what)
        assert problem.remedy in (REMEDIES[cell.told], "")
        assert source.fetch(files[NAME]).read_bytes() == OLD
        server.clear()
        assert "runs/c/metrics.jsonl" in eventually(source)
    else:
        assert "runs/c/metrics.jsonl" in files


def eventually(source: BucketSource) -> dict[str, FileInfo]:
    """List until the bucket has answered again: one listing may still be under way."""
    for _ in range(20):
        files = listed(source)
        if source.as_of is None:
            return files
    raise AssertionError("the listing never came back")


@pytest.mark.parametrize("kind", ["reset", "badjson", "html", "hang"])
def test_a_listing_that_breaks_on_a_later_page_is_never_taken_for_the_whole(
    kind: str, server: StorageServer, tmp_path: Path
):
    for number in range(2200):
        server.put("team-runs", f"runs/many-{number:04}/metrics.jsonl", OTHER)
    source = connect(server, tmp_path)
    server.faults.append(Fault(on="list", kind=kind, page=3, times=None))
    with pytest.raises(BucketError):
        source.files()
    server.clear()
    assert len(eventually(source)) == 2202
