"""Every fault of a bucket is told in one sentence of its own, alike wherever it is told.

Real client, real server, real page; in the app, and by ``check`` with and without ``--json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.storage.server import Fault, StorageServer, service_account_key
from viz3d.cli import main

ADDRESS = "gs://team-runs"
Open = Callable[..., AppTest]
Break = Callable[[StorageServer, Path], Any]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StorageServer]:
    with StorageServer() as running:
        running.put("team-runs", "runs/a/metrics.jsonl", b'{"step": 1, "loss": 3.5}\n')
        running.open = False
        running.tokens[running.issues] = {"team-runs"}
        key = tmp_path / "key.json"
        key.write_text(json.dumps(service_account_key(running.url)), "utf-8")
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.url)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
        monkeypatch.setenv("GCP_PROJECT_ID", "team-project")
        monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.setenv("VIZ3D_PATIENCE", "0.1")
        yield running


def strike(kind: str, on: str, **more: Any) -> Break:
    return lambda server, _: server.faults.append(Fault(kind, on=on, times=None, **more))


def take_rights(server: StorageServer, _: Path) -> None:
    server.tokens[server.issues] = set()


def take_login(server: StorageServer, folder: Path) -> None:
    """A login of the real service is shown to no emulator, so there is none left."""
    (folder / "key.json").write_text('{"type": "authorized_user"}', "utf-8")


def junk_key(server: StorageServer, folder: Path) -> None:
    (folder / "key.json").write_text("junk", "utf-8")


def wrong_clock(server: StorageServer, _: Path) -> None:
    server.clock_offset = 7 * 3600


def closed_project(server: StorageServer, _: Path) -> None:
    said = {"error": {"code": 403, "message": "The project's billing account is closed."}}
    body = json.dumps(said)
    server.faults.append(Fault("status", on="list", status=403, body=body, times=None))


def unplug(server: StorageServer, _: Path) -> None:
    server.stop()


# what happens -> how, the kind that programs see, what the sentence must hold
TOLD: dict[str, tuple[Break, str, str]] = {
    "expired login": (strike("invalid_grant", "token"), "expired_login", "expired or was revoked"),
    "no login": (take_login, "no_credentials", "no Google login here"),
    "wrong key file": (junk_key, "bad_key_file", "key.json cannot be used"),
    "no permission": (take_rights, "no_permission", "may not read gs://team-runs"),
    "wrong project": (closed_project, "wrong_project", "team-project"),
    "login page": (strike("html", "list"), "portal", "login page"),
    "too many requests": (strike("status", "list", status=429), "too_many_requests", "fewer"),
    "wrong clock": (wrong_clock, "clock", "7 hours behind"),
    "errors": (strike("status", "list", status=503), "service_down", "with errors"),
    "silence": (strike("hang", "list"), "stalled", "stopped answering"),
    "no network": (unplug, "unreachable", "cannot be reached"),
    "junk": (strike("badjson", "list"), "bad_answer", "cannot be understood"),
}
ADDRESSES = {
    "missing bucket": ("gs://team-run", "no_bucket", "no bucket team-run"),
    "no bucket's name": ("gs://Team?x", "bad_name", "no name of a bucket"),
}


def tell(
    address: str, open_page: Open, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, Any], str, str]:
    """Return what `check --json`, `check` and the page say."""
    assert main(["check", address, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert main(["check", address]) == 1
    text = capsys.readouterr().err
    app = open_page("app.py", source=address)
    assert not app.exception
    (error,) = app.main.error
    return document, text, error.value.replace("\\", "").replace("\u200b", "")


def plain(text: str) -> str:
    return text.replace("`", "").replace("\\", "")


@pytest.mark.parametrize("name", TOLD)
def test_a_fault_reads_alike_everywhere(
    name: str, server: StorageServer, open_page: Open, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    break_it, kind, holds = TOLD[name]
    break_it(server, tmp_path)
    check(tell(ADDRESS, open_page, capsys), kind, holds, tmp_path)


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_that_does_not_open_reads_alike_everywhere(
    name: str, server: StorageServer, open_page: Open, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    address, kind, holds = ADDRESSES[name]
    check(tell(address, open_page, capsys), kind, holds, tmp_path)


def check(told: tuple[dict[str, Any], str, str], kind: str, holds: str, folder: Path) -> None:
    document, text, page = told
    assert document["kind"] == kind
    assert document["ok"] is False
    assert holds in document["message"]
    for said in (text, page):
        assert plain(document["message"]) in plain(said)
        assert plain(document["remedy"]) in plain(said)
        assert str(folder) not in said


def test_every_fault_has_a_sentence_of_its_own() -> None:
    kinds = [kind for _, kind, _ in (*TOLD.values(), *ADDRESSES.values())]
    assert len(set(kinds)) == len(kinds) == 14
