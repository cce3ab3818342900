"""Which blocks of JSON lines Arrow gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from viz3d.formats import jsonl, jsonl_arrow
from viz3d.formats.tally import Tally


def test_arrow_does_not_get_a_block_that_is_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fills what is not there: of 2 MiB with 1,500 keys it makes a gigabyte."""
    monkeypatch.setattr(jsonl_arrow, "MOST_CELLS", 1_500)
    few, many = b'{"a": 1}\n' * 900, [b'{"a": 1, "k%d": 2}\n' % at for at in range(100)]
    dense, sparse = few + b'{"a": 1}\n' * 100, few + b"".join(many)
    assert jsonl.read_fast(dense, Tally("f")) is not None
    assert jsonl.read_fast(sparse, Tally("f")) is None


def test_keys_that_a_sample_hardly_shows_are_counted() -> None:
    """Lines of which each has keys of its own, be they few and long or many and short."""
    own = [{f"{line}{'k' * 190}{at}": 1 for at in range(100)} for line in range(40)]
    few = b"".join(json.dumps(row).encode() + b"\n" for row in own)
    many = [b'{"a": 1}\n'] * 60_000
    many[::67] = [b'{"k%d": 1}\n' % at for at in range(len(many[::67]))]
    for block in (few, b"".join(many)):
        assert jsonl_arrow._lines_for_arrow(block) is None
    alike = b"".join(json.dumps(dict.fromkeys(own[0], at)).encode() + b"\n" for at in range(40))
    for block, lines in ((alike, 40), (many[1] * 60_000, 60_000)):
        assert jsonl_arrow._lines_for_arrow(block) == lines


def test_a_file_is_read_the_same_each_time(tmp_path: Path) -> None:
    """Which reader a block gets, and so what is told, does not depend on chance."""
    rows = [{"step": at, "loss": 1.0} for at in range(20_000)]
    rows[::56] = [{"step": 56 * at, "eval": {f"task_{at}": 1}} for at in range(len(rows[::56]))]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = jsonl.read_table(path, tally := Tally("a.jsonl"))
    assert len(table.columns) == 2 + len(rows[::56])
    assert not tally.problems()
    block = path.read_bytes()
    assert len({jsonl_arrow._lines_for_arrow(block) for _ in range(12)}) == 1
