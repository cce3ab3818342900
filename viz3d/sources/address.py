"""Addresses of buckets: read, repaired where it is plain what was meant, else refused at once.

The storage client does not quote a bucket's name, so a name that is none would change the request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from viz3d.errors import BucketError

_SCHEME = re.compile(r"^(?:gs:/+)+", re.IGNORECASE)
_ANY_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_WEB = re.compile(r"https?:", re.IGNORECASE)
# The web console's pages and the service's own links: host -> what stands before the bucket.
_CONSOLE = "console.cloud.google.com"
_HOSTS = {
    _CONSOLE: re.compile(r"/storage/browser/(?:_details/)?"),
    "storage.cloud.google.com": re.compile("/"),
    "storage.googleapis.com": re.compile("/"),
}
_OF_BUCKET = ".storage.googleapis.com"
# What the console appends to a path, as in ``;tab=objects``.
_STATE = re.compile(r"(;\w+=[^/;]*)+$")

_KEY_BYTES = 1024
_SHOWN = 60

_REMEDY = (
    "Write gs://BUCKET or gs://BUCKET/FOLDER; `gcloud storage ls` lists your project's buckets."
)


@dataclass(frozen=True)
class Address:
    """A bucket, or a place in it.

    Attributes
    ----------
    bucket : str
    key : str
        Path of a folder or of one object, without a slash at either end; empty for all of it.
    """

    bucket: str
    key: str = ""

    @property
    def prefix(self) -> str:
        """What the names of all objects in the folder begin with: empty, or ending in ``/``."""
        return f"{self.key}/" if self.key else ""

    @property
    def facts(self) -> dict[str, str]:
        """What it names, in words."""
        return {"Bucket": self.bucket, "Folder": self.key or "all of it"}

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.key}" if self.key else f"gs://{self.bucket}"


def is_bucket(text: str) -> bool:
    """Say whether `text` is meant as the address of a bucket, be it a right one or not."""
    where = _copied(text)
    return bool(_SCHEME.match(where) or _WEB.match(where))


def scheme_of(text: str) -> str:
    """Return what stands before ``://``, where that is longer than the letter of a drive."""
    found = _ANY_SCHEME.match(_copied(text))
    return found[1] if found else ""


def parse_bucket(text: str) -> Address:
    """Read the address of a bucket.

    Parameters
    ----------
    text : str
        ``gs://BUCKET/FOLDER``, ``BUCKET/FOLDER``, or what the browser shows of either in the web
        console. Needless slashes at the seams are dropped; inside a path they stay.

    Returns
    -------
    Address
        Its bucket keeps the naming rules of Cloud Storage
        (https://cloud.google.com/storage/docs/buckets#naming), but for the ban on "goog" in a
        name: that binds whoever makes a bucket, and Google's own public ones are called so.

    Raises
    ------
    BucketError
        ``bad_name``, with the rule that is broken. A login in the address is never repeated.
    """
    where = _SCHEME.sub("", _copied(text))
    if _WEB.match(where):
        where = _from_web(where)
    bucket, _, key = where.lstrip("/").partition("/")
    key = key.strip("/")
    _check_bucket(bucket)
    _check_key(key)
    return Address(bucket, key)


def _copied(text: str) -> str:
    """Drop what comes along when an address is copied out of a text."""
    return text.strip().strip("\"'<>").strip()


def _from_web(text: str) -> str:
    """Return ``BUCKET/PATH`` of a web address, without its query, which may be a signature."""
    none = _refusal("This web address is not one of a bucket.")
    try:
        url = urlsplit(text)
        host = url.hostname or ""
    except ValueError:
        raise none from None
    if "@" in url.netloc:
        raise _holds_login()
    if host.endswith(_OF_BUCKET):
        return f"{host.removesuffix(_OF_BUCKET)}/{unquote(url.path)}"
    start = _HOSTS[host].match(url.path) if host in _HOSTS else None
    if start is None:
        raise none
    path = url.path[start.end() :]
    return unquote(_STATE.sub("", path) if host == _CONSOLE else path)


def _check_bucket(bucket: str) -> None:
    """Raise what is wrong with a bucket's name."""
    if "@" in bucket or ":" in bucket:
        raise _holds_login()
    rule = _broken_rule(bucket)
    if rule:
        shown = bucket if len(bucket) <= _SHOWN else f"{bucket[:_SHOWN]}…"
        raise _refusal(f"{shown!r} is no name of a bucket: {rule}.")


def _broken_rule(bucket: str) -> str:
    """Return the first naming rule that a name breaks, or nothing."""
    parts = bucket.split(".")
    longest = 63 if len(parts) == 1 else 222
    kept = {
        "it is empty": bucket,
        "only lower-case letters, digits, hyphens, underscores and dots may stand in it": (
            re.fullmatch(r"[a-z0-9._-]*", bucket)
        ),
        "it must have 3 to 63 characters, or up to 222 in parts of 63 between dots": (
            3 <= len(bucket) <= longest and max(map(len, parts)) <= 63
        ),
        "it must begin and end with a letter or a digit": bucket[:1].isalnum()
        and bucket[-1:].isalnum(),
        "two dots must not follow one another": all(parts),
        "it must not be an IP address": len(parts) != 4 or not all(map(str.isdigit, parts)),
    }
    return next((rule for rule, keeps in kept.items() if not keeps), "")


def _check_key(key: str) -> None:
    """Raise what no object can be called; anything else may be in a name."""
    try:
        size = len(key.encode("utf-8"))
    except UnicodeEncodeError:
        raise _refusal("The path in the bucket holds half a character.") from None
    if size > _KEY_BYTES:
        raise _refusal(f"The path in the bucket is longer than {_KEY_BYTES:,} bytes.")
    if "\n" in key or "\r" in key:
        raise _refusal("The path in the bucket holds the end of a line.")


def _holds_login() -> BucketError:
    """Refuse an address with ``USER:PASSWORD@`` in it; where the password ends nobody can say."""
    return _refusal("The address holds a login or a port, which the address of a bucket never has.")


def _refusal(what: str) -> BucketError:
    return BucketError("bad_name", what, _REMEDY)
