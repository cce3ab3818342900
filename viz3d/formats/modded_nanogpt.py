"""Console logs of modded-nanogpt and llm.c: ``step:1/5100 train_loss:…`` and ``s:1 trl:… lr:…``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.formats import text
from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, MAX_LINE, claim_log, read_log
from viz3d.formats.printed_numbers import NUMBER, UNIT, Numbers, with_unit

NAME = "modded-nanogpt log"

_LINE = re.compile(r"(?:step|s):(\d{1,15})(?:/\d+)? (.*)")
_PAIR = re.compile(rf"([A-Za-z_]\w{{0,99}}):({NUMBER})({UNIT})?(?=\s|$)", re.IGNORECASE)

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
    return read_log(files, _parsed, "no line of it reads `step:N …` or `s:N …`")


def _parsed(line: bytes, number: Numbers) -> tuple[int, list[tuple[str, float | None]]] | None:
    if line[:1] not in (b"s", b"\x1b") or len(line) > MAX_LINE:
        return None
    match = _LINE.match(text.printed(line))
    pairs = _PAIR.findall(match[2]) if match else ()
    if not match or not pairs:
        return None
    return int(match[1]), [(with_unit(key, unit), number(value)) for key, value, unit in pairs]
