"""Patterns of paths."""

from __future__ import annotations

import pytest
from gcp_storage_emulator.gcs_glob import gcs_glob_match
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viz3d.sources.globs import literal, matches


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "d/a.csv", False),
        ("**.csv", "d/e/a.csv", True),
        ("**/*.csv", "a.csv", True),
        ("**/*.csv", "d/e/a.csv", True),
        ("r/**", "r/d/e", True),
        ("r/**", "s/r/d", False),
        ("r/**/x", "r/x", True),
        ("r/**/x", "rx", False),
        ("?.csv", "a.csv", True),
        ("?.csv", "/.csv", False),
        ("[ab-d]x", "cx", True),
        ("[!ab-d]x", "cx", False),
        ("[!a]x", "/x", False),
        ("[a-]x", "-x", True),
        ("[z-a]x", "zx", False),
        ("[!z-a]x", "zx", True),
        (r"[\]]x", "]x", True),
        ("{a,b*}.csv", "bc.csv", True),
        ("{a,{b,c}d}", "cd", True),
        ("{a,b}", "a,b", False),
        (r"\*.csv", "*.csv", True),
        (r"\*.csv", "a.csv", False),
        ("a[b", "a[b", True),
        ("a{b,c", "a{b,c", True),
        ("a}b]", "a}b]", True),
        ("{a,{b}", "{a,b", True),
        ("a\\", "a\\", True),
        ("a.c", "abc", False),
        ("*", "a\nb", True),
        ("a", "a\n", False),
        ("", "", True),
    ],
)
def test_a_pattern_takes_in_what_it_says(pattern: str, path: str, fits: bool) -> None:
    """Each sign has its meaning, a bracket without its other half none."""
    assert matches(pattern, path) is fits


@example("{a,b*}**/", "b")  # a choice is spelled out before stars join
@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", ".", "/", "*", "**", "**/", "?", "[ab]", "[!/a]", "{a,b*}",
                              "{a.,.b}", "\\*", "-"]), max_size=8).map("".join),
    st.text("ab./*-", max_size=10),
)  # fmt: skip
def test_a_folder_is_searched_as_a_bucket_is(pattern: str, path: str) -> None:
    """What an emulator of the service finds for a pattern is found here, and nothing else."""
    if pattern:  # which the service takes for no pattern at all
        assert matches(pattern, path) == gcs_glob_match(pattern, path)


@given(st.text("ab*?[]{},\\!-/\n"), st.text("ab*?[]{},\\!-/\n"))
def test_a_literal_text_matches_itself_alone(text: str, other: str) -> None:
    """A name of a folder may hold every sign of a pattern."""
    assert matches(literal(text), text)
    assert matches(literal(text), other) is (text == other)
