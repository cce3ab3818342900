"""What files mean: one module per format, each of which declines what is not its own.

`FORMATS` is the order in which they are asked: the narrow ones first, those that take any column
names last.
"""

from __future__ import annotations

from viz3d.formats import (
    config,
    csv_any,
    json_arrays,
    jsonl,
    nanochat_report,
    viz3d_run,
)
from viz3d.formats.base import Format

FORMATS: tuple[Format, ...] = (
    viz3d_run,
    nanochat_report,
    json_arrays,
    jsonl,
    csv_any,
    config,
)
