"""Event files that are cut, damaged or no event files."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import tensorboard

from .conftest import Reader, joined, said
from .events import (
    LATER,
    NAME,
    VERSION,
    double,
    event,
    inside,
    masked,
    one,
    plugin,
    record,
    scalars,
    tensor,
    varint,
    whole,
)


def test_a_cut_file_gives_what_it_has(read: Reader) -> None:
    """A crash, or a file that is still growing."""
    content = VERSION + scalars("loss", {0: 1.0, 1: 2.0})
    parsed = one(read, content[:-3])
    assert joined(parsed).history["loss"].tolist() == [1.0]
    assert "The last record is cut" in said(parsed)


def test_a_record_with_a_wrong_checksum_is_skipped(read: Reader) -> None:
    """Its length was right, so the next record is found."""
    bad = bytearray(scalars("loss", {1: 2.0}))
    bad[-6] ^= 1
    content = VERSION + scalars("loss", {0: 1.0}) + bytes(bad) + scalars("loss", {2: 3.0})
    parsed = one(read, content)
    assert joined(parsed).history["loss"].to_dict() == {0: 1.0, 2: 3.0}
    assert "1 record with a wrong checksum was left out" in said(parsed)


def test_a_wrong_length_ends_the_reading(read: Reader) -> None:
    """Nothing says where the next record begins; where the damage is, is told."""
    good = VERSION + scalars("loss", {0: 1.0})
    bad = bytearray(scalars("loss", {1: 2.0}))
    bad[2] ^= 1
    parsed = one(read, good + bytes(bad) + scalars("loss", {2: 3.0}))
    assert joined(parsed).history["loss"].to_dict() == {0: 1.0}
    assert f"damaged at byte {len(good)}; what follows was not read" in said(parsed)


def test_a_checksum_without_its_mask_is_wrong(read: Reader) -> None:
    """A plain CRC32C is not what TFRecord writes."""
    length = struct.pack("<Q", 0)
    plain = struct.pack("<I", google_crc32c.value(length))
    with pytest.raises(NotMine, match="does not begin with a record"):
        one(read, length + plain)


def test_a_huge_length_is_never_allocated(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record over the cap is stepped over, one that reaches past the end ends the file."""
    monkeypatch.setattr("viz3d.formats.limits.RECORD_BYTES", 1000)
    long = event(1, inside(1, "x") + inside(4, bytes(2000)))
    content = VERSION + scalars("loss", {0: 1.0}) + long + scalars("loss", {2: 3.0})
    parsed = one(read, content)
    assert joined(parsed).history["loss"].to_dict() == {0: 1.0, 2: 3.0}
    assert "1 record longer than 1,000 bytes" in said(parsed)
    huge = struct.pack("<Q", 2**63)
    parsed = one(read, VERSION + scalars("loss", {0: 1.0}) + huge + masked(huge) + b"x")
    assert joined(parsed).history["loss"].tolist() == [1.0]
    assert "1 record longer than" in said(parsed)


def test_records_that_are_no_events_are_counted(read: Reader) -> None:
    """Framed well and broken inside."""
    content = VERSION + record(b"\xff" * 20) + record(b"\x2a\x7f") + scalars("loss", {0: 1.0})
    parsed = one(read, content)
    assert joined(parsed).history["loss"].tolist() == [1.0]
    assert "2 records that are no event were left out" in said(parsed)


def test_a_record_of_more_fields_than_anyone_writes_is_not_gone_through(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 MiB hold 30 million of them, which would take a minute."""
    monkeypatch.setattr("viz3d.formats.limits.FIELDS", 50)
    content = VERSION + scalars("loss", {0: 1.0}) + record(whole(2, 1) * 51)
    parsed = one(read, content + scalars("loss", {1: 1.0}) + record(whole(2, 1) * 50))
    assert len(joined(parsed).history) == 2
    assert "1 record that is no event was left out" in said(parsed)


def test_what_is_no_event_file_is_declined(read: Reader) -> None:
    """By name alone anything may be one; beside a good one it is told."""
    with pytest.raises(NotMine, match="does not begin with a record"):
        one(read, b"not an event file at all")
    good = VERSION + scalars("loss", {0: 1.0})
    (parsed,) = read(tensorboard, {NAME: b"hello, hello", LATER: good})
    assert parsed.used == (LATER,)
    assert f"{NAME}: The file was not read" in said(parsed)


def test_a_file_that_went_away_spoils_none_beside_it(tmp_path: Path) -> None:
    """It is told; a folder of which none is there is declined."""
    (tmp_path / "good").write_bytes(VERSION + scalars("loss", {0: 1.0}))
    (parsed,) = tensorboard.read({NAME: tmp_path / "gone", LATER: tmp_path / "good"})
    assert parsed.used == (LATER,)
    assert f"{NAME}: The file was not read: it cannot be read." in said(parsed)
    with pytest.raises(NotMine, match="cannot be read"):
        tensorboard.read({NAME: tmp_path / "gone"})


CURVE = {step: step / 4 for step in range(12)}
CONTENT = VERSION + scalars("loss", CURVE)
ENDS = [len(VERSION) + at * (len(CONTENT) - len(VERSION)) // 12 for at in range(13)]


def damaged(content: bytes) -> dict[int, float]:
    """Return the loss by step that is read of `content`, or nothing where it is declined."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "e.tfevents.1.h")
        path.write_bytes(content)
        try:
            (parsed,) = tensorboard.read({"e.tfevents.1.h": path})
        except NotMine:
            return {}
    history = joined(parsed).history
    return history["loss"].to_dict() if "loss" in history else {}


@given(st.integers(0, len(CONTENT)))
@settings(max_examples=100, deadline=None)
def test_any_truncation_keeps_every_whole_record(at: int) -> None:
    """Nothing but NotMine is raised, and what lies before the cut is there, no more."""
    whole_ones = sum(end <= at for end in ENDS[1:])
    assert damaged(CONTENT[:at]) == {step: CURVE[step] for step in range(whole_ones)}


@given(st.integers(0, 8 * len(CONTENT) - 1))
@settings(max_examples=100, deadline=None)
def test_any_flipped_bit_keeps_every_record_before_it(bit: int) -> None:
    """Nothing but NotMine is raised; no wrong number is read, and none before it is lost."""
    content = bytearray(CONTENT)
    content[bit // 8] ^= 1 << bit % 8
    found = damaged(bytes(content))
    before = sum(end <= bit // 8 for end in ENDS[1:])
    assert found.items() <= CURVE.items()
    assert all(found.get(step) == CURVE[step] for step in range(before))


@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 255))
@settings(max_examples=100, deadline=None)
def test_whatever_is_framed_well_hurts_nobody(junk: bytes, at: int, byte: int) -> None:
    """Records whose checksums are right, of anything, and of an event with one byte changed."""
    value = tensor("x", 14, inside(13, varint(7))) + plugin(
        "hparams", inside(3, b"\x0a\x02\x0a\x00")
    )
    inner = bytearray(double(1, 1.0) + whole(2, 3) + inside(5, inside(1, value)))
    inner[at % len(inner)] = byte
    found = damaged(CONTENT + record(junk) + record(bytes(inner)) + scalars("loss", {50: 1.0}))
    assert found[11] == CURVE[11]
    assert found[50] == 1.0
