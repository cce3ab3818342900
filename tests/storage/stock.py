"""The stock client of Google Cloud Storage, pointed at the server and made quick to try again."""

from __future__ import annotations

import http.client
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client
from google.cloud.storage.retry import DEFAULT_RETRY

from tests.storage.server import StorageServer

NAME = "runs/a/metrics.jsonl"
# The client's own pauses are of 1 to 60 s, and it tries for 120 s.
QUICK = DEFAULT_RETRY.with_delay(0.01, 0.02, 1).with_timeout(20)
# For faults that stay.
BRIEF = QUICK.with_timeout(0.3)
# Seconds; long enough for a busy computer, unless a test is about waiting.
TIMEOUT = 5


def connect(server: StorageServer, credentials: Any = None) -> Client:
    """Return a client of the server; anonymous, unless it is given credentials."""
    return Client(
        project="viz3d-tests",
        credentials=credentials or AnonymousCredentials(),
        client_options={"api_endpoint": server.url},
    )


def listing(server: StorageServer, credentials: Any = None, **what: Any) -> list[str]:
    """Return the names in the bucket."""
    what = {"retry": QUICK, "timeout": TIMEOUT} | what
    return [blob.name for blob in connect(server, credentials).list_blobs("bucket", **what)]


def download(
    server: StorageServer, credentials: Any = None, name: str = NAME, **what: Any
) -> bytes:
    """Return what the client takes for an object's bytes."""
    blob = connect(server, credentials).bucket("bucket").blob(name)
    return bytes(blob.download_as_bytes(**{"retry": QUICK, "timeout": TIMEOUT} | what))


def raw(server: StorageServer, **headers: str) -> http.client.HTTPResponse:
    """Ask for the object without the client: what is on the wire is what comes."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=TIMEOUT)
    path = f"/download/storage/v1/b/bucket/o/{NAME.replace('/', '%2F')}?alt=media"
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def kinds(server: StorageServer) -> list[str]:
    """Return what was asked for, in its order."""
    return [request.kind for request in server.requests]
