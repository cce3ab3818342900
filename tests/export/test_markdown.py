"""Markdown: readable in review, and nothing in a name acts."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from drawn import KINDS

from viz3d.export.markdown import code, escape, table, to_markdown


def outside_code(text):
    """Return Markdown without its code spans, in which nothing acts."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_it_has_words_tables_notes_and_origin(charts):
    """Title, summary, one row for each run, the notes and the digests."""
    chart = charts["loss-landscape"]
    text = to_markdown(chart).decode()
    assert text.startswith("## Loss landscape\n\n")
    assert text.count("\n| ") == (4 + 2) * 2 - 2 + 2
    assert text.count("\n- ") == len(chart.notes)
    settings = "along = step, attempts = false, rate = peak, strictness = default."
    assert f"Made with viz3d 0.1.0, {settings}" in text
    assert f"`{'3' * 64}`" in text


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_becomes_a_link_a_mention_or_a_tag(charts, kind):
    """Not in a table, not in a sentence; each row of a table stays one row."""
    text = outside_code(to_markdown(charts[kind]).decode())
    assert not re.search(r"(?<!\\)<", text)
    assert "://" not in text
    assert not re.search(r"@\w|#\w|www\.", text)
    assert not re.search(r"(?<!\\)\]\(", text)
    rows = [line for line in to_markdown(charts[kind]).decode().split("\n") if line[:1] == "|"]
    widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert widths <= {4, len(charts[kind].table.columns) + 1}


def test_text_keeps_its_letters():
    """What is shown is what was written, but for marks that are not seen."""
    assert escape("a_b *c* | `d`") == r"a\_b \*c\* \| \`d\`"
    assert escape("- no list") == r"\- no list"
    assert escape("1. no list").replace("\u200b", "") == "1. no list"
    assert escape("two\nlines") == "two lines"
    assert escape("a :tada: b") != "a :tada: b" == escape("a :tada: b").replace("\u200b", "")


def test_nothing_steers_a_terminal_or_turns_the_line_round():
    """Whoever prints the file, or reads it in review, sees what it says."""
    for write in (escape, code):
        assert "a\ufffdb\ufffdc\ufffdd" in write("a\x1bb\u202ec\x00d")


def test_code_spans_hold_any_text():
    """Backticks inside make the fence longer; pipes are escaped, as tables want it."""
    assert code("a|b") == r"`a\|b`"
    assert code("a`b") == "`` a`b ``"
    assert code("") == ""


def test_empty_cells_stay_empty():
    """Nothing reads NaN or <NA>."""
    frame = pd.DataFrame({"run": ["a"], "at": pd.array([pd.NA], "Int64"), "x": [float("nan")]})
    assert table(frame).splitlines()[-1] == "| `a` |  |  |"
