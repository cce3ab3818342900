"""The bucket of a team, served to the command line: objects, settings, what must come of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.storage.server import StorageServer
from viz3d.cli import main

BUCKET = "team-runs"
ADDRESS = f"gs://{BUCKET}"
NEWEST, OLDER, UNDATED = "aquarat-20251023-143022", "aquarat-20250901-000000", "scratch"
ROWS = b"".join(b'{"step": %d, "loss": %d.5, "lr": 0.1}\n' % (step, 9 - step) for step in range(9))
# The undated run changed last of all.
OBJECTS = {
    f"runs/{NEWEST}/report/report.md": b"# Report of the newest",
    f"runs/{NEWEST}/report/base-loss.md": b"## Base loss",
    f"runs/{NEWEST}/metrics.jsonl": ROWS,
    f"runs/{NEWEST}/checkpoints/model.pt": b"weights",
    f"runs/{OLDER}/report/report.md": b"# Report of the older",
    f"runs/{OLDER}/metrics.jsonl": ROWS + b'{"step": 9, "loss": 0.1}\n',
    f"runs/{UNDATED}/report.md": b"# Report of the other",
    f"runs/{UNDATED}/metrics.jsonl": ROWS,
}


def work_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder to work in, with a cache beside it and nobody's settings."""
    for name in [
        name for name in os.environ if name.startswith(("GOOGLE_", "GCP_", "GCS_", "VIZ3D_"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("VIZ3D_PATIENCE", "0.1")
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")
    return folder / "work"


@contextmanager
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    """Serve the team's bucket to every command."""
    with StorageServer() as running:
        for name, data in OBJECTS.items():
            running.put(BUCKET, name, data)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.url)
        yield running


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run one command; exit status, standard output, standard error."""
    try:
        status = main(words)
    except SystemExit as stop:  # argparse leaves this way
        status = int(stop.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


def reports(*runs: str) -> dict[str, bytes]:
    """Return what the reports of some runs are on the disk."""
    return {
        name.removeprefix("runs/"): data
        for name, data in OBJECTS.items()
        if name.endswith(".md") and name.split("/")[1] in runs
    }
