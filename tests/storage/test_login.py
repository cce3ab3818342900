"""Logins that work, and every way in which one does not: the sentence, the remedy, the deadline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.storage.server import Fault, StorageServer, service_account_key
from viz3d.errors import BucketError
from viz3d.load import open_source
from viz3d.settings import Settings
from viz3d.sources.bucket import BucketSource

SCALE = 0.1
NAME = "runs/a/metrics.jsonl"
ROWS = b'{"step": 1, "loss": 3.5}\n'


@pytest.fixture
def server() -> Iterator[StorageServer]:
    with StorageServer() as running:
        running.put("team-runs", NAME, ROWS)
        running.open = False
        yield running


@pytest.fixture
def key(server: StorageServer) -> dict[str, str]:
    """A service account's key whose login service is the server."""
    return service_account_key(server.url)


def connect(
    server: StorageServer, tmp_path: Path, bucket: str = "team-runs", **settings: Any
) -> BucketSource:
    chosen = Settings(
        storage_emulator=server.url, cache_dir=str(tmp_path / "cache"), patience=SCALE, **settings
    )
    source = open_source(f"gs://{bucket}", chosen)
    assert isinstance(source, BucketSource)
    return source


def allow(server: StorageServer, *buckets: str) -> None:
    """Let whoever logs in at the server from now on read these buckets."""
    server.tokens[server.issues] = set(buckets)


def fails(source: BucketSource) -> tuple[BucketError, float]:
    began = monotonic()
    with pytest.raises(BucketError) as caught:
        source.files()
    return caught.value, monotonic() - began


def test_a_service_account_reads_and_is_named(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    allow(server, "team-runs")
    source = connect(server, tmp_path, service_account=key, project="team-project")
    (file,) = source.files()
    assert source.fetch(file).read_bytes() == ROWS
    assert source.identity == key["client_email"]
    assert source.project == "team-project"


def test_a_key_file_reads(server: StorageServer, key: dict[str, str], tmp_path: Path):
    allow(server, "team-runs")
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key), "utf-8")
    source = connect(server, tmp_path, credentials=str(path))
    assert [file.path for file in source.files()] == [NAME]


def test_a_public_bucket_opens_without_a_login(server: StorageServer, tmp_path: Path):
    server.public.add("team-runs")
    source = connect(server, tmp_path)
    assert [file.path for file in source.files()] == [NAME]
    assert source.identity == "nobody (anonymous)"
    assert source.problems() == ()


def test_a_public_bucket_opens_in_spite_of_an_expired_login_and_says_so(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    server.public.add("team-runs")
    server.faults.append(Fault(on="token", kind="invalid_grant", times=None))
    source = connect(server, tmp_path, service_account=key)
    (file,) = source.files()
    assert source.fetch(file).read_bytes() == ROWS
    (problem,) = source.problems()
    assert "expired" in problem.what
    assert "open to everyone" in problem.what
    assert "gcloud auth application-default login" in problem.remedy


def test_a_key_of_the_real_service_is_never_shown_to_an_emulator(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    server.public.add("team-runs")
    real = {**key, "token_uri": "https://oauth2.googleapis.com/token"}
    source = connect(server, tmp_path, service_account=real)
    assert [file.path for file in source.files()] == [NAME]
    assert all(request.token == "" for request in server.requests)
    assert source.identity == "nobody (anonymous)"


@dataclass(frozen=True)
class Case:
    """A fault of the login, and what must be said of it.

    Attributes
    ----------
    fault : dict
    kind, says, remedy : str
        Regular expressions.
    within : float
        Seconds at full length.
    """

    fault: dict[str, Any]
    kind: str
    says: str
    remedy: str
    within: float = 2.0


LOGIN = r"`gcloud auth application-default login`.*GOOGLE_APPLICATION_CREDENTIALS.*hosted app"
CASES = {
    "expired": Case({"kind": "invalid_grant"}, "expired_login", "expired or was revoked", LOGIN),
    "needs a new sign-in": Case({"kind": "invalid_rapt"}, "expired_login", "expired", LOGIN),
    "unknown key": Case(
        {"kind": "invalid_client"}, "bad_key_file", "does not know it any more", "new key"
    ),
    "wrong clock": Case({"kind": "clock_skew"}, "clock", "clock is wrong", "Set the clock"),
    "login page": Case({"kind": "html"}, "portal", "login page", "browser"),
    "broken login service": Case(
        {"kind": "status", "status": 503}, "token_service", "login service", "Try again", 10
    ),
    "refusing login service": Case(
        {"kind": "status", "status": 403, "body": '{"error": "denied", "error_description": "No"}'},
        "token_service",
        r"\(denied: No\)",
        "Try again",
        10,
    ),
    "silent login service": Case({"kind": "hang"}, "token_service", "silent for", "Try again", 10),
}


@pytest.mark.parametrize("name", CASES)
def test_a_login_that_fails_is_explained_in_time(
    name: str, server: StorageServer, key: dict[str, str], tmp_path: Path
):
    case = CASES[name]
    server.faults.append(Fault(on="token", times=None, **case.fault))
    error, took = fails(connect(server, tmp_path, service_account=key))
    assert error.kind == case.kind
    assert re.search(case.says, error.what)
    assert re.search(case.remedy, error.remedy)
    assert took <= case.within * SCALE + 0.5


def test_what_proves_who_we_are_goes_to_no_other_place(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    """A login service that leads elsewhere is not followed."""
    server.faults.append(Fault(on="token", kind="redirect", times=None))
    error, _ = fails(connect(server, tmp_path, service_account=key))
    assert error.kind == "portal"
    assert {request.kind for request in server.requests} == {"token"}


def test_no_permission_names_the_role_and_who_lacks_it(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    allow(server, "other-runs")
    error, took = fails(connect(server, tmp_path, service_account=key))
    assert error.kind == "no_permission"
    assert key["client_email"] in error.what
    assert "Storage Object Viewer (roles/storage.objectViewer)" in error.remedy
    assert took <= 2 * SCALE + 0.5


def test_a_right_to_the_bucket_alone_is_enough(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    """Reading a bucket's own description is another right than listing its objects."""
    allow(server, "team-runs")
    server.faults.append(Fault(on="bucket", kind="status", status=403, times=None))
    source = connect(server, tmp_path, service_account=key)
    assert [file.path for file in source.files()] == [NAME]
    assert {request.kind for request in server.requests} <= {"token", "list"}


def test_a_missing_bucket_names_the_nearest(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    allow(server, "team-runs", "taem-runs")
    error, _ = fails(
        connect(server, tmp_path, "taem-runs", service_account=key, project="team-project")
    )
    assert error.kind == "no_bucket"
    assert "Closest in your project: team-runs." in error.what


def test_no_login_at_all(server: StorageServer, tmp_path: Path):
    error, took = fails(connect(server, tmp_path))
    assert error.kind == "no_credentials"
    assert re.search(LOGIN, error.remedy)
    assert took <= 2 * SCALE + 0.5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "it is not there"),
        ("not json", "it is no JSON"),
        ("[]", "it is no Google key"),
        ('{"type": "service_account"}', "it is no Google key"),
        ('{"type": "service_account", "client_email": "", "token_uri": ""}', "it is no Google key"),
        ('{"type": "who_knows"}', "it is no Google key"),
    ],
)
def test_a_key_file_that_is_none(
    content: str | None, says: str, server: StorageServer, tmp_path: Path
):
    path = tmp_path / "secret-folder" / "key.json"
    path.parent.mkdir()
    if content is not None:
        path.write_text(content, "utf-8")
    error, took = fails(connect(server, tmp_path, credentials=str(path)))
    assert error.kind == "bad_key_file"
    assert "key.json" in error.what
    assert says in error.what
    assert "secret-folder" not in str(error)
    assert took <= 2 * SCALE + 0.5


def test_a_wrong_project_is_named(server: StorageServer, key: dict[str, str], tmp_path: Path):
    allow(server, "team-runs")
    message = "The project to be billed is associated with a closed billing account."
    body = json.dumps({"error": {"code": 403, "message": message}}).encode()
    server.faults.append(Fault(on="list", kind="status", status=403, body=body, times=None))
    error, _ = fails(connect(server, tmp_path, service_account=key, project="team-project"))
    assert error.kind == "wrong_project"
    assert "team-project" in error.what
    assert "closed billing account" in error.what


def test_a_clock_that_is_wrong_is_told_from_the_answers(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    allow(server, "team-runs")
    server.clock_offset = -26 * 3600
    server.faults.append(Fault(on="list", kind="status", status=401, times=None))
    error, _ = fails(connect(server, tmp_path, service_account=key))
    assert error.kind == "clock"
    assert "26 hours ahead" in error.what


def test_a_login_that_ends_meanwhile_is_renewed_without_a_word(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    allow(server, "team-runs")
    source = connect(server, tmp_path, service_account=key)
    (file,) = source.files()
    server.tokens.clear()
    server.issues = "another"
    allow(server, "team-runs")
    assert source.fetch(file).read_bytes() == ROWS
    assert sum(request.kind == "token" for request in server.requests) == 2


def test_an_expired_login_leaves_what_is_here_usable(
    server: StorageServer, key: dict[str, str], tmp_path: Path
):
    allow(server, "team-runs")
    before = connect(server, tmp_path, service_account=key)
    (file,) = before.files()
    before.fetch(file)
    server.tokens.clear()
    server.faults.append(Fault(on="token", kind="invalid_grant", times=None))
    source = connect(server, tmp_path, service_account=key)
    (file,) = source.files()
    assert source.fetch(file).read_bytes() == ROWS
    assert source.as_of is not None
    (problem,) = source.problems()
    assert "expired" in problem.what
    assert "gcloud auth application-default login" in problem.remedy
