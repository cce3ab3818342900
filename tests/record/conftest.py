"""Fixtures for tests of the recorder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.record.bucket import BUCKET
from tests.storage.server import StorageServer
from viz3d.record import failures, limit


@pytest.fixture(autouse=True)
def _warnings_arrive(monkeypatch):
    """Wait for a warning for as long as a busy machine takes: tests look at what was said."""
    monkeypatch.setattr(failures, "WARNING_LIMIT", 10.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of every deadline, for tests in which nothing answers."""
    monkeypatch.setenv("VIZ3D_PATIENCE", "0.1")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StorageServer]:
    """A bucket, open to everybody, that every client of this process finds; rounds are short."""
    monkeypatch.setattr("viz3d.record.upload.SOON", 0.02)
    with StorageServer() as running:
        running.make_bucket(BUCKET)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.url)
        monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "cache"))
        yield running


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], threading.Event]]:
    """Make events that are all set in the end; nothing is waited for in the loop."""
    monkeypatch.setattr(limit, "LOOP_LIMIT", 0.0)
    made: list[threading.Event] = []

    def make() -> threading.Event:
        made.append(threading.Event())
        return made[-1]

    yield make
    for event in made:
        event.set()
