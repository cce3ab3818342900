"""Where a line of a console log begins, behind what others print, and what of it was not read."""

from __future__ import annotations

import re
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
# A progress bar, a rank, Ray's process, srun's label, a time, a logger's level and name.
_OTHERS = re.compile(
    r"""(?x)
    (?: ^ | [\]|>]:? | \w\ pid=[^()]*\) | ^\d+: | \d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?
    | \b(?:DEBUG|INFO|WARNING)(?:\s{0,9}[:|-]\s?[\w.:<>]+\s?[:|-] | \s{0,9}[:|-])?
    ) $
    """
)
# Nothing that others print is longer; a line of steps alone would take long to look through.
_OTHERS_CHARS, _FAR = 100, 1_000


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
    match, own = None, False
    for place in pattern.finditer(line, 0, _FAR):
        before = line[max(0, place.start() - _OTHERS_CHARS) : place.start()].rstrip()
        here = bool(_OTHERS.search(before))
        if here >= own:
            match, own = place, here
    return match, own


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
