"""Manifests of packed runs: read as written; a damaged one is declined or as good as another."""

from __future__ import annotations

import json
import tempfile
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats.run_manifest import KINDS, Packed, read_manifest

from .damage import damaged
from .profiles import FAST, LONG


@st.composite
def entries(draw: st.DrawFn) -> list[Packed]:
    """Return entries of one kind, in order."""
    n = draw(st.integers(0, 3))
    through, size = (
        list(accumulate(draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)))) for _ in "ab"
    )
    return [Packed(f"packed-{at:016x}.parquet", through[at], size[at]) for at in range(n)]


def load(content: bytes) -> dict[str, tuple[Packed, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "manifest.json")
        path.write_bytes(content)
        return read_manifest(path)


@FAST
@given(data=st.data())
def test_a_manifest(data: st.DataObject) -> None:
    """Written, read, damaged and read."""
    _a_manifest(data)


@pytest.mark.slow
@LONG
@given(data=st.data())
def test_a_manifest_for_long(data: st.DataObject) -> None:
    """The same, many times."""
    _a_manifest(data)


def _a_manifest(data: st.DataObject) -> None:
    said = {kind: data.draw(entries()) for kind in KINDS}
    content = _written(said)
    assert load(content) == {kind: tuple(parts) for kind, parts in said.items()}
    others = st.fixed_dictionaries({kind: entries() for kind in KINDS}).map(_written)
    try:
        found = load(data.draw(damaged(content, others)))
    except NotMine:
        return
    for parts in found.values():
        assert all(one.through >= 0 and one.bytes >= 0 for one in parts)
        assert sorted(parts, key=lambda one: (one.through, one.bytes)) == list(parts)


def _written(said: dict[str, list[Packed]]) -> bytes:
    return json.dumps(
        {"schema": 1} | {kind: [vars(one) for one in parts] for kind, parts in said.items()}
    ).encode()
