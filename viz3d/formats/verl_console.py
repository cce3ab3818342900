"""Console logs of verl: ``step:1 - actor/pg_loss:0.001 - critic/rewards/mean:0.558 - …``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats import text
from viz3d.formats.base import Parsed
from viz3d.formats.console import LOG_KIND, LOG_NAMES, NUMBER, PrintedRuns, claim_log, number
from viz3d.formats.tally import Tally

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
    ((name, path),) = files.items()
    text.check(path)
    runs, tally = PrintedRuns(name), Tally(name)
    for at, raw in text.lines(path, tally):
        match = _LINE.match(text.printed(raw)) if b"step:" in raw[:200] else None
        metrics = map(_METRIC.fullmatch, match[2].split(" - ")) if match else ()
        values = {metric[1]: number(metric[2]) for metric in metrics if metric}
        if match and values:
            runs.add(int(match[1]), values, at)
    if not runs.kinds:
        raise NotMine("no line of it reads `step:N - name:value`")
    return runs.parsed(tally)
