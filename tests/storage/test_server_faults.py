"""The server fails as it says, and what the stock client makes of it.

The rows are those of the measured table that the design rests on. Several end with wrong bytes and
no error: that is why viz3d compares sizes and checksums itself.
"""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests
from google.api_core.exceptions import (
    Forbidden,
    NotFound,
    RequestRangeNotSatisfiable,
    RetryError,
    ServiceUnavailable,
    TooManyRequests,
)
from google.cloud.storage.exceptions import DataCorruption

from tests.storage.server import Fault, StorageServer
from tests.storage.stock import BRIEF, NAME, connect, download, kinds, listing, raw

DATA = bytes(range(256)) * 1024
HALF = len(DATA) // 2


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    # Else the client asks for the bucket's description behind our back.
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    with StorageServer() as running:
        running.put("bucket", NAME, DATA)
        yield running


def replacing(server: StorageServer) -> Callable[[], object]:
    return lambda: server.put("bucket", NAME, b"new")


def read_into(got: bytearray, answer: http.client.HTTPResponse) -> None:
    """Collect what comes, also where the connection breaks; ``read1`` takes an early end as one."""
    while piece := answer.read1():
        got += piece


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_status_is_tried_again(status: int, server: StorageServer):
    for on in ("media", "list"):
        server.faults.append(Fault("status", on=on, status=status, times=3))
    assert listing(server) == [NAME]
    assert download(server) == DATA
    assert [request.status for request in server.requests] == [status, status, status, 200] * 2


def test_the_client_takes_no_notice_of_retry_after(server: StorageServer):
    server.faults.append(Fault("status", status=429, headers={"Retry-After": "20"}, times=2))
    assert raw(server).headers["Retry-After"] == "20"
    assert download(server) == DATA
    _, first, second = server.requests
    assert second.time - first.time < 20


@pytest.mark.parametrize(("status", "cause"), [(503, ServiceUnavailable), (429, TooManyRequests)])
def test_a_status_for_ever(status: int, cause: type[Exception], server: StorageServer):
    server.faults.append(Fault("status", on="list", status=status, times=None))
    with pytest.raises(RetryError) as caught:
        listing(server, retry=BRIEF)
    assert isinstance(caught.value.cause, cause)


def test_a_text_of_ones_own(server: StorageServer):
    told = json.dumps({"error": {"code": 403, "message": "The project is unknown."}})
    server.faults.append(Fault("status", on="list", status=403, body=told))
    with pytest.raises(Forbidden, match="The project is unknown"):
        listing(server)


def test_connections_refused(server: StorageServer):
    with server.down(), pytest.raises(RetryError) as caught:
        listing(server, retry=BRIEF)
    assert isinstance(caught.value.cause, requests.exceptions.ConnectionError)
    assert listing(server) == [NAME]


@pytest.mark.parametrize("kind", ["reset", "fin"])
@pytest.mark.parametrize("at", [0, 1, HALF, len(DATA) - 1])
def test_how_a_break_looks_on_the_wire(kind: str, at: int, server: StorageServer):
    server.faults.append(Fault(kind, at=at))
    answer, got = raw(server), bytearray()
    assert answer.headers["Content-Length"] == str(len(DATA))
    if kind == "reset":
        with pytest.raises(ConnectionResetError):
            read_into(got, answer)
    else:
        read_into(got, answer)
    assert got == DATA[:at]


@pytest.mark.parametrize("kind", ["reset", "fin"])
def test_a_break_is_resumed_on_the_same_generation(kind: str, server: StorageServer):
    stored = server.get("bucket", NAME)
    assert stored
    server.faults.append(Fault(kind, at=HALF))
    assert download(server) == DATA
    first, second = server.requests
    assert (first.range, second.status) == ("", 206)
    assert 0 < int(second.range.removeprefix("bytes=").rstrip("-")) <= HALF
    assert second.query["generation"] == str(stored.generation)


def test_a_break_before_any_answer(server: StorageServer):
    server.faults.append(Fault("drop", on="*", times=2))
    assert listing(server) == [NAME]
    assert [request.status for request in server.requests] == [0, 0, 200]


def test_a_connection_that_always_breaks(server: StorageServer):
    server.faults.append(Fault("reset", times=None))
    with pytest.raises(RetryError):
        download(server, retry=BRIEF)


def test_a_resumed_part_is_not_checked(server: StorageServer):
    server.faults += [Fault("fin", at=HALF), Fault("flip", at=-1)]
    got = download(server)
    assert got == DATA[:-1] + bytes([DATA[-1] ^ 1])


def test_replaced_before_it_is_resumed(server: StorageServer):
    server.faults.append(Fault("reset", at=HALF, then=replacing(server)))
    with pytest.raises(NotFound):
        download(server)


def test_the_rest_is_refused(server: StorageServer):
    server.faults += [Fault("fin", at=HALF), Fault("refuse_resume")]
    with pytest.raises(RequestRangeNotSatisfiable):
        download(server)


def test_the_range_is_ignored(server: StorageServer):
    server.faults.append(Fault("wrong_range"))
    assert download(server, start=10) == DATA
    server.faults.append(Fault("wrong_range", status=206, at=3))
    answer = raw(server, Range="bytes=10-")
    assert (answer.status, answer.read()) == (206, DATA[3:])
    assert answer.headers["Content-Range"].startswith("bytes 3-")


def test_a_flipped_bit_is_noticed(server: StorageServer, tmp_path: Path):
    server.faults.append(Fault("flip", at=HALF))
    blob = connect(server).bucket("bucket").blob(NAME)
    with pytest.raises(DataCorruption):
        blob.download_to_filename(tmp_path / "x")
    assert not (tmp_path / "x").exists()
    assert len(server.requests) == 1


def test_no_checksum(server: StorageServer):
    server.faults.append(Fault("nohash", times=None))
    assert "X-Goog-Hash" not in raw(server).headers
    assert download(server) == DATA
    server.faults.append(Fault("nohash", on="list"))
    (blob,) = connect(server).list_blobs("bucket")
    assert (blob.crc32c, blob.md5_hash, blob.size) == (None, None, len(DATA))


def test_a_flipped_bit_in_a_chunk_is_not_noticed(server: StorageServer):
    server.faults.append(Fault("flip", at=HALF))
    blob = connect(server).bucket("bucket").blob(NAME, chunk_size=1 << 20)
    assert blob.download_as_bytes() == DATA[:HALF] + b"\1" + DATA[HALF + 1 :]


def test_a_short_body_twice_is_taken_for_the_whole(server: StorageServer):
    server.faults.append(Fault("truncate", at=-100, times=2))
    assert download(server) == DATA[:-100]
    assert [request.status for request in server.requests] == [200, 206]


@pytest.mark.parametrize("kind", ["html", "redirect"])
def test_a_login_page_is_taken_for_the_object(kind: str, server: StorageServer):
    server.faults.append(Fault(kind))
    assert download(server).startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("kind", ["html", "redirect", "badjson"])
def test_a_listing_that_is_no_json(kind: str, server: StorageServer):
    server.faults.append(Fault(kind, on="list"))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        listing(server)
    assert listing(server) == [NAME]


def test_another_encoding_than_the_stored(server: StorageServer):
    server.faults.append(Fault("gzip_transcode", times=None))
    assert gzip.decompress(download(server, raw_download=True, checksum=None)) == DATA
    server.put("bucket", NAME, gzip.compress(DATA), encoding="gzip")
    answer = raw(server, **{"Accept-Encoding": "gzip", "Range": "bytes=5-"})
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, None)
    assert answer.read() == DATA


def test_replaced_between_listing_and_reading(server: StorageServer):
    server.faults.append(Fault("pass", on="list", then=replacing(server), times=None))
    (blob,) = connect(server).list_blobs("bucket")
    assert blob.size == len(DATA)
    with pytest.raises(NotFound):
        blob.download_as_bytes()
    (blob,) = connect(server).list_blobs("bucket")  # `then` has had its one run
    assert blob.download_as_bytes() == b"new"


def test_the_newer_object_in_spite_of_the_pin(server: StorageServer):
    old = server.get("bucket", NAME)
    assert old
    server.faults.append(Fault("wrong_generation", then=replacing(server)))
    assert download(server, if_generation_match=old.generation) == b"new"


@pytest.mark.parametrize("read", [listing, download])
def test_never_an_answer(read: Callable[..., Any], server: StorageServer):
    server.faults.append(Fault("hang", on="*", times=None))
    with pytest.raises(RetryError) as caught:
        read(server, retry=BRIEF, timeout=0.1)
    assert "Read timed out" in str(caught.value.cause)
    assert {request.status for request in server.requests} == {0}


def test_a_stall_is_resumed_after_the_time_out(server: StorageServer):
    server.faults.append(Fault("stall", at=HALF))
    assert download(server, timeout=0.15) == DATA
    first, second = server.requests[:2]
    assert second.range
    assert second.time - first.time >= 0.15


def test_slow_and_steady(server: StorageServer):
    server.put("bucket", NAME, DATA[:20_000])
    server.faults.append(Fault("drip", at=10_000, rate=50_000))
    began = monotonic()
    assert download(server) == DATA[:20_000]
    assert monotonic() - began >= 10_000 / 50_000 * 0.9


def test_hung_connections_do_not_hold_up_the_end():
    before = set(threading.enumerate())
    with StorageServer() as server, ThreadPoolExecutor() as pool:
        server.put("bucket", NAME, DATA)
        server.faults += [Fault("hang"), Fault("stall", at=9), Fault("drip", rate=1)]
        reached = threading.Semaphore(0)
        for fault in server.faults:
            fault.then = reached.release
        asked = [pool.submit(lambda: raw(server).read()) for _ in server.faults]
        for _ in asked:
            assert reached.acquire(timeout=5)
        server.stop()
        for one in asked:
            assert isinstance(one.exception(5), http.client.HTTPException | OSError)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


def test_a_fault_strikes_by_kind_object_bucket_and_page(server: StorageServer):
    server.put("bucket", "runs/b/x", b"b")
    server.faults += [
        Fault("status", on="list", page=2, status=403),
        Fault("status", on="list", name="other/*", status=403),
        Fault("status", name="runs/b/*", status=403),
        Fault("status", bucket="other", status=403),
    ]
    assert download(server) == DATA
    assert listing(server) == [NAME, "runs/b/x"]
    with pytest.raises(Forbidden):
        download(server, name="runs/b/x")
    with pytest.raises(Forbidden):
        listing(server, page_size=1)
    assert [fault.fired for fault in server.faults] == [1, 0, 1, 0]


def test_a_fault_strikes_after_some_were_let_through(server: StorageServer):
    server.faults.append(Fault("status", on="list", status=403, skip=1, times=1))
    assert listing(server) == [NAME]
    with pytest.raises(Forbidden):
        listing(server)
    assert listing(server) == [NAME]


def test_a_fault_strikes_by_a_rule(server: StorageServer):
    server.faults.append(
        Fault("status", on="list", status=403, when=lambda one: "matchGlob" in one.query)
    )
    assert listing(server) == [NAME]
    with pytest.raises(Forbidden):
        listing(server, match_glob="**")


def test_a_fault_strikes_exactly_as_often_as_was_said(server: StorageServer):
    ran: list[int] = []
    server.faults.append(Fault("status", on="bucket", times=5, then=lambda: ran.append(1)))
    url = f"{server.url}/storage/v1/b/bucket"
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: requests.get(url, timeout=5).status_code, range(40)))
    assert (got.count(503), got.count(200), len(ran)) == (5, 35, 1)


def test_a_fault_that_there_is_not():
    with pytest.raises(ValueError, match="there is no fault 'typo'"):
        Fault("typo")


def test_clearing(server: StorageServer):
    server.faults.append(Fault("status", on="*", times=None))
    assert requests.get(f"{server.url}/storage/v1/b/bucket/o", timeout=5).status_code == 503
    server.clear()
    assert listing(server) == [NAME]
    assert kinds(server) == ["list"]


def test_a_mistake_of_the_server_is_not_hidden():
    with pytest.raises(ZeroDivisionError), StorageServer() as server:  # noqa: PT012
        server.faults.append(Fault("pass", on="*", then=lambda: 1 // 0))
        requests.get(f"{server.url}/token", timeout=5)
