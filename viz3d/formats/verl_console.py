"""Console logs of verl: ``step:1 - actor/pg_loss:0.001 - critic/rewards/mean:0.558 - …``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.formats import text
from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, claim_log, read_log
from viz3d.formats.printed_numbers import NUMBER, Numbers

NAME = "verl log"

# Ray puts the name of the process before a line.
_LINE = re.compile(r"(?:\([\w.]+ pid=[^)]*\) )?step:(\d{1,15}) - (.*)")
# A number of NumPy is printed as np.float64(0.5).
_METRIC = re.compile(rf"(.+):(?:np\.\w+\()?({NUMBER})\)?\s*", re.IGNORECASE)

KIND = LOG_KIND
NAMES = LOG_NAMES
claim = claim_log


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one log.

    Raises
    ------
    NotMine
        If no line of it reads ``step:N - name:value``.
    """
    return read_log(files, _parsed, "no line of it reads `step:N - name:value`")


def _parsed(line: bytes, number: Numbers) -> tuple[int, list[tuple[str, float | None]]] | None:
    match = _LINE.match(text.printed(line)) if b"step:" in line[:200] else None
    metrics = map(_METRIC.fullmatch, match[2].split(" - ")) if match else ()
    values = [(metric[1], number(metric[2])) for metric in metrics if metric]
    return (int(match[1]), values) if match and values else None
