"""The box that verl puts metrics into, as in ``{"step": 3, "data": {"actor/lr": 1e-6}}``."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from viz3d.formats import text

if TYPE_CHECKING:
    import pyarrow as pa

BOX = {"step", "data"}


def is_boxed(head: bytes) -> bool:
    """Say whether verl wrote a log, as its first line with a group called "data" tells.

    The box is no part of the names of metrics, and may hold more of them than a group does.
    """
    lines = re.split(rb"[\r\n]+", head.removeprefix(text.BOM)) if b'"data"' in head else ()
    for line in lines:
        with suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict) and isinstance(record.get("data"), dict):
                return record.keys() == BOX and "step" not in record["data"]
    return False


def unboxed(arrow: pa.Table) -> pa.Table:
    """Take the metrics out of their box."""
    import pyarrow as pa

    if "data" not in arrow.column_names or not pa.types.is_struct(arrow.schema.field("data").type):
        return arrow
    inside = arrow.select(["data"]).flatten()
    names = [outside(name.removeprefix("data.")) for name in inside.column_names]
    others = arrow.drop_columns(["data"])
    return pa.Table.from_arrays(
        [*inside.columns, *others.columns], names=[*names, *others.column_names]
    )


def outside(name: str) -> str:
    """Return the name of a metric without its box, whose step is another one than that beside."""
    return "data/step" if name == "step" else name
