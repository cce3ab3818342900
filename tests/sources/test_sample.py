"""The bundled runs."""

from __future__ import annotations

from viz3d.sources.sample import sample_source


def test_the_sample_source_is_called_sample() -> None:
    """The bundled runs are listed under a name that is no path."""
    source = sample_source()
    assert source.name == "sample"
    assert all(not file.path.startswith("/") for file in source.files())
