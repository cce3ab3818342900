"""Names that are not what they look like."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.characters import deceptive, isolated, shown
from viz3d.figures.text import safe as drawn
from viz3d.ui.text import safe as written


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("run\u202egnp.exe", "run⟨U+202E⟩gnp.exe"),
        ("lo\u200bss", "lo⟨U+200B⟩ss"),
        ("loss\u200d", "loss⟨U+200D⟩"),
        ("l\u200doss", "l⟨U+200D⟩oss"),
        ("\ufeffloss", "⟨U+FEFF⟩loss"),
        ("a\x1b[31mb\x00", "a\ufffd[31mb\ufffd"),
        ("\U000e0041x", "⟨U+E0041⟩x"),
        ("👩\u200d🚀 می\u200cخواهم 訓練 café", "👩\u200d🚀 می\u200cخواهم 訓練 café"),
    ],
)
def test_every_character_is_seen(name: str, seen: str) -> None:
    """And what belongs to a script or to an emoji is left alone."""
    assert shown(name) == seen


@given(st.text(max_size=50))
def test_nothing_that_turns_text_is_left(text: str) -> None:
    left = {unicodedata.category(char) for char in shown(text) if not char.isspace()}
    assert not left & {"Cc", "Cs", "Co"}
    assert not {unicodedata.bidirectional(char) for char in shown(text)} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("loss", []),
        ("Verlust-größe", []),
        ("потери", []),
        ("α lr", []),
        ("שם", []),
        ("l\u043ess", ["U+043E CYRILLIC SMALL LETTER O"]),
        ("l\u043e\u200bss", ["U+043E CYRILLIC SMALL LETTER O", "U+200B ZERO WIDTH SPACE"]),
        ("a\u00a0b", ["U+00A0 NO-BREAK SPACE"]),
        ("a\nb\nc", ["U+000A"]),
    ],
)
def test_what_is_not_what_it_looks_like_is_named(name: str, told: list[str]) -> None:
    """Words of one script are words, whichever it is."""
    assert deceptive(name) == told


def test_text_that_is_read_from_the_right_leaves_the_rest_alone() -> None:
    """In Markdown and in charts a number behind such a name stays behind it."""
    assert isolated("loss") == "loss"
    assert isolated("שם 12") == "\u2068שם 12\u2069"
    assert drawn("שם 12") == written("שם 12") == "\u2068שם 12\u2069"
