"""A folder with a log, and an empty cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d import load_entries
from viz3d.parsed import columns

from .opening import ROWS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log, and an empty cache that is worth it for any log."""
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(load_entries, "WORTH", 0)
    monkeypatch.setattr(columns, "AT_ONCE", 0)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.jsonl").write_text(ROWS)
    return tmp_path / "runs"
