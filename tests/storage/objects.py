"""Buckets and objects as the JSON API of Google Cloud Storage shows them: listing, globs, pages."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

import google_crc32c

PAGE = 1000  # objects and prefixes on one page of a listing, at most
# What a listing may be asked for; the service knows more, which nobody here needs.
LIST_QUERY = {
    "prefix", "delimiter", "matchGlob", "pageToken", "maxResults", "startOffset", "endOffset",
    "fields", "projection", "prettyPrint", "userProject", "alt",
}  # fmt: skip


class Refusal(Exception):
    """The service says no.

    Parameters
    ----------
    status : int
    message, reason : str
        As in the service's own answer.
    """

    def __init__(self, status: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason


@dataclass(frozen=True)
class StoredObject:
    """One generation of an object.

    Attributes
    ----------
    bucket, name : str
    data : bytes
        As stored: of an object with the encoding ``"gzip"``, the compressed bytes.
    generation : int
    updated : float
        Seconds since 1970.
    encoding, content_type : str
    """

    bucket: str
    name: str
    data: bytes
    generation: int
    updated: float
    encoding: str = ""
    content_type: str = "application/octet-stream"

    @cached_property
    def crc32c(self) -> str:
        """The checksum in the service's spelling: big-endian bytes in base64."""
        return _base64(google_crc32c.value(self.data).to_bytes(4, "big"))

    @cached_property
    def md5(self) -> str:
        """The MD5 in base64."""
        return _base64(hashlib.md5(self.data).digest())

    @property
    def etag(self) -> str:
        """A name for this generation."""
        return _base64(self.generation.to_bytes(8, "big"))

    def document(self, url: str) -> dict[str, Any]:
        """Return the object's resource; `url` is the server's."""
        place = f"b/{self.bucket}/o/{quote(self.name, safe='')}"
        when = _timestamp(self.updated)
        document = {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{url}/storage/v1/{place}",
            "mediaLink": f"{url}/download/storage/v1/{place}"
            f"?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": "1",
            "contentType": self.content_type,
            "storageClass": "STANDARD",
            "size": str(len(self.data)),
            "md5Hash": self.md5,
            "crc32c": self.crc32c,
            "etag": self.etag,
            "timeCreated": when,
            "updated": when,
        }
        return document | ({"contentEncoding": self.encoding} if self.encoding else {})


def list_page(
    objects: Iterable[StoredObject], query: Mapping[str, str], url: str
) -> dict[str, Any]:
    """Return one page of a listing.

    Parameters
    ----------
    objects : iterable of StoredObject
        All of the bucket.
    query : mapping of str to str
    url : str
        The server's.

    Raises
    ------
    Refusal
        400 for what the service refuses; 501 for what it knows and this server does not.
    """
    unknown = set(query) - LIST_QUERY
    if unknown or ("matchGlob" in query and "delimiter" in query):
        raise Refusal(501, f"Not played here: {sorted(unknown) or 'a glob with a delimiter'}", "")
    number, after = _read_token(query.get("pageToken", ""))
    most = min(int(query.get("maxResults", PAGE)) or PAGE, PAGE)
    # Objects, and the prefixes that stand for several, in one order: by their names.
    entries: dict[str, StoredObject | None] = {}
    for found in _chosen(objects, query):
        folder = _folder(found.name, query)
        if (folder or found.name) > after or not after:
            entries[folder or found.name] = None if folder else found
    names = list(entries)[:most]
    page: dict[str, Any] = {"kind": "storage#objects"}
    if len(entries) > most:
        page["nextPageToken"] = _token(number + 1, names[-1])
    if folders := [name for name in names if entries[name] is None]:
        page["prefixes"] = folders
    if items := [one.document(url) for name in names if (one := entries[name])]:
        page["items"] = items
    return page


def page_number(query: Mapping[str, str]) -> int:
    """Return which page of a listing is asked for; the first is 1."""
    try:
        return _read_token(query.get("pageToken", ""))[0]
    except Refusal:
        return 0


def glob_regex(glob: str) -> re.Pattern[str]:
    """Return the pattern of a ``matchGlob``.

    ``*`` and ``?`` stay within a folder, ``**`` does not, ``**/`` stands for any number of
    folders, ``[a-z]`` and ``[!a-z]`` for one character, ``{a,b}`` for either, and a backslash takes
    the sign behind it literally.

    Raises
    ------
    Refusal
        400 for an unclosed bracket or brace, and for ``/`` or ``**`` within braces.
    """
    return re.compile(_translate(glob), re.DOTALL)


# Each form of a glob and its pattern, from the form and whether it begins a folder's name; a form
# stands before those that it begins with.
_WILD: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], bool], str]], ...] = (
    (re.compile(r"\\(.)"), lambda form, first: re.escape(form[1])),
    (re.compile(r"\*\*/"), lambda form, first: "(?:.*/)?" if first else ".*/"),
    (re.compile(r"\*\*"), lambda form, first: ".*"),
    (re.compile(r"\*"), lambda form, first: "[^/]*"),
    (re.compile(r"\?"), lambda form, first: "[^/]"),
    (re.compile(r"\[([!^]?)([^]]+)\]"), lambda form, first: _class(form[1], form[2])),
    (re.compile(r"\{([^{}]*)\}"), lambda form, first: _either(form[1])),
    (re.compile(r"[^]\[{}\\]"), lambda form, first: re.escape(form[0])),
)


def _translate(glob: str) -> str:
    pattern, at = "", 0
    while at < len(glob):
        first = at == 0 or glob[at - 1] == "/"
        for form, translate in _WILD:
            if found := form.match(glob, at):
                pattern += translate(found, first)
                at = found.end()
                break
        else:
            raise Refusal(400, f"Invalid argument: matchGlob {glob!r}", "invalid")
    return pattern


def _class(negated: str, characters: str) -> str:
    escaped = re.sub(r"[\\\[\]&~|^]", r"\\\g<0>", characters)
    return f"(?!/)[{'^' if negated else ''}{escaped}]"


def _either(choices: str) -> str:
    if "/" in choices or "**" in choices:
        raise Refusal(400, f"Invalid argument: matchGlob {{{choices}}}", "invalid")
    return f"(?:{'|'.join(_translate(choice) for choice in choices.split(','))})"


def select(document: Any, fields: str) -> Any:
    """Keep what a ``fields`` parameter names: ``a,b(c,d),e/f``; all where it is empty."""
    if not fields or isinstance(document, str):
        return document
    if isinstance(document, list):
        return [select(one, fields) for one in document]
    kept = {}
    for field in re.findall(r"[^,()]+(?:\([^()]*\))?", fields):
        name, _, inner = field.removesuffix(")").replace("(", "/", 1).partition("/")
        if name in document:
            kept[name] = select(document[name], inner)
    return kept


def _chosen(objects: Iterable[StoredObject], query: Mapping[str, str]) -> list[StoredObject]:
    """Return the objects that match, in the order of their names."""
    glob = glob_regex(query["matchGlob"]) if "matchGlob" in query else None
    prefix, begin = query.get("prefix", ""), query.get("startOffset", "")
    end = query.get("endOffset", "")
    found = [
        one
        for one in objects
        if one.name.startswith(prefix)
        and one.name >= begin
        and (not end or one.name < end)
        and (glob is None or glob.fullmatch(one.name))
    ]
    # Code points sort as their UTF-8 bytes do, which is the service's order.
    return sorted(found, key=lambda one: one.name)


def _folder(name: str, query: Mapping[str, str]) -> str:
    """Return the prefix that stands for an object; empty where it stands for itself."""
    delimiter, start = query.get("delimiter", ""), len(query.get("prefix", ""))
    end = name.find(delimiter, start) if delimiter else -1
    return name[: end + len(delimiter)] if end >= 0 else ""


def _token(number: int, after: str) -> str:
    return _base64(json.dumps([number, after]).encode())


def _read_token(token: str) -> tuple[int, str]:
    if not token:
        return 1, ""
    try:
        number, after = json.loads(base64.b64decode(token, validate=True))
    except ValueError as error:
        raise Refusal(400, "Invalid argument: pageToken", "invalid") from error
    return number, after


def _timestamp(seconds: float) -> str:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
