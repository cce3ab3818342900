"""Reading text in bounded pieces."""

from __future__ import annotations

import random
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import limits, text
from viz3d.formats.tally import Tally


@given(st.binary(max_size=300), st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_blocks_put_together_are_the_file(tmp_path_factory, content: bytes, size: int) -> None:
    """No byte is lost or read twice, and every block but the last ends with a line."""
    path = tmp_path_factory.mktemp("text") / "a"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK_BYTES", size)
        found = list(text.blocks(path, Tally("a")))
    if not content.startswith(text.BOM[:1]):
        assert b"".join(block for _, block in found) == content
    line = 1
    for first, block in found:
        assert first == line
        line += block.count(b"\n")
    assert all(block.endswith(b"\n") for _, block in found[:-1])


def test_a_line_over_the_cap_is_skipped_without_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines around it are read, and it is told with its number."""
    monkeypatch.setattr(limits, "LINE_BYTES", 50)
    monkeypatch.setattr(text, "BLOCK_BYTES", 16)
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo\n" + b"x" * 1000 + b"\nthree\nfour")
    tally = Tally("a")
    assert [line for _, line in text.lines(path, tally)] == [b"one", b"two", b"three", b"four"]
    assert tally.problems()[0].line == 3


def test_a_file_over_the_cap_is_declined(tmp_path: Path) -> None:
    """A file that is too large is refused by its size, unread."""
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.truncate(limits.FILE_BYTES + 1)
    with pytest.raises(NotMine, match="larger than 1,024 MiB"):
        text.check(path)


def test_lines_are_read_as_they_were_seen() -> None:
    """Colours, cursor moves and titles of a terminal are no text."""
    assert text.printed(b"\x1b[1;32mloss\x1b[0m\x1b]0;title\x07: 3\xff") == "loss: 3\ufffd"


@pytest.mark.parametrize("around", [b"", b"2,3\n"])
def test_a_block_of_nul_bytes_is_no_sign_of_a_binary_file(tmp_path: Path, around: bytes) -> None:
    """A crash leaves one behind the last row, of a short file too; more may follow it."""
    path = tmp_path / "a"
    path.write_bytes(b"step,loss\n1,2\n" + bytes(600) + around)
    assert text.check(path) == path.stat().st_size
    for binary in (bytes(600), "step,loss".encode("utf-16-le"), bytes(range(7)) * 9 + bytes(9)):
        path.write_bytes(binary * 9)
        with pytest.raises(NotMine, match="it is no text"):
            text.check(path)


@pytest.mark.parametrize(
    ("content", "is_text"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, False),
        (random.Random(0).randbytes(3000), False),
        ("état,größe\n1,2\n".encode("latin-1"), True),  # whoever reads it says to convert it
        (b"\x1b[31mstep\x1b[0m 1\x08\x08\x082 \xff\n" * 40, True),
        (("\x01" * 1023 + "é").encode(), True),  # cut within a character
        (b"step,loss\n1,2\n\x01\x02\xff\n", True),  # a torn line of a short log
    ],
)
def test_a_picture_is_no_text_in_another_encoding(
    tmp_path: Path, content: bytes, is_text: bool
) -> None:
    """To convert it would help nobody."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with nullcontext() if is_text else pytest.raises(NotMine, match=r"^it is no text$"):
        assert text.check(path) == len(content)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", b""), (b"a", b"a"), (b"a\nbc", b"bc"), (b"a\rbc", b"bc"), (b"a\n", b""),
        (b"a\r", b""), (b"a\r\n", b""), (b"x" * 20, b""),
    ],
)  # fmt: skip
def test_a_last_line_without_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, wanted: bytes
) -> None:
    """Is found from the end of the file; one that is over the cap was not read."""
    monkeypatch.setattr(limits, "LINE_BYTES", 10)
    path = tmp_path / "a"
    path.write_bytes(content)
    assert text.unended(path) == wanted
