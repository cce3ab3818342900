"""The server answers the stock client as the service does: listing, reading, uploading."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator

import pytest
from google.api_core.exceptions import (
    BadRequest,
    GoogleAPICallError,
    NotFound,
    NotModified,
    PreconditionFailed,
    RequestRangeNotSatisfiable,
)

from tests.storage.objects import Refusal, glob_regex, select
from tests.storage.server import Fault, StorageServer
from tests.storage.stock import NAME, QUICK, connect, download, listing, raw

DATA = bytes(range(256)) * 1024
PIECE = 1 << 18


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    # Else the client asks for the bucket's description behind our back.
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    with StorageServer() as running:
        running.put("bucket", NAME, DATA)
        yield running


def test_pages_come_in_the_order_of_names(server: StorageServer):
    for number in reversed(range(2100)):
        server.put("bucket", f"many/{number:04}", b"")
    assert listing(server, prefix="many/") == [f"many/{number:04}" for number in range(2100)]
    assert [request.page for request in server.requests] == [1, 2, 3]


def test_a_page_is_as_long_as_was_asked(server: StorageServer):
    for name in ("b", "c/1", "c/2", "d"):
        server.put("bucket", name, b"")
    found = connect(server).list_blobs("bucket", delimiter="/", page_size=2)
    pages = [([blob.name for blob in page], page.prefixes) for page in found.pages]
    assert pages == [(["b"], ("c/",)), (["d"], ("runs/",))]


def test_folders(server: StorageServer):
    server.put("bucket", "runs/b/logs/x", b"")
    server.put("bucket", "runs/report.md", b"")
    server.put("bucket", "runsaway", b"")
    found = connect(server).list_blobs("bucket", prefix="runs/", delimiter="/")
    assert [blob.name for blob in found] == ["runs/report.md"]
    assert found.prefixes == {"runs/a/", "runs/b/"}


def test_offsets(server: StorageServer):
    for name in "pqrs":
        server.put("bucket", name, b"")
    assert listing(server, start_offset="q", end_offset="s") == ["q", "r", NAME]


def test_a_glob(server: StorageServer):
    server.put("bucket", "runs/b/config.yaml", b"")
    assert listing(server, match_glob="runs/**/*.{jsonl,csv}") == [NAME]
    assert listing(server, match_glob="*.jsonl") == []


@pytest.mark.parametrize(
    ("glob", "fits", "not_fits"),
    [
        ("*.csv", ["a.csv", ".csv"], ["a/b.csv", "a.csvx"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("**.csv", ["a.csv", "a/b.csv"], ["a.tsv"]),
        ("**/m.csv", ["m.csv", "a/m.csv", "a/b/m.csv"], ["am.csv", "a/bm.csv"]),
        ("a/**/m", ["a/m", "a/b/m", "a/b/c/m"], ["am", "a/bm"]),
        ("x**/m", ["x/m", "xy/m", "xy/z/m"], ["xm"]),
        ("[a-c]1", ["a1", "c1"], ["d1", "-1"]),
        ("[!a-c]1", ["d1"], ["a1", "/1"]),
        ("{a,b*}.csv", ["a.csv", "b.csv", "bx.csv"], ["c.csv", "b/x.csv"]),
        ("a.b+(c)|^$", ["a.b+(c)|^$"], ["axb+(c)|^$"]),
        (r"a\*\[b", ["a*[b"], ["ax[b", r"a\*\[b"]),
    ],
)
def test_what_a_glob_matches(glob: str, fits: list[str], not_fits: list[str]):
    pattern = glob_regex(glob)
    assert [name for name in fits + not_fits if pattern.fullmatch(name)] == fits


@pytest.mark.parametrize("glob", ["a{b/c,d}", "{a,**}", "a[bc", "a{b,c"])
def test_a_glob_that_the_service_refuses(glob: str, server: StorageServer):
    with pytest.raises(Refusal):
        glob_regex(glob)
    with pytest.raises(BadRequest):
        listing(server, match_glob=glob)


def test_what_is_not_played_is_refused(server: StorageServer):
    for asked in ({"versions": True}, {"match_glob": "*", "delimiter": "/"}):
        with pytest.raises(GoogleAPICallError) as caught:
            listing(server, **asked)
        assert caught.value.code == 501


def test_what_an_object_is_said_to_be(server: StorageServer):
    stored = server.put("bucket", "x", b"123456789", updated=1234.5, encoding="gzip")
    (blob,) = connect(server).list_blobs("bucket", prefix="x")
    assert (blob.size, blob.generation) == (9, stored.generation)
    assert blob.crc32c == "4waSgw=="  # the check value of CRC-32C, 0xE3069283
    assert blob.updated.timestamp() == stored.updated == 1234.5
    assert blob.content_encoding == "gzip"
    assert connect(server).bucket("bucket").get_blob("x").etag == blob.etag


def test_only_the_fields_asked_for(server: StorageServer):
    (blob,) = connect(server).list_blobs("bucket", fields="items(name,size),nextPageToken")
    assert (blob.name, blob.size, blob.crc32c) == (NAME, len(DATA), None)
    document = {"a": 1, "b": [{"c": 2, "d": 3}], "e": {"f": 4, "g": 5}}
    assert select(document, "b(c),e/f") == {"b": [{"c": 2}], "e": {"f": 4}}


def test_buckets(server: StorageServer):
    server.make_bucket("another")
    found = connect(server).list_buckets()
    assert [bucket.name for bucket in found] == ["another", "bucket"]
    assert connect(server).get_bucket("bucket").location == "EU"
    with pytest.raises(NotFound, match="The specified bucket does not exist"):
        connect(server).get_bucket("missing")


def test_whole_and_in_part(server: StorageServer):
    assert download(server) == DATA
    assert download(server, start=5) == DATA[5:]
    assert download(server, start=5, end=9) == DATA[5:10]
    assert [request.range for request in server.requests] == ["", "bytes=5-", "bytes=5-9"]
    assert [request.status for request in server.requests] == [200, 206, 206]


def test_the_last_bytes(server: StorageServer):
    answer = raw(server, Range="bytes=-3")
    assert answer.read() == DATA[-3:]
    end = len(DATA)
    assert answer.headers["Content-Range"] == f"bytes {end - 3}-{end - 1}/{end}"


def test_a_range_beyond_the_end(server: StorageServer):
    with pytest.raises(RequestRangeNotSatisfiable):
        download(server, start=len(DATA))


def test_a_generation_that_is_gone(server: StorageServer):
    old = server.get("bucket", NAME)
    new = server.put("bucket", NAME, b"new")
    assert old
    assert new.generation > old.generation
    blob = connect(server).bucket("bucket").blob(NAME, generation=old.generation)
    with pytest.raises(NotFound, match=f"No such object: bucket/{NAME}"):
        blob.download_as_bytes()
    assert download(server, if_generation_match=new.generation) == b"new"
    with pytest.raises(PreconditionFailed):
        download(server, if_generation_match=old.generation)
    with pytest.raises(NotModified):
        download(server, if_generation_not_match=new.generation)


def test_an_object_that_is_deleted(server: StorageServer):
    server.delete("bucket", NAME)
    assert listing(server) == []
    with pytest.raises(NotFound):
        download(server)


def test_an_object_stored_compressed(server: StorageServer):
    packed = gzip.compress(DATA)
    server.put("bucket", NAME, packed, encoding="gzip")
    assert download(server) == DATA
    assert download(server, raw_download=True) == packed
    assert download(server, raw_download=True, start=5) == packed[5:]
    plain = raw(server, Range="bytes=5-")
    assert (plain.status, plain.read()) == (200, DATA)
    assert plain.headers["X-Goog-Stored-Content-Encoding"] == "gzip"
    assert plain.headers["X-Goog-Stored-Content-Length"] == str(len(packed))


def test_names_that_need_quoting(server: StorageServer):
    for name in ("a b/c?d#e%20f&g+h", "ä/日本/🙂", "a//b", "/a", "o/o", "../x"):
        server.put("bucket", name, name.encode())
        assert download(server, name=name) == name.encode()
        assert name in listing(server)


def test_in_one_piece(server: StorageServer):
    blob = connect(server).bucket("bucket").blob("up/x")
    blob.content_encoding = "gzip"
    data = gzip.compress(b"\r\n--hello--\r\n")
    blob.upload_from_string(data, content_type="text/plain", if_generation_match=0)
    stored = server.get("bucket", "up/x")
    assert stored
    assert (stored.data, stored.encoding, stored.content_type) == (data, "gzip", "text/plain")
    assert blob.generation == stored.generation
    assert server.requests[0].name == "up/x"
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"", if_generation_match=0)
    assert server.get("bucket", "up/x") == stored


@pytest.mark.parametrize("size", [0, 1, 3 * PIECE, 700_000])
def test_in_pieces(size: int, server: StorageServer):
    data = (DATA * 3)[:size]
    blob = connect(server).bucket("bucket").blob("up/x", chunk_size=PIECE)
    blob.upload_from_file(io.BytesIO(data), if_generation_match=0, retry=QUICK)
    stored = server.get("bucket", "up/x")
    assert stored
    assert stored.data == data
    assert len(server.requests) > size / PIECE
    with pytest.raises(PreconditionFailed):
        blob.upload_from_file(io.BytesIO(data), if_generation_match=0)


@pytest.mark.parametrize("skip", [1, 2, 3])
def test_a_piece_whose_answer_was_lost(skip: int, server: StorageServer):
    server.faults.append(Fault("late_status", on="upload", skip=skip))
    blob = connect(server).bucket("bucket").blob("up/x", chunk_size=PIECE)
    blob.upload_from_file(io.BytesIO(DATA * 3), retry=QUICK)
    stored = server.get("bucket", "up/x")
    assert stored
    assert stored.data == DATA * 3
    lost, again = server.requests[skip : skip + 2]
    assert (lost.range, lost.status) == (again.range, 503)


@pytest.mark.parametrize("kind", ["late_status", "drop"])
def test_an_answer_that_was_lost_looks_like_somebody_elses_upload(kind: str, server: StorageServer):
    server.faults.append(Fault(kind, on="upload"))
    blob = connect(server).bucket("bucket").blob("up/x")
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"mine", if_generation_match=0, retry=QUICK)
    stored = server.get("bucket", "up/x")
    assert stored
    assert stored.data == b"mine"


def test_a_checksum_that_does_not_fit(server: StorageServer):
    blob = connect(server).bucket("bucket").blob("up/x")
    blob.crc32c = "AAAAAA=="
    with pytest.raises(BadRequest, match="doesn't match calculated"):
        blob.upload_from_string(b"mine", checksum=None)
    assert server.get("bucket", "up/x") is None
