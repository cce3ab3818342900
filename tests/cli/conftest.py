"""A folder to work in, and the team's bucket, for the commands that read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.team_bucket import served, work_alone
from tests.storage.server import StorageServer


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder to work in."""
    return work_alone(tmp_path, monkeypatch)


@pytest.fixture
def server(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    """The team's bucket."""
    with served(monkeypatch) as running:
        yield running
