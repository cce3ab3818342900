"""What Google Cloud Storage answers, without faults and without a network."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Mapping
from itertools import count
from threading import RLock
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from tests.storage import login
from tests.storage.faults import (
    NO_BUCKET,
    NOT_MET,
    PORTAL,
    Answer,
    Request,
    json_answer,
    page_answer,
    refusal,
)
from tests.storage.objects import Refusal, StoredObject, list_page, page_number, select
from tests.storage.uploads import Upload, parse_multipart

# Paths, still quoted: kind of the request, pattern of the path.
_PATHS = (
    ("token", re.compile(r"/token")),
    ("upload", re.compile(r"/(?:resumable/)?upload/storage/v1/b/([^/]*)/o")),
    ("media", re.compile(r"/download/storage/v1/b/([^/]*)/o/(.+)")),
    ("metadata", re.compile(r"/storage/v1/b/([^/]*)/o/(.+)")),
    ("list", re.compile(r"/storage/v1/b/([^/]*)/o")),
    ("bucket", re.compile(r"/storage/v1/b/([^/]+)")),
    ("buckets", re.compile(r"/storage/v1/b")),
)
_METHODS = {"token": {"POST"}, "upload": {"POST", "PUT"}}
_PERMISSIONS = {
    "list": ("storage.objects.list", "bucket"),
    "media": ("storage.objects.get", "object"),
    "metadata": ("storage.objects.get", "object"),
    "bucket": ("storage.buckets.get", "bucket"),
    "buckets": ("storage.buckets.list", "project"),
    "upload": ("storage.objects.create", "object"),
}


def read_request(method: str, target: str, headers: Mapping[str, str]) -> Request:
    """Return what is asked for; `target` is the path with its query, as sent."""
    path, _, text = target.partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    kind, bucket, name = "other", "", path
    for named, pattern in _PATHS:
        if method in _METHODS.get(named, {"GET"}) and (found := pattern.fullmatch(path)):
            kind, (bucket, name) = named, (*map(unquote, found.groups()), "", "")[:2]
            break
    if kind == "metadata" and query.get("alt") == "media":
        kind = "media"
    if kind == "list":
        name = query.get("prefix", "")
    elif kind == "upload":
        name = query.get("name", "")
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    ranged = headers.get("Content-Range" if kind == "upload" else "Range", "")
    page = page_number(query) if kind == "list" else 0
    return Request(method, kind, bucket, name, query, ranged, token, time.monotonic(), page)


def upload_name(request: Request, headers: Mapping[str, str], body: bytes) -> str:
    """Return the name of the object that a request writes, as far as the request itself says it."""
    if request.kind != "upload" or request.query.get("uploadType") != "multipart":
        return request.name
    kind = headers.get("Content-Type", "")
    return parse_multipart(request.bucket, request.query, kind, body).name


class Service:
    """Buckets, logins, and answers about them; see `StorageServer` for the attributes."""

    def __init__(self) -> None:
        self.url = ""
        self.open = True
        self.public: set[str] = set()
        self.tokens: dict[str, set[str]] = {}
        self.issues, self.lifetime, self.clock_offset = "good", 3600, 0.0
        self._buckets: dict[str, dict[str, StoredObject]] = {}
        self._uploads: dict[str, Upload] = {}
        self._generations = count(1_700_000_000_000_001)
        self._lock = RLock()

    def now(self) -> float:
        """Return the service's time, seconds since 1970."""
        return time.time() + self.clock_offset

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket, unless it is there."""
        with self._lock:
            self._buckets.setdefault(bucket, {})

    def put(
        self,
        bucket: str,
        name: str,
        data: bytes,
        updated: float | None = None,
        encoding: str = "",
        content_type: str = "application/octet-stream",
    ) -> StoredObject:
        """Write a new generation of an object; the bucket is made if need be.

        Parameters
        ----------
        bucket, name : str
        data : bytes
            As stored: compressed, where `encoding` is ``"gzip"``.
        updated : float, optional
            Seconds since 1970, kept to the millisecond; by default now.
        encoding, content_type : str
        """
        when = round(self.now() if updated is None else updated, 3)
        with self._lock:
            self.make_bucket(bucket)
            stored = StoredObject(
                bucket, name, data, next(self._generations), when, encoding, content_type
            )
            self._buckets[bucket][name] = stored
            return stored

    def get(self, bucket: str, name: str) -> StoredObject | None:
        """Return an object as it is now."""
        with self._lock:
            return self._buckets.get(bucket, {}).get(name)

    def delete(self, bucket: str, name: str) -> None:
        """Delete an object; it must be there."""
        with self._lock:
            del self._buckets[bucket][name]

    def token(self, token: str, *buckets: str) -> str:
        """Let a token into buckets, and hand it out at ``/token`` from now on."""
        self.tokens[token] = set(buckets)
        self.issues = token
        return token

    def answer(self, request: Request, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return the answer to a request."""
        try:
            with self._lock:
                return self._answer(request, headers, body)
        except Refusal as error:
            return refusal(request, error.status, error.message, error.reason)

    def _answer(self, request: Request, headers: Mapping[str, str], body: bytes) -> Answer:
        if request.kind == "token":
            return login.token_answer(body, self.issues, self.lifetime, self.now())
        if request.kind == "other":
            return page_answer() if request.name == PORTAL else Answer(404, {})
        self._let_in(request)
        if request.kind == "upload":
            return self._upload(request, headers, body)
        if request.kind == "media":
            return self._media(request, headers)
        return json_answer(select(self._document(request), request.query.get("fields", "")))

    def _document(self, request: Request) -> dict[str, Any]:
        """Return what a request for JSON asks for."""
        if request.kind == "metadata":
            return self._object(request).document(self.url)
        if request.kind == "list":
            objects = self._buckets[request.bucket].values()
            return list_page(objects, request.query, self.url)
        if request.kind == "bucket":
            return _bucket(request.bucket)
        if "project" not in request.query:
            raise Refusal(400, "Required parameter: project", "required")
        seen = [name for name in sorted(self._buckets) if self.open or self._may(request, name)]
        return {"kind": "storage#buckets", "items": [_bucket(name) for name in seen]}

    def _let_in(self, request: Request) -> None:
        """Refuse who is unknown, what does not exist, and what is not allowed; in this order."""
        permission, what = _PERMISSIONS[request.kind]
        if not self.open and request.token and request.token not in self.tokens:
            raise Refusal(401, "Invalid Credentials", "authError")
        if request.bucket and request.bucket not in self._buckets:
            raise Refusal(404, NO_BUCKET, "notFound")
        if self.open or self._may(request, request.bucket):
            return
        who = login.ACCOUNT if request.token else "Anonymous caller"
        said = f"{who} does not have {permission} access to the Google Cloud "
        said += "project." if what == "project" else f"Storage {what}."
        said += f" Permission '{permission}' denied on resource (or it may not exist)."
        raise Refusal(
            403 if request.token else 401, said, "forbidden" if request.token else "required"
        )

    def _may(self, request: Request, bucket: str) -> bool:
        if not bucket:
            return bool(request.token)
        return bucket in self.tokens.get(request.token, ()) or (
            bucket in self.public and request.kind != "upload"
        )

    def _object(self, request: Request) -> StoredObject:
        """Return the generation asked for."""
        found = self._buckets[request.bucket].get(request.name)
        asked = request.query.get("generation")
        if not found or (asked and asked != str(found.generation)):
            raise Refusal(404, f"No such object: {request.bucket}/{request.name}", "notFound")
        _meet(request.query, found)
        return found

    def _media(self, request: Request, headers: Mapping[str, str]) -> Answer:
        found = self._object(request)
        compressed = found.encoding == "gzip"
        told = {
            "Content-Type": found.content_type,
            "ETag": found.etag,
            "X-Goog-Generation": str(found.generation),
            "X-Goog-Metageneration": "1",
            "X-Goog-Hash": f"crc32c={found.crc32c},md5={found.md5}",
            "X-Goog-Stored-Content-Length": str(len(found.data)),
            "X-Goog-Stored-Content-Encoding": found.encoding or "identity",
        }
        if compressed and "gzip" not in headers.get("Accept-Encoding", ""):
            # Decompressed on the way out; a range has no meaning then and is ignored.
            told["Warning"] = "214 UploadServer gunzipped"
            return Answer(200, told, gzip.decompress(found.data))
        if compressed:
            told["Content-Encoding"] = "gzip"
        if not request.range:
            return Answer(200, told, found.data)
        start, end = _range(request.range, len(found.data))
        told["Content-Range"] = f"bytes {start}-{end - 1}/{len(found.data)}"
        return Answer(206, told, found.data[start:end])

    def _upload(self, request: Request, headers: Mapping[str, str], body: bytes) -> Answer:
        if request.method == "PUT":
            return self._continue_upload(request, body)
        query, bucket = request.query, request.bucket
        content_type = headers.get("Content-Type", "")
        kind = query.get("uploadType")
        if kind == "multipart":
            upload = parse_multipart(bucket, query, content_type, body)
        elif kind == "media":
            upload = Upload(bucket, query, {"contentType": content_type}, bytearray(body))
        elif kind == "resumable":
            upload = Upload.begin(bucket, query, headers, body)
        else:
            raise Refusal(400, "Upload requests must include an uploadType.", "badRequest")
        request.name = upload.name
        if kind != "resumable":
            return self._commit(upload)
        _meet(query, self.get(bucket, upload.name))
        session = str(len(self._uploads) + 1)
        self._uploads[session] = upload
        place = f"{self.url}/upload/storage/v1/b/{quote(bucket, safe='')}/o"
        return Answer(200, {"Location": f"{place}?uploadType=resumable&upload_id={session}"})

    def _continue_upload(self, request: Request, body: bytes) -> Answer:
        upload = self._uploads.get(request.query.get("upload_id", ""))
        if upload is None:
            raise Refusal(404, "Not Found", "notFound")
        request.name = upload.name
        if upload.done is None and not upload.add(request.range, body):
            have = len(upload.data)
            return Answer(308, {"Range": f"bytes=0-{have - 1}"} if have else {})
        return self._commit(upload)

    def _commit(self, upload: Upload) -> Answer:
        """Store what was uploaded; asked again, only say that it is."""
        if upload.done is None:
            _meet(upload.query, self.get(upload.bucket, upload.name))
            upload.check()
            upload.done = self.put(
                upload.bucket,
                upload.name,
                bytes(upload.data),
                encoding=upload.metadata.get("contentEncoding", ""),
                content_type=upload.content_type,
            )
        told = {"X-Goog-Hash": f"crc32c={upload.done.crc32c},md5={upload.done.md5}"}
        answer = json_answer(upload.done.document(self.url))
        return Answer(200, answer.headers | told, answer.body)


def _meet(query: Mapping[str, str], found: StoredObject | None) -> None:
    """Refuse where a precondition on the generation does not hold; 0 stands for no object."""
    generation = str(found.generation if found else 0)
    if query.get("ifGenerationMatch", generation) != generation:
        raise Refusal(412, NOT_MET, "conditionNotMet")
    if query.get("ifGenerationNotMatch") == generation:
        raise Refusal(304, "", "")


def _range(text: str, size: int) -> tuple[int, int]:
    """Return the first byte of a ``Range`` and the one after its last."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", text)
    if not found or not any(found.groups()):
        return 0, size
    first, last = found.groups()
    if not first:
        return max(size - int(last), 0), size
    if int(first) >= size:
        raise Refusal(
            416, "The requested range cannot be satisfied.", "requestedRangeNotSatisfiable"
        )
    return int(first), min(int(last) + 1 if last else size, size)


def _bucket(name: str) -> dict[str, Any]:
    return {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "projectNumber": "100000000001",
        "location": "EU",
        "locationType": "multi-region",
        "storageClass": "STANDARD",
    }
