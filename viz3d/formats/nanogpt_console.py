"""Console logs of nanoGPT, of llm.c's first trainer, and of the many scripts that print as they do.

``step 0: train loss 4.21, val loss 4.20``, ``iter 0: loss 4.21, time 84.20ms, mfu -100.00%``,
``iteration 0, loss: 5.27, time: 41.500ms``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, Lines, claim_log, read_log
from viz3d.formats.console_runs import Pairs
from viz3d.formats.printed_numbers import STEP, VALUE, Numbers, with_unit

NAME = "nanoGPT log"

_BEGINS = re.compile(rf"(?<!\w)(?:step|iter|iteration) ({STEP})[:,] ", re.IGNORECASE)
_WORD = r"[a-z][\w/.@-]*"
_PAIR = re.compile(rf"({_WORD}(?: {_WORD})?):? {VALUE}\s*", re.IGNORECASE)

KIND = LOG_KIND
NAMES = LOG_NAMES
claim = claim_log


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one log.

    Raises
    ------
    NotMine
        If no line of it reads ``iter N: loss …``, ``iteration N, loss: …`` or
        ``step N: train loss …``.
    """
    return read_log(files, LINES)


def _pairs(rest: str, number: Numbers) -> tuple[Pairs, list[str]]:
    pairs, unread = [], []
    for part in rest.split(", "):
        pair = _PAIR.match(part)
        left = part[pair.end() :] if pair else part
        if pair and left[:1] in ("", "("):  # as the mean in `loss 4.0 (mean 4.1)`
            pairs.append((with_unit(_name(pair[1]), pair[3] or ""), number(pair[2])))
            unread.append(left)
        else:
            unread.append(part)
    if any("loss" in name for name, _ in pairs):
        return pairs, unread
    return [], [rest] if "loss" in rest.lower() else []


def _name(printed: str) -> str:
    """Return the field's name of what is printed; nanoGPT itself calls its time ``dt``."""
    name = printed.lower().replace(" ", "_")
    return "dt" if name == "time" else name


LINES = Lines(
    _BEGINS, _pairs, "no line of it reads `iter N: loss …` or `step N: train loss …`",
    marks=(b"step ", b"iter ", b"iteration "), mfu_may_lack=True,
)  # fmt: skip
