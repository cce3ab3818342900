"""What can go wrong, and the requests that it goes wrong with."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import count
from typing import Any

PAGE = "<!DOCTYPE html><html><body>Welcome! Accept our terms to use this network.</body></html>"
PORTAL = "/portal"
# Where in the course of an answer a fault strikes.
INSTEAD = {"status", "html", "redirect", "hang", "refuse_resume", "invalid_grant", "invalid_rapt",
           "invalid_client", "clock_skew"}  # fmt: skip
REQUEST = {"wrong_generation", "wrong_range", "gzip_transcode"}
ANSWER = {"nohash", "flip", "truncate", "badjson", "late_status"}
WIRE = {"pass", "drop", "reset", "fin", "stall", "drip"}


@dataclass
class Request:
    """A request that came in.

    Attributes
    ----------
    method : str
    kind : str
        ``"list"``, ``"buckets"``, ``"bucket"``, ``"metadata"``, ``"media"``, ``"token"``,
        ``"upload"`` or ``"other"``.
    bucket, name : str
        Of a listing, `name` is the prefix; of an ``"other"`` request, the path.
    query : dict of str to str
    range : str
        The ``Range`` header; of an upload, ``Content-Range``.
    token : str
        The bearer token; empty where there was none.
    time : float
        When it came, on the monotonic clock.
    page : int
        Which page of a listing, from 1; 0 of other requests.
    status : int
        Of the answer; 0 while there is none.
    """

    method: str
    kind: str
    bucket: str
    name: str
    query: dict[str, str]
    range: str
    token: str
    time: float
    page: int = 0
    status: int = 0


@dataclass
class Answer:
    """What is sent back."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass(eq=False)
class Fault:
    """One thing that goes wrong. Of several that fit a request, the first strikes.

    Parameters
    ----------
    kind : str
        Instead of an answer: ``"status"``; ``"html"`` (a login page, 200); ``"redirect"`` (to a
        login page); ``"hang"`` (never answers); ``"refuse_resume"`` (416 to a request with a
        range); at the token service ``"invalid_grant"`` (login expired), ``"invalid_rapt"`` (login
        must be renewed), ``"invalid_client"`` and ``"clock_skew"``.

        A wrong answer: ``"nohash"`` (no checksum in headers or JSON); ``"flip"`` (the bit 0 of the
        byte `at`); ``"truncate"`` (only the first `at` bytes, with an honest length);
        ``"badjson"`` (cut at `at`, by default in the middle); ``"late_status"`` (carried out, then
        answered by `status`); ``"wrong_generation"`` (the newest object, whichever was asked for);
        ``"wrong_range"`` (the range ignored; with ``status=206``, from byte `at` instead of the one
        asked for); ``"gzip_transcode"`` (decompressed though stored and wanted compressed; an
        object stored plain comes compressed).

        On the wire: ``"drop"`` (carried out, then RST before any byte of the answer); ``"reset"``
        (RST after `at` bytes of the body); ``"fin"`` (closed after them); ``"stall"`` (silent after
        them until the client leaves); ``"drip"`` (`rate` bytes/s after them); ``"pass"`` (nothing,
        but `then` is run after them).
    on : str
        Kind of the request; a glob.
    name, bucket : str, optional
        Of the object and its bucket; globs. The name of a listing is its prefix.
    page : int, optional
        Which page of a listing, from 1.
    at : int
        Offset in the body of this very answer; a negative one counts from its end.
    times : int, optional
        How often it strikes; None for ever.
    skip : int
        Requests that fit and are let through first.
    status : int, optional
        By default 503, and what is said above.
    headers : mapping of str to str
        Added to the answer.
    body : str or bytes, optional
        Instead of the usual text of ``"status"`` and ``"html"``.
    rate : float
        Bytes per second.
    then : callable, optional
        Run the first time that it strikes: before the answer is made; with a wrong answer once it
        is made; on the wire after `at` bytes.
    when : callable, optional
        Says of a request whether it fits, beyond all that.

    Attributes
    ----------
    fired : int
        How often it has struck.
    """

    kind: str
    on: str = "media"
    name: str | None = None
    bucket: str | None = None
    page: int | None = None
    at: int = 0
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    rate: float = 20_000
    then: Callable[[], object] | None = None
    when: Callable[[Request], bool] | None = None
    fired: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False, repr=False)
    _runs: Iterator[int] = field(default_factory=count, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in INSTEAD | REQUEST | ANSWER | WIRE:
            raise ValueError(f"there is no fault {self.kind!r}")

    def strikes(self, request: Request) -> bool:
        """Say whether it strikes this request, and count it."""
        if not self._fits(request):
            return False
        self._seen += 1
        if self._seen <= self.skip or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def run_then(self) -> None:
        """Run `then`, the first time."""
        if self.then and next(self._runs) == 0:
            self.then()

    def cut(self, body: bytes) -> int:
        """Return `at` as an offset within `body`."""
        return min(self.at, len(body)) if self.at >= 0 else max(len(body) + self.at, 0)

    def _fits(self, request: Request) -> bool:
        ranged = self.kind in {"wrong_range", "refuse_resume"}
        return (
            fnmatchcase(request.kind, self.on)
            and (self.name is None or fnmatchcase(request.name, self.name))
            and (self.bucket is None or fnmatchcase(request.bucket, self.bucket))
            and (self.page is None or request.page == self.page)
            and (not ranged or bool(request.range))
            and (self.when is None or self.when(request))
        )


def refusal(request: Request, status: int, message: str, reason: str) -> Answer:
    """Return an error in the service's words: JSON, but plain text where media were asked for."""
    if status == 304:
        return Answer(status, {})
    if request.kind == "media":
        return Answer(status, {"Content-Type": "text/html; charset=UTF-8"}, message.encode())
    told = {"message": message, "domain": "global", "reason": reason}
    if status == 401:
        told |= {"locationType": "header", "location": "Authorization"}
    return json_answer({"error": {"code": status, "message": message, "errors": [told]}}, status)


def json_answer(document: Any, status: int = 200) -> Answer:
    """Return an answer of JSON."""
    body = json.dumps(document).encode()
    return Answer(status, {"Content-Type": "application/json; charset=UTF-8"}, body)


def page_answer(body: str | bytes = PAGE) -> Answer:
    """Return a web page."""
    data = body.encode() if isinstance(body, str) else body
    return Answer(200, {"Content-Type": "text/html; charset=utf-8"}, data)


def answer_instead(fault: Fault, request: Request, url: str) -> Answer:
    """Return what is sent instead of an answer."""
    if fault.kind in TOKEN_ERRORS:
        return json_answer(TOKEN_ERRORS[fault.kind], fault.status or 400)
    if fault.kind == "html":
        return page_answer(PAGE if fault.body is None else fault.body)
    if fault.kind == "redirect":
        return Answer(fault.status or 302, {"Location": url + PORTAL})
    status = fault.status or (416 if fault.kind == "refuse_resume" else 503)
    return _status(request, status, fault.body)


def distort(fault: Fault, request: Request, answer: Answer) -> Answer:
    """Return the answer made wrong."""
    if fault.kind == "late_status":
        return _status(request, fault.status or 503, fault.body)
    if fault.kind == "nohash":
        return _without_hash(answer)
    body, at = answer.body, fault.cut(answer.body)
    if fault.kind == "flip":
        at = min(at, len(body) - 1)
        body = body[:at] + bytes(byte ^ 1 for byte in body[at : at + 1]) + body[at + 1 :]
    else:
        body = body[: at if fault.kind == "truncate" or fault.at else len(body) // 2]
    return replace(answer, body=body)


def transcode(answer: Answer, data: bytes) -> Answer:
    """Return a whole object, `data` as stored, in the encoding that it is not stored in."""
    headers = {name: said for name, said in answer.headers.items() if name != "Content-Range"}
    if headers.pop("Content-Encoding", ""):
        return Answer(200, headers, gzip.decompress(data))
    return Answer(200, headers | {"Content-Encoding": "gzip"}, gzip.compress(data))


def _status(request: Request, status: int, body: str | bytes | None) -> Answer:
    if body is not None:
        return replace(page_answer(body), status=status)
    if request.kind == "token":
        return json_answer(
            {"error": "internal_failure", "error_description": "Backend Error"}, status
        )
    message, reason = _SAID.get(status, ("Backend Error", "backendError"))
    if status == 404 and request.kind in {"media", "metadata"}:
        message = f"No such object: {request.bucket}/{request.name}"
    return refusal(request, status, message, reason)


def _without_hash(answer: Answer) -> Answer:
    headers = {name: said for name, said in answer.headers.items() if name != "X-Goog-Hash"}
    if not answer.headers.get("Content-Type", "").startswith("application/json"):
        return replace(answer, headers=headers)
    document = json.loads(answer.body)
    for one in document.get("items", [document]):
        one.pop("crc32c", None)
        one.pop("md5Hash", None)
    return replace(answer, headers=headers, body=json.dumps(document).encode())


NO_BUCKET = "The specified bucket does not exist."
NOT_MET = "At least one of the pre-conditions you specified did not hold."
_SAID = {
    400: ("Invalid argument.", "invalid"),
    401: ("Invalid Credentials", "authError"),
    403: (
        "The caller does not have storage.objects.get access to the Google Cloud Storage object. "
        "Permission 'storage.objects.get' denied on resource (or it may not exist).",
        "forbidden",
    ),
    404: (NO_BUCKET, "notFound"),
    408: ("Request timed out.", "requestTimeout"),
    412: (NOT_MET, "conditionNotMet"),
    416: ("The requested range cannot be satisfied.", "requestedRangeNotSatisfiable"),
    429: ("The project exceeded the rate limit for reading objects.", "rateLimitExceeded"),
}
# As Google's login service says them.
TOKEN_ERRORS: dict[str, dict[str, str]] = {
    "invalid_grant": {
        "error": "invalid_grant",
        "error_description": "Token has been expired or revoked.",
    },
    "invalid_rapt": {
        "error": "invalid_grant",
        "error_description": "reauth related error (invalid_rapt)",
        "error_uri": "https://support.google.com/a/answer/9368756",
        "error_subtype": "invalid_rapt",
    },
    "invalid_client": {
        "error": "invalid_client",
        "error_description": "The OAuth client was not found.",
    },
    "clock_skew": {
        "error": "invalid_grant",
        "error_description": "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
        "reasonable timeframe. Check your iat and exp values in the JWT claim.",
    },
}
