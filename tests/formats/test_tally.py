"""Counting oddities."""

from __future__ import annotations

from pathlib import Path

from viz3d.formats import remedies
from viz3d.formats.tally import Tally


def test_many_oddities_become_one_sentence() -> None:
    """A kind is told once, with its count, its first line and the names concerned."""
    tally = Tally("a.csv")
    for line in (3, 9, 1):
        tally.add("{n} row{|s} {was|were} odd ({names}).", line=line, name=f"m{line}")
    (problem,) = tally.problems()
    assert str(problem) == "a.csv:1: 3 rows were odd (m3, m9, m1)."


def test_one_oddity_is_told_in_the_singular() -> None:
    """Grammar follows the count, and braces in a name are left alone."""
    tally = Tally("a.csv")
    tally.add("{n} row{|s} {was|were} odd ({names}).", name="{a|b}")
    assert tally.problems()[0].what == "1 row was odd ({a|b})."


def test_long_lists_of_names_are_cut_with_the_count() -> None:
    """No message grows with the file."""
    tally = Tally("a.csv")
    for at in range(12):
        tally.add("{n} column{|s}: {names}.", name=f"m{at}")
    assert tally.problems()[0].what == "12 columns: m0, m1, m2, m3, m4 and 7 more."


def test_what_was_found_first_is_quoted_and_bounded() -> None:
    """Of a log that is read in pieces, too; with escapes for what no terminal should get."""
    tally, later = Tally("a.jsonl"), Tally("a.jsonl")
    later.add("{n} line{|s} odd.", line=9, found=b"later")
    tally.add("{n} line{|s} odd.", line=3, found=b" \x1b[31m\xff" + b"x" * 10_000)
    assert tally.problems()[0].what == r"1 line odd: '\x1b[31m\\xff" + "x" * 70 + "…'."
    tally.merge(later)
    later.merge(tally)
    assert (
        tally.problems()[0].what == r"2 lines odd; the first is '\x1b[31m\\xff" + "x" * 70 + "…'."
    )
    assert [problem.what[:40] for problem in later.problems()] == [
        r"3 lines odd; the first is '\x1b[31m\\xff"
    ]


def test_every_remedy_belongs_to_a_sentence() -> None:
    """No remedy is left of a sentence that is told no more, and none hides behind another."""
    table = Path(remedies.__file__)
    code = "".join(path.read_text("utf-8") for path in table.parent.glob("*.py") if path != table)
    for at, phrase in enumerate(remedies.REMEDIES):
        assert phrase in code
        assert not [other for other in list(remedies.REMEDIES)[:at] if other in phrase]
