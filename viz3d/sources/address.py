"""Addresses of buckets: read, repaired where it is plain what was meant, refused before any request.

The storage client does not quote a bucket's name, so a name that is none would change what is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from viz3d.errors import BucketError

# As the web console and the service's own links write it: host -> what stands before the bucket.
_HOSTS = {
    "console.cloud.google.com": r"/storage/browser/(?:_details/)?",
    "storage.cloud.google.com": "/",
    "storage.googleapis.com": "/",
}
_OWN_HOST = ".storage.googleapis.com"
# What the console appends to a path, as in ``;tab=objects``.
_CONSOLE_STATE = re.compile(r"(;\w+=[^/;]*)+$")
_SCHEME = re.compile(r"(?:gs:/+)+", re.IGNORECASE)
_WEB = re.compile(r"https?:", re.IGNORECASE)

# An object's name may be this long, and hold anything but the end of a line.
_KEY_BYTES = 1024
_SHOWN = 60

_REMEDY = "Write gs://BUCKET or gs://BUCKET/FOLDER; `gcloud storage ls` lists the buckets of your project."


@dataclass(frozen=True)
class Address:
    """A bucket, or a place in it.

    Attributes
    ----------
    bucket : str
    key : str
        Path in the bucket without a slash at its ends, of a folder or of one object; empty for the
        whole bucket.
    """

    bucket: str
    key: str = ""

    @property
    def prefix(self) -> str:
        """What the names of all objects of the folder begin with: empty, or it ends with ``/``."""
        return f"{self.key}/" if self.key else ""

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.key}".rstrip("/")


def is_bucket(text: str) -> bool:
    """Say whether `text` is meant as the address of a bucket, a right one or a wrong one."""
    return bool(_SCHEME.match(_bare(text)) or _WEB.match(_bare(text)))


def parse_bucket(text: str, *, bare: bool = False) -> Address:
    """Read the address of a bucket.

    Parameters
    ----------
    text : str
        ``gs://BUCKET``, ``gs://BUCKET/FOLDER``, or the address of a page of the web console or of
        an object. Slashes too many at the seams are repaired; inside a name they stay.
    bare : bool
        Whether ``BUCKET/FOLDER`` will do, as in the setting ``GCS_BUCKET``.

    Returns
    -------
    Address
        Its bucket keeps the naming rules of Google Cloud Storage
        (https://cloud.google.com/storage/docs/buckets#naming), but for the ban on names with
        "goog" in them: that binds who creates a bucket, and Google's own public ones have it.

    Raises
    ------
    BucketError
        ``bad_name``, if it is none. A login inside the address is never repeated.
    """
    where = _bare(text)
    rest = _SCHEME.sub("", where, count=1)
    if _WEB.match(rest):
        rest = _from_web(rest)
    elif rest == where and not bare:
        raise _refusal("This is no address of a bucket, which begins with gs://.")
    bucket, _, key = rest.lstrip("/").partition("/")
    _check_bucket(bucket)
    key = key.strip("/")
    _check_key(key)
    return Address(bucket, key)


def _bare(text: str) -> str:
    """Drop what comes along when an address is copied out of a text."""
    return text.strip().strip("\"'<>").strip()


def _from_web(text: str) -> str:
    """Return ``BUCKET/PATH`` of a web address; what stands behind ``?`` may be a signature."""
    none = _refusal("This web address is not one of a bucket.")
    try:
        url = urlsplit(text)
        host = url.hostname or ""
    except ValueError:
        raise none from None
    if "@" in url.netloc:
        raise _login()
    path = _CONSOLE_STATE.sub(
        "", _whole_path(url) if host != "console.cloud.google.com" else url.path
    )
    if host in _HOSTS:
        match = re.match(_HOSTS[host], path)
        if match is None:
            raise none
        return unquote(path[match.end() :])
    if host.endswith(_OWN_HOST):
        return f"{host.removesuffix(_OWN_HOST)}/{unquote(path)}"
    raise none
