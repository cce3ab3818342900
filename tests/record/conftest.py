"""Fixtures for tests of the recorder."""

from __future__ import annotations

import pytest

from viz3d.record import failures


@pytest.fixture(autouse=True)
def _warnings_arrive(monkeypatch):
    """Wait for a warning for as long as a busy machine takes: tests look at what was said."""
    monkeypatch.setattr(failures, "WARNING_LIMIT", 10.0)
