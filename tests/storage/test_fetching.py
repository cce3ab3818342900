"""Many files at once: a bucket that dies, listings that come late, objects asked for by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.storage.server import Fault, StorageServer
from viz3d.errors import BucketError
from viz3d.load import open_source
from viz3d.settings import Settings
from viz3d.sources.bucket import BucketSource
from viz3d.sources.progress import Progress

ROWS = b'{"step": 1, "loss": 3.5}\n' * 200


@pytest.fixture
def server() -> Iterator[StorageServer]:
    with StorageServer() as running:
        for number in range(60):
            running.put("team-runs", f"runs/r{number:02}/metrics.jsonl", ROWS)
        yield running


def connect(server: StorageServer, cache: Path, **settings: Any) -> BucketSource:
    chosen = Settings(
        storage_emulator=server.url, cache_dir=str(cache), **{"patience": 0.1, **settings}
    )
    source = open_source("gs://team-runs", chosen)
    assert isinstance(source, BucketSource)
    return source


def asked(server: StorageServer, kind: str) -> int:
    return sum(request.kind == kind for request in server.requests)


def test_a_bucket_that_dies_ends_the_batch_and_no_file_waits_for_it_again(
    server: StorageServer, tmp_path: Path
):
    source = connect(server, tmp_path)
    files = source.files()
    server.faults.append(Fault("status", on="media", status=503, times=None))
    source.prepare(files)
    sent = asked(server, "media")
    assert sent < 20 * 16
    for file in files:
        with pytest.raises(BucketError, match="503"):
            source.fetch(file)
    assert asked(server, "media") == sent


def test_one_object_that_fails_stops_no_other(server: StorageServer, tmp_path: Path):
    source = connect(server, tmp_path)
    files = source.files()
    bad = "runs/r07/metrics.jsonl"
    server.faults.append(Fault("status", on="media", name=bad, status=503, times=None))
    source.prepare(files)
    for file in files:
        if file.path == bad:
            with pytest.raises(BucketError):
                source.fetch(file)
        else:
            assert source.fetch(file).read_bytes() == ROWS


def test_a_listing_that_comes_too_late_is_there_at_the_next_call(
    server: StorageServer, tmp_path: Path
):
    connect(server, tmp_path).files()
    server.put("team-runs", "runs/new/metrics.jsonl", ROWS)
    slow = connect(server, tmp_path)
    answer = threading.Event()
    server.faults.append(Fault("pass", on="list", times=None, then=lambda: answer.wait(30)))
    files = slow.files()
    assert slow.as_of is not None
    assert "runs/new/metrics.jsonl" not in {file.path for file in files}
    with pytest.raises(BucketError) as caught:
        slow.fetch(next(file for file in files))
    assert caught.value.kind == "offline"
    answer.set()
    server.clear()
    asking = slow._asking
    assert asking is not None
    assert asking.done.wait(30)
    sent = asked(server, "list")
    assert "runs/new/metrics.jsonl" in {file.path for file in slow.files()}
    assert asked(server, "list") == sent
    assert slow.as_of is None


def test_an_object_in_a_folder_that_is_left_out_opens_by_its_own_address(
    server: StorageServer, tmp_path: Path
):
    server.put("team-runs", "runs/a/checkpoints/log.csv", b"step,loss\n1,2.0\n2,1.0\n")
    chosen = Settings(storage_emulator=server.url, cache_dir=str(tmp_path))
    source = open_source("gs://team-runs/runs/a/checkpoints/log.csv", chosen)
    (file,) = source.files()
    assert source.fetch(file).read_bytes().startswith(b"step,loss")


def test_a_stopped_batch_keeps_what_came_and_goes_on_from_there(
    server: StorageServer, tmp_path: Path
):
    big = b'{"step": 1, "loss": 3.5}\n' * 400_000
    server.put("team-runs", "runs/big/metrics.jsonl", big)
    source = connect(server, tmp_path, patience=1.0)
    file = next(file for file in source.files() if "big" in file.path)
    stop = threading.Event()
    server.faults.append(Fault("drip", on="media", at=3_000_000, rate=50_000, times=1))

    def watch(progress: Progress) -> None:
        if progress.bytes_done >= 3_000_000:
            stop.set()

    source.prepare([file], watch, stop)
    assert stop.is_set()
    server.clear()
    again = connect(server, tmp_path, patience=1.0)
    assert again.fetch(file).read_bytes() == big
    (request,) = [request for request in server.requests if request.kind == "media"]
    begun = int(request.range.removeprefix("bytes=").split("-")[0])
    assert begun >= 2_700_000


def test_what_the_watcher_raises_reaches_the_caller_and_leaves_nothing_locked(
    server: StorageServer, tmp_path: Path
):
    source = connect(server, tmp_path)
    files = source.files()

    def watch(progress: Progress) -> None:
        raise RuntimeError("the page was left")

    with pytest.raises(RuntimeError, match="page was left"):
        source.prepare(files, watch)
    assert [source.fetch(file).read_bytes() for file in files] == [ROWS] * len(files)


def test_twenty_viewers_of_one_process_download_each_object_once(
    server: StorageServer, tmp_path: Path
):
    sources = [connect(server, tmp_path) for _ in range(20)]
    files = sources[0].files()
    server.clear()

    def view(source: BucketSource) -> list[bytes]:
        source.prepare(files)
        return [source.fetch(file).read_bytes() for file in files]

    with ThreadPoolExecutor(len(sources)) as pool:
        assert list(pool.map(view, sources)) == [[ROWS] * len(files)] * len(sources)
    assert asked(server, "media") == len(files)


def test_a_compressed_object_is_checked_as_stored_and_read_decoded(
    server: StorageServer, tmp_path: Path
):
    import gzip

    server.put("team-runs", "runs/z/metrics.jsonl", gzip.compress(ROWS), encoding="gzip")
    source = connect(server, tmp_path)
    file = next(file for file in source.files() if file.path.startswith("runs/z"))
    server.faults.append(Fault("reset", on="media", at=20))
    assert source.fetch(file).read_bytes() == ROWS
    assert source.cache.verify().bad == []


def test_a_copy_that_rotted_is_fetched_again(server: StorageServer, tmp_path: Path):
    source = connect(server, tmp_path)
    file = source.files()[0]
    copy = source.fetch(file)
    data = bytearray(copy.read_bytes())
    data[7] ^= 1
    copy.write_bytes(data)
    assert source.fetch(file).read_bytes() == ROWS


def test_a_cache_that_is_deleted_while_it_is_used_is_filled_again(
    server: StorageServer, tmp_path: Path
):
    import shutil

    source = connect(server, tmp_path / "cache")
    files = source.files()
    source.prepare(files)
    shutil.rmtree(tmp_path / "cache")
    assert source.fetch(files[0]).read_bytes() == ROWS


def test_an_object_that_is_replaced_after_the_listing_is_read_as_it_is_now(
    server: StorageServer, tmp_path: Path
):
    source = connect(server, tmp_path)
    file = source.files()[0]
    server.put("team-runs", file.path, ROWS * 2)
    assert source.fetch(file).read_bytes() == ROWS * 2
    assert source.remarks(file) == ()


def test_an_object_that_is_replaced_half_way_is_never_mixed(server: StorageServer, tmp_path: Path):
    source = connect(server, tmp_path)
    file = source.files()[0]
    other = b'{"step": 2, "loss": 1.5}\n' * 200
    server.faults.append(
        Fault("reset", on="media", at=2000, then=lambda: server.put("team-runs", file.path, other))
    )
    assert source.fetch(file).read_bytes() == other


def test_an_object_that_was_deleted_is_told_and_its_copy_kept(
    server: StorageServer, tmp_path: Path
):
    source = connect(server, tmp_path)
    kept, gone = source.files()[:2]
    source.fetch(kept)
    server.put("team-runs", kept.path, ROWS * 2)
    files = {file.path: file for file in source.files()}
    for path in (kept.path, gone.path):
        server.delete("team-runs", path)
    assert source.fetch(files[kept.path]).read_bytes() == ROWS
    (remark,) = source.remarks(files[kept.path])
    assert "no longer in gs://team-runs" in remark.what
    with pytest.raises(BucketError) as caught:
        source.fetch(files[gone.path])
    assert caught.value.kind == "deleted"


def test_a_fault_that_passed_leaves_no_remark(server: StorageServer, tmp_path: Path):
    source = connect(server, tmp_path)
    file = source.files()[0]
    source.fetch(file)
    server.put("team-runs", file.path, ROWS * 3)
    file = next(one for one in source.files() if one.path == file.path)
    server.faults.append(Fault("status", on="media", status=503, times=None))
    source.prepare([file])
    server.clear()
    source.prepare([file])
    assert source.fetch(file).read_bytes() == ROWS * 3
    assert source.remarks(file) == ()


def test_a_fault_of_the_program_is_no_empty_bucket(
    server: StorageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = connect(server, tmp_path)

    def broken() -> None:
        raise ImportError("no module named x")

    monkeypatch.setattr(source._bucket, "load", broken)
    with pytest.raises(ImportError, match="no module named x"):
        source.files()


@pytest.mark.parametrize("pattern", ["{a,b/c}", "[", "runs/{x"])
def test_a_pattern_that_is_none_is_blamed_itself(
    pattern: str, server: StorageServer, tmp_path: Path
):
    with pytest.raises(BucketError) as caught:
        connect(server, tmp_path).find(pattern)
    assert caught.value.kind == "bad_pattern"


def test_a_compressed_object_is_known_however_its_encoding_is_written(
    server: StorageServer, tmp_path: Path
):
    import gzip

    server.put("team-runs", "runs/z/metrics.jsonl", gzip.compress(ROWS), encoding="GZIP")
    source = connect(server, tmp_path)
    file = next(file for file in source.files() if file.path.startswith("runs/z"))
    assert source.fetch(file).read_bytes() == ROWS


def test_an_emulator_may_be_named_without_its_scheme(server: StorageServer, tmp_path: Path):
    plain = Settings(
        storage_emulator=server.url.removeprefix("http://"), cache_dir=str(tmp_path), patience=0.1
    )
    assert len(open_source("gs://team-runs", plain).files()) == 60
