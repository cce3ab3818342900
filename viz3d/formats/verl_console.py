"""Console logs of verl: ``step:1 - actor/pg_loss:0.001 - critic/rewards/mean:0.558 - …``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.formats import limits
from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, Lines, claim_log, read_log
from viz3d.formats.console_runs import Pairs
from viz3d.formats.printed_numbers import NUMBER, STEP, Numbers

NAME = "verl log"

_BEGINS = re.compile(rf"(?<!\w)step:({STEP}) - ")
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
    return read_log(files, LINES)


def _pairs(rest: str, number: Numbers) -> tuple[Pairs, list[str]]:
    parts = rest.split(" - ")
    metrics = [_METRIC.fullmatch(part) for part in parts]
    unread = [part for part, metric in zip(parts, metrics, strict=True) if not metric]
    return [(metric[1], number(metric[2])) for metric in metrics if metric], unread


LINES = Lines(
    _BEGINS, _pairs, "no line of it reads `step:N - name:value`", marks=[b"step:"],
    longest=limits.LINE_BYTES,
)  # fmt: skip
