"""The command ``check``: who asks, what can be read, and what to type next."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.team_bucket import (
    ADDRESS,
    BUCKET,
    run,
)
from tests.storage.server import Fault, StorageServer, service_account_key
from viz3d.sources.check import Check


def test_check_says_who_what_and_what_next(
    server: StorageServer, place: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As text and as one document; a key's secrets stand in neither."""
    key = service_account_key(server.url)
    (place / "key.json").write_text(json.dumps(key), "utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(place / "key.json"))
    monkeypatch.setenv("GCP_PROJECT_ID", "team-project")
    server.open = False
    server.tokens[server.issues] = {BUCKET}
    status, out, err = run(capsys, "check", ADDRESS)
    assert (status, err) == (0, "")
    facts = (key["client_email"], "team-project", BUCKET, "3 runs", f"list {ADDRESS}")
    assert all(fact in out for fact in facts)
    status, text, _ = run(capsys, "check", ADDRESS, "--json")
    found = json.loads(text)
    assert status == 0
    assert set(found) == set(Check.__dataclass_fields__)
    assert (found["ok"], found["listing"], found["reading"], found["runs"]) == (True, True, True, 3)
    assert found["next"] == f"python -m viz3d list {ADDRESS}"
    assert key["private_key"] not in out + text
    assert server.issues not in out + text
    assert str(place) not in out + text


def _expire(server: StorageServer) -> None:
    server.open = False
    server.faults.append(Fault(on="token", kind="invalid_grant", times=None))


def _refuse(server: StorageServer) -> None:
    server.open = False
    server.tokens[server.issues] = set()


def _lose(server: StorageServer) -> None:
    server.faults.append(Fault(on="media", kind="status", status=403, times=None))


@pytest.mark.parametrize(
    ("break_it", "source", "kind", "next_one"),
    [
        (_expire, ADDRESS, "expired_login", "gcloud auth application-default login"),
        (_refuse, ADDRESS, "no_permission", ""),
        (_lose, ADDRESS, "no_permission", ""),
        (None, "gs://team-run", "no_bucket", "gcloud storage ls"),
        (StorageServer.stop, ADDRESS, "unreachable", ""),
        (None, "gs://x?alt=media", "bad_name", "gcloud storage ls"),
        (None, "no/such/folder", "source", ""),
    ],
)
def test_check_fails_with_the_faults_own_words(
    break_it: object, source: str, kind: str, next_one: str, server: StorageServer, place: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Exit 1; a sentence and a remedy on standard error, or one document on standard output."""
    key = service_account_key(server.url)
    (place / "key.json").write_text(json.dumps(key), "utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(place / "key.json"))
    run(capsys, "list", ADDRESS)  # a listing that is here does not hide the fault
    if callable(break_it):
        break_it(server)
    began = monotonic()
    status, out, err = run(capsys, "check", source, "--json")
    assert monotonic() - began < 2
    found = json.loads(out)
    assert (status, found["ok"], found["kind"], found["next"]) == (1, False, kind, next_one)
    assert found["message"].endswith(".")
    assert key["private_key"] not in out + err
    status, out, err = run(capsys, "check", source)
    assert (status, out) == (1, "")
    assert found["message"] in err
    assert found["remedy"] in err
    assert str(place) not in err


def test_check_of_a_public_bucket_needs_no_login(
    server: StorageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody may read it, and that is said."""
    server.open = False
    server.public.add(BUCKET)
    status, out, _ = run(capsys, "check", ADDRESS)
    assert status == 0
    assert "nobody (anonymous)" in out


def test_check_of_the_settings_own_source(
    server: StorageServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a word it checks what is set; a settings file that is none is one document, too."""
    monkeypatch.setenv("GCS_BUCKET", BUCKET)
    status, out, _ = run(capsys, "check", "--json")
    assert (status, json.loads(out)["bucket"]) == (0, BUCKET)
    Path(".env").write_bytes(b"\xff\xfe")
    status, out, _ = run(capsys, "check", "--json")
    assert (status, json.loads(out)["kind"]) == (1, "settings")
