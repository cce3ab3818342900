"""Two loggers of one run side by side, such as a CSV and TensorBoard's events: no second run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.base import Parsed
from viz3d.formats.merge import merge
from viz3d.formats.rows import CLOCKS, Cells, Rows, join_rows
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    import pandas as pd

# Event files hold 32 bits of a number, of which the other file may have printed 7 digits.
ALIKE = 1e-6


def less_copies(parts: Sequence[Parsed], main: Sequence[Parsed]) -> tuple[Parsed, ...] | None:
    """Leave out of `parts` what `main` holds as well.

    Parameters
    ----------
    parts, main : sequence of Parsed
        Read from different files.

    Returns
    -------
    tuple of Parsed or None
        None where they log the same metrics and no two values of one step can be compared, or two
        differ: then they are two runs. The clock may differ; that of `main` stays.
    """
    ours, theirs = _history(main), _history(parts)
    if ours is None or theirs is None:
        return tuple(parts)
    steps = ours.index.intersection(theirs.index)
    shared = [metric for metric in theirs if metric in ours and metric not in CLOCKS]
    here, there = ours.loc[steps, shared].to_numpy(), theirs.loc[steps, shared].to_numpy()
    both = ~np.isnan(here) & ~np.isnan(there)
    same = both.any() and np.allclose(here[both], there[both], rtol=ALIKE, atol=0)
    if shared and not same:
        return None
    file = next(path for part in main for path in part.used)
    return tuple(_less(part, ours, file) for part in parts)


def _history(parts: Sequence[Parsed]) -> pd.DataFrame | None:
    joined = [join_rows(part.rows) for part in parts if part.rows is not None]
    return merge(joined).history if joined else None


def _less(part: Parsed, ours: pd.DataFrame, file: str) -> Parsed:
    if part.rows is None:
        return part
    tally, columns = Tally(part.used[0]), {}
    for metric, cells in part.rows.columns.items():
        new = np.ones(len(cells.row), dtype=bool)
        if metric in ours:
            new = ~np.isin(part.rows.step[cells.row], ours.index[ours[metric].notna()])
        columns[metric] = Cells(cells.row[new], cells.value[new])
        if not new.all() and metric not in CLOCKS:
            tally.add(
                f"{{n}} value{{|s}} {{was|were}} read from {file}, which has {{it|them}} as well.",
                count=int((~new).sum()),
            )
    rows = Rows(part.rows.step, columns, counted_by=part.rows.counted_by)
    return replace(part, rows=rows, problems=(*part.problems, *tally.problems()))
