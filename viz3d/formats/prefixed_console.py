"""Console logs of which each line begins with the same words: ``[train] iter 0: loss 4.21, …``.

Words before a step may say that it passed, as ``best so far:`` does. Those before all lines do not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import modded_nanogpt, nanogpt_console, text, verl_console
from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, Lines, claim_log, read_log
from viz3d.formats.console_lines import LEVEL, PASSED
from viz3d.formats.console_runs import Pairs
from viz3d.formats.printed_numbers import Numbers
from viz3d.formats.tally import Tally

NAME = "log with words before its lines"

_ALL = (verl_console.LINES, modded_nanogpt.LINES, nanogpt_console.LINES)
_CHANGES = re.compile(r"[\d\s]+")  # from line to line, as a time does
_PASSED = re.compile(rf"(?<![^\W_])(?:{PASSED})", re.IGNORECASE)
_LEVEL = re.compile(LEVEL)
_EPOCH = re.compile(r"\bepoch[\s:=]{0,3}(\d{1,9})", re.IGNORECASE)
ASKED = 10_000
"""The first lines that tell of a step, which say what words most begin with."""

KIND = LOG_KIND
NAMES = LOG_NAMES
claim = claim_log


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one log; the lines behind other words than most have are left out and told.

    Raises
    ------
    NotMine
        If no words stand before more than half of the lines that tell of a step, and before two,
        or if they speak of steps that passed and are no logger's name.
    """
    (path,) = files.values()
    text.check(path)
    count, words, lines = max((_common(path, lines) for lines in _ALL), key=lambda one: one[0])
    if count < 2:
        raise NotMine(
            "no words stand before a step in two lines of it and in most of those that tell of one"
        )
    if _PASSED.search(words) and not _LEVEL.search(words):
        raise NotMine("the words before its steps speak of a best, saved or evaluated one")

    def epoch(before: str) -> Pairs | None:
        if _words(before) != words:
            return None
        found = _EPOCH.search(before)
        return [("epoch", float(found[1]))] if found else []

    return read_log(files, lines, epoch)


def _common(path: Path, lines: Lines) -> tuple[int, str, Lines]:
    """Return how often the words stand that most lines begin with, and these; 0 for none."""
    telling = (line for line in lines.of(path, Tally(path.name), Numbers()) if line.pairs)
    counts = Counter(_words(line.before) for line in islice(telling, ASKED))
    words, count = next(iter(counts.most_common(1)), ("", 0))
    return (count if 2 * count > counts.total() else 0), words, lines


def _words(before: str) -> str:
    return _CHANGES.sub("", before)
