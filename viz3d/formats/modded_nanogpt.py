"""Console logs of modded-nanogpt and llm.c: ``step:1/5100 train_loss:…`` and ``s:1 trl:… lr:…``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, Lines, claim_log, read_log
from viz3d.formats.console_runs import Pairs
from viz3d.formats.printed_numbers import STEP, VALUE, Numbers, with_unit

NAME = "modded-nanogpt log"

_BEGINS = re.compile(rf"(?<!\w)(?:step|s):({STEP})(?:/[\d,]+)? ")
_PAIR = re.compile(rf"(?<!\S)([^\W\d][\w./@()-]*):{VALUE}(?=\s|$)", re.IGNORECASE)

KIND = LOG_KIND
NAMES = LOG_NAMES
claim = claim_log


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one log.

    Raises
    ------
    NotMine
        If no line of it says ``step:N`` or ``s:N`` with a number behind.
    """
    return read_log(files, LINES)


def _pairs(rest: str, number: Numbers) -> tuple[Pairs, list[str]]:
    found = _PAIR.findall(rest)
    pairs = [(with_unit(key, unit), number(value)) for key, value, unit in found]
    return pairs, [_PAIR.sub("", rest)]


LINES = Lines(_BEGINS, _pairs, "no line of it reads `step:N …` or `s:N …`", marks=(b"step:", b"s:"))
