"""Where a line of a console log begins, behind what others print, and what of it was not read."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viz3d.formats.printed_numbers import Numbers
    from viz3d.formats.tally import Tally

NO_THOUSANDS = "{n} number{|s} with a comma that parts no thousands {was|were} left out ({names})."
BEHIND = "{n} line{|s} that tell{s|} of a step behind other words {was|were} left out."
UNREAD = "{n} part{|s} of lines that tell of a step {was|were} not read."
# What says a value: a digit, a name with a colon, or None.
_SAYS = re.compile(r"\d|:\s*\S|\bnone\b", re.IGNORECASE)
# Between what others print, or before it.
_MARKS = " \t|:>-"
_TIME = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?(?:\s?[AP]M|Z|[+-]\d\d:?\d\d)?"
_DATE = r"\d{2,4}[-/]\d\d(?:[-/]\d{2,4})?"
LEVEL = r"(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL)\b"
PASSED = (
    r"best|eval|val|test|dev\b|avg|average|mean\b|checkpoint|ckpt|sav|load|resum|restor|prev"
    r"|last\b|final"
)
"""So begin words of a message, of a step that passed or of another loss: no logger's name."""
_NAMED = rf"(?!(?:[^\W_]{{0,80}}[._:-]){{0,9}}(?i:{PASSED}))"
_LOGGER = rf"{_NAMED}[\w.-]{{1,80}}"
# One thing that others print; marks between them are no words.
_OTHERS = re.compile(
    rf"""(?x)
    [\s|:>-]*+
    (?: \[? {_DATE}[T\s]{{0,2}} (?:{_TIME})? \]? | \[?{_TIME}\]?
    | [IWEF]\d{{4}}\s{_TIME}\s+\d+\s  # Google's level, day, time and thread
    | \[?[\w./-]{{1,80}}\.py:\d+[^\]\s]{{0,80}}\]?  # a place in the code
    | (?:\[{_LOGGER}\]\s?)? \[{LEVEL}[^\]]{{0,80}}\]
    | (?:{_LOGGER}\s?[|-]\s?)? (?P<level>{LEVEL})
        (?:\s{{0,9}}[:-]\s?{_LOGGER}\s?[:-] | \s{{0,9}}\|\s?{_NAMED}[\w.:<>-]{{1,80}}\s?[|-])?
    | \[(?:[Rr]ank|default)?:?\s?\d+\] | \[\d+,[^\]\s]{{1,80}}\](?:<std\w{{3}}>)? | \d{{1,6}}:(?!\d)
    | \([^()]{{0,80}}\bpid=[^()]{{0,80}}\)  # Ray's process
    | [^|]{{0,200}}? (?: \d{{1,3}}%\|[^|]{{0,200}}\|[^|[]{{0,80}} | \b\d[\w.]{{0,20}}\s )
        \[(?=\d[\d:]{{0,9}}(?:<|,\s))[^\]]{{0,200}}\]  # a bar, behind what it is of
    )
    """
)
# Nothing that others print is longer; a line of steps alone would take long to look through.
_FAR = 1_000


def begin(pattern: re.Pattern[str], line: str) -> tuple[re.Match[str] | None, bool]:
    """Find the last place in a line where its own text begins.

    A progress bar stays on its line, so that what is printed next stands behind it; ranks, times
    and loggers come first too. Behind other words, as in ``best so far: step 100``, the step is
    one that passed.

    Parameters
    ----------
    pattern : re.Pattern
        Of how such a text begins, to be found anywhere; in one way at each place.
    line : str

    Returns
    -------
    match : re.Match or None
    own : bool
        Whether nothing stands before it, or only what others print.
    """
    places = [*pattern.finditer(line, 0, _FAR)]
    if not places:
        return None, False
    ends = _others(line, places[-1].start())
    for place in reversed(places):
        end = ends[bisect_right(ends, place.start()) - 1]
        if not line[end : place.start()].strip(_MARKS):
            return place, True
    return places[-1], False


def _others(line: str, stop: int) -> list[int]:
    """Return where each of the things ends that others print at the beginning of a line."""
    ends = [0]
    while ends[-1] < stop and (found := _OTHERS.match(line, ends[-1])):
        ends += sorted({found.end("level"), found.end()} - {-1})  # what follows may be no name
    return ends


def tell_unread(parts: Iterable[str], tally: Tally, line: int) -> None:
    """Tell of what gave nothing, though it seems to say a value."""
    for part in parts:
        if _SAYS.search(part):
            tally.add(UNREAD, line=line, found=part.strip().encode())


def step_of(printed: str, number: Numbers, tally: Tally, line: int) -> int | None:
    """Return a printed step; None, which is told, where it is not known what its comma means."""
    if (step := number(printed)) is None:
        tally.add(NO_THOUSANDS, line=line, name="step")
        return None
    return int(step)
