"""What is damaged in the cache is noticed, and made anew from the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.errors import SourceError
from viz3d.load import load_runs
from viz3d.parsed import files

from .opening import ROWS, assert_same, kept


@pytest.mark.parametrize("name", ["about.json", "0-history.parquet", "0-nonfinite.parquet"])
def test_what_is_damaged_is_made_anew(folder: Path, name: str) -> None:
    """A flipped byte in any file is noticed, at the opening or when the column is read."""
    (folder / "a.jsonl").write_text(ROWS + '{"step": 50, "loss": NaN}\n')
    wanted = load_runs(folder)
    (entry,) = kept(folder)
    data = bytearray((entry / name).read_bytes())
    for at in range(0, len(data), max(1, len(data) // 6)):
        damaged = data.copy()
        damaged[at] ^= 0x10
        entry.mkdir(exist_ok=True)
        (entry / name).write_bytes(damaged)
        assert_same(load_runs(folder), wanted)
        assert_same(load_runs(folder), wanted)


def test_a_damaged_column_of_a_log_that_changed_is_told(folder: Path) -> None:
    """It cannot be read again then; nothing else is handed out in its place."""
    load_runs(folder)
    (run,) = load_runs(folder)
    (entry,) = kept(folder)
    history = entry / "0-history.parquet"
    with history.open("r+b") as file:
        file.seek(history.stat().st_size // 4)
        file.write(b"\xff" * 300)
    (folder / "a.jsonl").write_text(ROWS + '{"step": 50, "loss": 0}\n')
    with pytest.raises(SourceError, match="open the run again"):
        _ = run.history


def test_no_flipped_bit_goes_unseen(folder: Path) -> None:
    """Not in what says how a page or a column is to be read either, of which Parquet has no sum."""
    (folder / "a.jsonl").write_text(ROWS + '{"step": 60, "loss": NaN}\n{"step": 50, "loss": 1}\n')
    (wanted,) = load_runs(folder)
    (entry,) = kept(folder)
    unseen = []  # but for the first four bytes of a file of Parquet, which nobody reads
    for path in sorted(entry.iterdir()):
        whole = path.read_bytes()
        for at in range(4, len(whole), 7):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
            if files.check(entry, entry.name):
                unseen.append((path.name, at))
        path.write_bytes(whole)
    assert unseen == []
    history = entry / "0-history.parquet"
    data = bytearray(history.read_bytes())
    data[data.rindex(b"step", 0, data.index(b"parquet-cpp"))] ^= 1  # the name of a column
    history.write_bytes(data)
    assert_same(load_runs(folder), [wanted])
