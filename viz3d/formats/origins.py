"""Which file gave what to a run, and what formats said that declined it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.remedies import parted
from viz3d.run import Origin, Problem

if TYPE_CHECKING:
    from viz3d.formats.base import Parsed

# Path of a file -> formats that declined it, each with its reason, in the order of asking.
Reasons = dict[str, list[tuple[str, str]]]


def origins(
    parts: Sequence[Parsed],
    metrics: Container[str],
    reasons: Reasons,
    left: Sequence[str],
    *,
    wide: bool,
) -> tuple[Origin, ...]:
    """Say where the pieces of a run come from.

    Parameters
    ----------
    parts : sequence of Parsed
    metrics : container of str
        Those of the history.
    reasons : mapping of {path: list of (format, reason)}
    left : sequence of str
        Files that no format read.
    wide : bool
        Whether columns of the rows became layers.

    Returns
    -------
    tuple of Origin
    """
    merged = sum(part.rows is not None for part in parts) > 1
    read = [
        _origin(part, metrics, reasons, merged=merged, wide=wide) for part in parts if part.used
    ]
    without = [*(part.aside for part in parts if part.aside), *left]
    return (*read, *(Origin(files=(path,), declined=tuple(reasons[path])) for path in without))


def not_read(path: str, reasons: Mapping[str, Sequence[tuple[str, str]]]) -> Problem:
    """Say that no format read a file, and why."""
    said = "; ".join(f"{form}: {reason}" for form, reason in reasons[path])
    return Problem(*parted(f"The file was not read ({said})."), path)


def _origin(
    part: Parsed, metrics: Container[str], reasons: Reasons, *, merged: bool, wide: bool
) -> Origin:
    rows = part.rows
    columns = tuple(rows.columns) if rows is not None else ()
    known = tuple(name for name in columns if name in metrics)
    steps = rows.step if rows is not None else np.empty(0, np.int64)
    gave = {
        "layers": part.layers is not None or (wide and known != columns),
        "report": part.report is not None,
        "config": bool(part.config),
        "landscapes": bool(part.landscapes or part.projections),
    }
    return Origin(
        files=part.used,
        format=part.format,
        rows=len(steps),
        first_step=int(steps.min()) if len(steps) else None,
        last_step=int(steps.max()) if len(steps) else None,
        counted_by=rows.counted_by if rows is not None else "",
        metrics=known,
        gave=tuple(name for name, there in gave.items() if there),
        merged=merged and rows is not None,
        declined=tuple(said for path in part.used for said in reasons.get(path, ())),
    )
