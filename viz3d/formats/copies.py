"""Two loggers of one run side by side, such as a CSV and TensorBoard's events: no second run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
        None where a metric of both differs at some step, or has too few steps in common to tell:
        then they are two runs. The clock may differ; that of `main` stays.
    """
    ours, theirs = _logged(main), _logged(parts)
    if ours is None or theirs is None:
        return tuple(parts)
    shared = [str(name) for name in theirs.values if name in ours.values and name not in CLOCKS]
    if not all(_agree(ours.of(metric), theirs.of(metric)) for metric in shared):
        return None
    file = next(path for part in main for path in part.used)
    return tuple(_less(part, ours, file) for part in parts)


@dataclass(frozen=True)
class _Logged:
    """The history of some parts, and for each metric the steps of what is not finite."""

    values: pd.DataFrame
    odd: Mapping[str, np.ndarray]

    def of(self, metric: str) -> pd.Series[float]:
        """Return what was logged of a metric, NaN too; its index is the step."""
        column = self.values[metric]
        return column[column.notna() | column.index.isin(self.odd.get(metric, []))]


def _logged(parts: Sequence[Parsed]) -> _Logged | None:
    joined = [join_rows(part.rows) for part in parts if part.rows is not None]
    if not joined:
        return None
    whole = merge(joined)
    odd = whole.nonfinite.groupby("metric")["step"]
    return _Logged(whole.history, {str(metric): steps.to_numpy() for metric, steps in odd})


def _agree(ours: pd.Series[float], theirs: pd.Series[float]) -> bool:
    """Say whether two say the same of a metric: one value may be equal by chance, most are not.

    Where both log it, most of the steps of the sparser one have to be the other's too.
    """
    if not len(ours) or not len(theirs):
        return False
    first, last = max(ours.index[0], theirs.index[0]), min(ours.index[-1], theirs.index[-1])
    fewest = min(len(ours.loc[first:last]), len(theirs.loc[first:last]))
    both = ours.index.intersection(theirs.index)
    same = np.allclose(ours[both], theirs[both], rtol=ALIKE, atol=0, equal_nan=True)
    return same and 2 * len(both) > fewest


def _less(part: Parsed, ours: _Logged, file: str) -> Parsed:
    if part.rows is None:
        return part
    tally, columns = Tally(part.used[0]), {}
    for metric, cells in part.rows.columns.items():
        new = np.ones(len(cells.row), dtype=bool)
        if metric in ours.values:
            new = ~np.isin(part.rows.step[cells.row], ours.of(metric).index)
        columns[metric] = Cells(cells.row[new], cells.value[new])
        if not new.all() and metric not in CLOCKS:
            tally.add(
                f"{{n}} value{{|s}} {{was|were}} read from {file}, which has {{it|them}} as well.",
                count=int((~new).sum()),
            )
    rows = Rows(part.rows.step, columns, counted_by=part.rows.counted_by)
    return replace(part, rows=rows, problems=(*part.problems, *tally.problems()))
