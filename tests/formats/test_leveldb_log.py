"""The framing of W&B's logs: what is cut or damaged costs itself, and all else is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import leveldb_log, limits, wandb_offline
from viz3d.formats.tally import Tally

from .conftest import joined
from .wandb_file import BLOCK, FIRST, LAST, MIDDLE, framed, piece, row, wandb_file


def records_of(path: Path, content: bytes) -> tuple[list[bytes], str]:
    """Return the records of a log, and what is told."""
    path.write_bytes(content)
    tally = Tally("log")
    found = list(leveldb_log.records(path, wandb_offline.MAGIC, tally))
    return found, "\n".join(map(str, tally.problems()))


def test_records_of_any_length_come_back(tmp_path: Path) -> None:
    """Over block ends, with padding of every length, and longer than two blocks."""
    sizes = [1, 100, BLOCK - 7, BLOCK - 14, 3 * BLOCK, *range(BLOCK - 40, BLOCK), 5]
    records = [bytes([at % 251]) * size for at, size in enumerate(sizes)]
    assert records_of(tmp_path / "a", framed(records)[0]) == (records, "")


def test_zeros_at_the_end_are_told(tmp_path: Path) -> None:
    """A crash of the machine leaves room that was reserved and not written."""
    log = wandb_file(b"abc")
    found, told = records_of(tmp_path / "a", log + bytes(2 * BLOCK - len(log)))
    assert found == [b"abc"]
    assert "2 blocks of zeros were passed over" in told


def test_after_a_damaged_block_reading_goes_on(tmp_path: Path) -> None:
    """A record whose beginning is lost is not taken for one; those of the next block are."""
    log, _ = framed([b"a" * 100, b"b" * BLOCK, b"c" * 100])
    bad = bytearray(log)
    bad[200] ^= 1
    found, told = records_of(tmp_path / "a", bytes(bad))
    assert found == [b"a" * 100, b"c" * 100]
    assert "1 block of at most 32 KiB is damaged" in told


@pytest.mark.parametrize("lost", ["damaged", "zeros"])
def test_what_a_lost_block_parts_is_not_sewn_together(tmp_path: Path, lost: str) -> None:
    """The end of one record behind it does not belong to the beginning of another before it."""
    log, _ = framed([b"a" * (BLOCK + 100), b"b" * BLOCK, b"c" * 100])
    block = bytes(BLOCK)
    if lost == "damaged":
        block = bytes([log[BLOCK] ^ 1]) + log[BLOCK + 1 : 2 * BLOCK]
    found, told = records_of(tmp_path / "a", log[:BLOCK] + block + log[2 * BLOCK :])
    assert found == [b"c" * 100]
    assert "1 record of which a piece is missing was left out" in told


def test_a_length_that_lies_costs_its_block(tmp_path: Path) -> None:
    """In the middle of a file it cannot be a cut."""
    log, _ = framed([b"a" * 100, b"b" * 100, b"c" * BLOCK, b"d"])
    bad = bytearray(log)
    bad[7 + 107 + 4 : 7 + 107 + 6] = b"\xff\xff"
    found, told = records_of(tmp_path / "a", bytes(bad))
    assert found == [b"a" * 100, b"d"]
    assert "damaged" in told


def test_a_record_without_its_end_or_too_long_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that died and began again; and one that never stops is not held in memory."""
    monkeypatch.setattr(limits, "LINE_BYTES", 100)
    pieces = [
        piece(FIRST, b"torn"), piece(FIRST, b"a"), piece(MIDDLE, b"b"), piece(LAST, b"c"),
        piece(FIRST, b"x" * 90), piece(MIDDLE, b"x" * 90), piece(LAST, b"x"), piece(FIRST, b"cut"),
    ]  # fmt: skip
    found, told = records_of(tmp_path / "a", wandb_offline.MAGIC + b"".join(pieces))
    assert found == [b"abc"]
    assert "1 record of which a piece is missing" in told
    assert "1 record larger than 100 bytes" in told
    assert "The last record is cut" in told


ROWS = 70
CONTENT, ENDS = framed([row(n, iter=10 * n, loss=n / 7, text="x" * 900) for n in range(ROWS)])
ANYWHERE = st.integers(0, len(CONTENT) - 1)


def survived(folder: Path, content: bytes) -> set[int]:
    """Return which rows are read, after a look at their values."""
    path = folder / "a.wandb"
    path.write_bytes(content)
    first, _ = wandb_offline.read({"a.wandb": path})
    history = joined(first).history
    steps = history.index.to_numpy()
    assert np.array_equal(history["loss"].to_numpy() if len(steps) else [], steps / 10 / 7)
    return set((steps // 10).tolist())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples."""
    return tmp_path_factory.mktemp("logs")


@settings(max_examples=100, deadline=None)
@given(cut=ANYWHERE)
@example(cut=BLOCK)
@example(cut=ENDS[0])
def test_whatever_is_cut_all_before_is_kept(folder: Path, cut: int) -> None:
    """Exactly the records that are there as a whole."""
    if cut < len(wandb_offline.MAGIC):
        with pytest.raises(NotMine):
            survived(folder, CONTENT[:cut])
    else:
        whole = {at for at, end in enumerate(ENDS) if end <= cut}
        assert survived(folder, CONTENT[:cut]) == whole


@settings(max_examples=100, deadline=None)
@given(at=ANYWHERE, flip=st.integers(1, 255))
@example(at=BLOCK + 4, flip=255)
def test_whatever_byte_is_flipped_all_others_are_kept(folder: Path, at: int, flip: int) -> None:
    """All before it, all from the next block on, and nothing with another value."""
    bad = bytearray(CONTENT)
    bad[at] ^= flip
    if at < len(wandb_offline.MAGIC):
        with pytest.raises(NotMine):
            survived(folder, bytes(bad))
        return
    begins = [len(wandb_offline.MAGIC), *ENDS]
    following = at // BLOCK * BLOCK + BLOCK
    safe = {n for n, end in enumerate(ENDS) if end <= at or begins[n] >= following}
    found = survived(folder, bytes(bad))
    assert safe <= found <= set(range(ROWS))
    assert len(found) >= ROWS - 40
