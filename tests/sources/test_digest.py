"""Fingerprint of what was read."""

from __future__ import annotations

from pathlib import Path

from viz3d.sources.digest import digest


def test_names_and_bytes_count_and_the_place_does_not(tmp_path: Path) -> None:
    """A moved run keeps its digest; another name, byte or border between files changes it."""
    for name, content in (("a", b"12"), ("b", b"3"), ("c", b"1"), ("d", b"23")):
        (tmp_path / name).write_bytes(content)
    a, b, c, d = (tmp_path / name for name in "abcd")
    here = digest({"run/x": a, "run/sub/y": b})
    assert here == digest({"elsewhere/deep/sub/y": b, "elsewhere/deep/x": a})
    others = [
        digest({"run/z": a, "run/sub/y": b}),
        digest({"run/x": b, "run/sub/y": a}),
        digest({"run/x": c, "run/sub/y": d}),
        digest({"run/x": a}),
    ]
    assert len({here, *others}) == 5
