"""Uploads in one piece, with metadata before it, and in resumable pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.storage.objects import Refusal, StoredObject


@dataclass
class Upload:
    """An object on its way in.

    Attributes
    ----------
    bucket : str
    query : mapping of str to str
        Of the request that began it.
    metadata : mapping of str to str
        The resource that came with it.
    data : bytearray
        What has come so far.
    done : StoredObject or None
        What it became.
    """

    bucket: str
    query: Mapping[str, str]
    metadata: Mapping[str, str]
    data: bytearray = field(default_factory=bytearray)
    done: StoredObject | None = None

    @classmethod
    def begin(
        cls, bucket: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Upload:
        """Begin a resumable upload; the body is the resource."""
        metadata = json.loads(body) if body else {}
        kind = headers.get("X-Upload-Content-Type", "")
        return cls(bucket, query, {"contentType": kind} | metadata)

    @property
    def name(self) -> str:
        """The object's name."""
        name = self.metadata.get("name") or self.query.get("name")
        if not name:
            raise Refusal(400, "Required object name not specified.", "required")
        return name

    @property
    def content_type(self) -> str:
        """What the object is said to be."""
        return self.metadata.get("contentType") or "application/octet-stream"

    def add(self, ranged: str, body: bytes) -> bool:
        """Take one piece, by its ``Content-Range``; say whether it was the last."""
        found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", ranged)
        if ranged and not found:
            raise Refusal(400, "Failed to parse Content-Range header.", "badRequest")
        first, total = found.groups() if found else ("0", str(len(body)))
        if first is not None:
            have = len(self.data)
            if int(first) > have:
                raise Refusal(400, "Invalid request: bytes are missing before these.", "invalid")
            self.data += body[have - int(first) :]
        return total == str(len(self.data))

    def check(self) -> None:
        """Compare with the checksums that came with it."""
        whole = StoredObject(self.bucket, self.name, bytes(self.data), 0, 0.0)
        for kind, found in (("crc32c", whole.crc32c), ("md5Hash", whole.md5)):
            said = self.metadata.get(kind, found)
            if said != found:
                raise Refusal(
                    400,
                    f"Provided {kind} '{said}' doesn't match calculated {kind} '{found}'.",
                    "invalid",
                )


def parse_multipart(
    bucket: str, query: Mapping[str, str], content_type: str, body: bytes
) -> Upload:
    """Return the upload in a body of two parts, the resource and the data."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    if not boundary:
        raise Refusal(400, "Missing multipart boundary.", "badRequest")
    mark = b"--" + boundary[1].encode()
    parts = body.removeprefix(mark + b"\r\n").split(b"\r\n" + mark)
    (_, resource), (head, data) = (part.split(b"\r\n\r\n", 1) for part in parts[:2])
    kind = re.search(rb"(?i)content-type: *([^\r\n]+)", head)
    metadata = {"contentType": kind[1].decode() if kind else ""} | json.loads(resource)
    return Upload(bucket, query, metadata, bytearray(data))
