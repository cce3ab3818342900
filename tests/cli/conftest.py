"""A folder to work in, and the team's bucket, for the commands that read it."""

from __future__ import annotations

import json
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


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """A folder with three runs, one of them with a torn line."""
    for i, rate in enumerate((1e-4, 1e-3, 1e-2)):
        folder = tmp_path / f"lr-{rate:g}"
        folder.mkdir()
        rows = [
            {"step": s, "loss": 5.0 / (1 + s * rate) + i, "lr": rate, "custom": s * 2.0}
            for s in range(50)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        folder.joinpath("metrics.jsonl").write_text(text + ('{"step": 50, "lo' if i == 2 else ""))
        folder.joinpath("run.json").write_text(json.dumps({"config": {"learning_rate": rate}}))
    return tmp_path
