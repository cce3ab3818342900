"""The bucket that a recorder sends to, and what stands in it."""

from __future__ import annotations

import json
from collections import Counter

from tests.storage.server import StorageServer

BUCKET = "bucket"
ADDRESS = "gs://bucket/team"
UPLOAD = {"on": "upload", "name": "team/run/metrics/*"}  # of a `Fault`


def objects(server: StorageServer, run: str = "run") -> dict[str, bytes]:
    """Return what the bucket holds of a run: name in its folder -> data."""
    prefix = f"team/{run}/"
    return {
        name.removeprefix(prefix): found.data
        for name, found in sorted(dict(server._buckets[BUCKET]).items())
        if name.startswith(prefix)
    }


def sent(server: StorageServer, kind: str = "metrics", run: str = "run") -> bytes:
    """Return what the parts hold, in their order."""
    return b"".join(
        data for name, data in objects(server, run).items() if name.startswith(f"{kind}/part-")
    )


def sent_steps(server: StorageServer, kind: str = "metrics", run: str = "run") -> list[int]:
    """Return the steps in the parts, in their order."""
    return [json.loads(line)["step"] for line in sent(server, kind, run).splitlines()]


def created(server: StorageServer) -> Counter[str]:
    """Count how often each object was written."""
    return Counter(
        request.name
        for request in list(server.requests)
        if request.kind == "upload" and request.status == 200
    )
