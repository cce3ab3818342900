"""The server lets in whom it should, and its login service hands out tokens and refuses to."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import pytest
import requests
from google.api_core.exceptions import Forbidden, NotFound
from google.auth.exceptions import InvalidOperation, RefreshError
from google.auth.transport.requests import Request as Transport
from google.oauth2.credentials import Credentials as UserCredentials
from google.oauth2.service_account import Credentials as AccountCredentials

from tests.storage.server import (
    Fault,
    StorageServer,
    service_account_key,
    user_credentials_file,
)
from tests.storage.stock import NAME, connect, download, kinds, listing

DATA = b'{"step": 1, "loss": 3.5}\n'
SCOPES = ("https://www.googleapis.com/auth/devstorage.read_only",)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    # Else the client asks for the bucket's description behind our back.
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    with StorageServer() as running:
        running.put("bucket", NAME, DATA)
        running.make_bucket("other")
        running.token("good", "bucket")
        running.open = False
        yield running


def user(server: StorageServer, token: str | None = None) -> UserCredentials:
    info = user_credentials_file(server.url)
    read = UserCredentials.from_authorized_user_info(info, SCOPES)
    read.token = token
    return read.with_token_uri(info["token_uri"])


def account(server: StorageServer) -> AccountCredentials:
    key = service_account_key(server.url)
    return AccountCredentials.from_service_account_info(key, scopes=SCOPES)


def test_a_token_opens_its_buckets(server: StorageServer):
    me = UserCredentials("good")
    assert listing(server, me) == [NAME]
    assert download(server, me) == DATA
    assert server.requests[0].token == "good"
    assert [bucket.name for bucket in connect(server, me).list_buckets()] == ["bucket"]
    with pytest.raises(Forbidden, match=r"storage.objects.list' denied on resource \(or it"):
        list(connect(server, me).list_blobs("other"))
    with pytest.raises(NotFound, match="bucket does not exist"):
        list(connect(server, me).list_blobs("missing"))


def test_nobody_reads_what_is_not_public(server: StorageServer):
    with pytest.raises(InvalidOperation):  # the client tries to renew an anonymous login
        listing(server)
    assert [request.status for request in server.requests] == [401]
    answer = requests.get(f"{server.url}/storage/v1/b/bucket/o", timeout=5)
    said = answer.json()["error"]
    assert "Anonymous caller does not have storage.objects.list access" in said["message"]
    assert said["errors"][0]["reason"] == "required"
    server.public.add("bucket")
    assert listing(server) == [NAME]
    assert download(server) == DATA
    upload = f"{server.url}/upload/storage/v1/b/bucket/o?uploadType=media&name=x"
    assert requests.post(upload, b"", timeout=5).status_code == 401


def test_an_old_token_is_renewed_once_and_silently(server: StorageServer):
    me = user(server, "old")
    assert listing(server, me) == [NAME]
    assert kinds(server) == ["list", "token", "list"]
    assert me.token == "good"


def test_a_service_account(server: StorageServer):
    me = account(server)
    assert listing(server, me) == [NAME]
    assert download(server, me) == DATA
    assert kinds(server) == ["token", "list", "media"]


@pytest.mark.parametrize("offset", [86_400, -86_400])
def test_a_clock_that_is_off(offset: int, server: StorageServer):
    server.clock_offset = offset
    with pytest.raises(RefreshError, match="reasonable timeframe"):
        listing(server, account(server))
    answer = requests.get(server.url, timeout=5)
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == pytest.approx(
        server.now(), abs=5
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("invalid_grant", "Token has been expired or revoked"),
        ("invalid_rapt", "gcloud auth application-default login"),
        ("invalid_client", "invalid_client"),
        ("clock_skew", "iat and exp"),
    ],
)
def test_a_login_that_is_refused(kind: str, said: str, server: StorageServer):
    server.faults.append(Fault(kind, on="token"))
    with pytest.raises(RefreshError, match=said):
        listing(server, user(server))
    assert kinds(server) == ["token"]


@pytest.mark.parametrize("kind", ["html", "redirect"])
def test_a_login_page_for_a_login(kind: str, server: StorageServer):
    server.faults.append(Fault(kind, on="token"))
    with pytest.raises(TypeError, match="string indices"):
        listing(server, user(server))


def test_a_login_service_that_is_down(server: StorageServer, monkeypatch: pytest.MonkeyPatch):
    pauses: list[float] = []
    clock = SimpleNamespace(sleep=pauses.append)
    monkeypatch.setattr("google.auth._exponential_backoff.time", clock)
    server.faults.append(Fault("status", on="token", times=None))
    with pytest.raises(RefreshError, match="internal_failure"):
        user(server).refresh(Transport())
    assert {request.status for request in server.requests} == {503}
    assert len(server.requests) == len(pauses) + 1


def test_a_login_service_that_never_answers(server: StorageServer):
    server.faults.append(Fault("hang", on="token", times=None))
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(f"{server.url}/token", {"grant_type": "refresh_token"}, timeout=0.1)


def test_a_grant_that_nobody_knows(server: StorageServer):
    answer = requests.post(f"{server.url}/token", {"grant_type": "password"}, timeout=5)
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})
