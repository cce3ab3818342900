"""What several of these tests begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.sources.cache import Cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache.open(tmp_path / "cache")
