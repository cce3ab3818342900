"""The bundled sample runs: real recordings, so that the first look needs no data."""

from __future__ import annotations

from pathlib import Path

from viz3d.sources.local import LocalSource

NAME = "sample"
FOLDER = Path(__file__).resolve().parents[1] / "samples"


def sample_source() -> LocalSource:
    """Return the source of the bundled runs."""
    return LocalSource(FOLDER, NAME)
