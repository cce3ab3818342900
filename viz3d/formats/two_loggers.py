"""Two loggers of one run side by side, such as a CSV and TensorBoard's events: no second run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats.base import Parsed
from viz3d.formats.joining import join_rows
from viz3d.formats.merge import merge
from viz3d.formats.rows import CLOCKS, Cells
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    import pandas as pd

# Of what event files hold in 32 bits the other file may have printed 5 digits, as Ultralytics does.
TOLERANCE = 6e-5
# What is compared at once has about as many cells.
COMPARED = 4_000_000


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
    names = {metric: None for part in parts if part.rows for metric in part.rows.columns}
    held = [part.rows.columns for part in main if part.rows]
    both = [metric for metric in names if any(metric in columns for columns in held)]
    if not both:
        return tuple(parts)
    copied: list[dict[str, np.ndarray]] = [{} for _ in parts]  # of each part, for each metric
    for some in _few(both, [*parts, *main]):
        ours, theirs = _logged(main, some), _logged(parts, some)
        shared = [m for m in some if m not in CLOCKS and len(ours[m]) and len(theirs[m])]
        if not all(_agree(ours[metric], theirs[metric]) for metric in shared):
            return None
        for at, part in enumerate(parts):
            copied[at] |= _found(part, ours)
    file = next(path for part in main for path in part.used)
    return tuple(_less(part, found, file) for part, found in zip(parts, copied, strict=True))


def count_alike(parts: Sequence[Parsed], main: Sequence[Parsed]) -> bool:
    """Say whether both log a metric that changes, and the same wherever both log one.

    Then their steps count the same. One that stays what it is says the same at any step.
    """
    held = {metric for part in main if part.rows for metric in part.rows.columns}
    names = {metric: None for part in parts if part.rows for metric in part.rows.columns}
    both = [metric for metric in names if metric in held and metric not in CLOCKS]
    changes = False
    for some in _few(both, [*parts, *main]):
        ours, theirs = _logged(main, some), _logged(parts, some)
        for metric in some:
            if len(ours[metric]) and len(theirs[metric]):
                if not _agree(ours[metric], theirs[metric]):
                    return False
                changes |= ours[metric].reindex(theirs[metric].index).nunique() > 1
    return changes


def _few(metrics: Sequence[str], parts: Sequence[Parsed]) -> Iterator[Sequence[str]]:
    """Part metrics so that the histories of a few at once take little memory."""
    steps = sum(len(part.rows.step) for part in parts if part.rows)
    most = max(1, COMPARED // max(1, steps))
    return (metrics[at : at + most] for at in range(0, len(metrics), most))


def _logged(parts: Sequence[Parsed], metrics: Sequence[str]) -> dict[str, pd.Series[float]]:
    """Return what was logged of each metric, NaN too; the index is the step."""
    import pandas as pd

    whole = merge([join_rows(part.rows, only=metrics) for part in parts if part.rows])
    odd = whole.nonfinite.groupby("metric")["step"]
    steps = {str(metric): found.to_numpy() for metric, found in odd}
    columns = {str(metric): column for metric, column in whole.history.items()}
    found = {
        metric: column[column.notna() | column.index.isin(steps.get(metric, np.empty(0)))]
        for metric, column in columns.items()
    }
    # All of a metric may be superseded.
    return {metric: found.get(metric, pd.Series(dtype=np.float64)) for metric in metrics}


def _found(part: Parsed, ours: Mapping[str, pd.Series[float]]) -> dict[str, np.ndarray]:
    """Say of each value of a part whether the others have one of its metric at its step."""
    if part.rows is None:
        return {}
    return {
        metric: np.isin(part.rows.step[part.rows.columns[metric].row], column.index)
        for metric, column in ours.items()
        if metric in part.rows.columns
    }


def _agree(ours: pd.Series[float], theirs: pd.Series[float]) -> bool:
    """Say whether two say the same of a metric: one value may be equal by chance, most are not.

    Where both log it, most of the steps of the sparser one have to be the other's too.
    """
    first, last = max(ours.index[0], theirs.index[0]), min(ours.index[-1], theirs.index[-1])
    fewest = min(len(ours.loc[first:last]), len(theirs.loc[first:last]))
    both = ours.index.intersection(theirs.index)
    same = np.allclose(ours[both], theirs[both], rtol=TOLERANCE, atol=0, equal_nan=True)
    return same and 2 * len(both) > fewest


def _less(part: Parsed, found: Mapping[str, np.ndarray], file: str) -> Parsed:
    if part.rows is None:
        return part
    tally, columns = Tally(part.used[0]), dict(part.rows.columns)
    for metric, copied in found.items():
        cells = columns[metric]
        columns[metric] = Cells(cells.row[~copied], cells.value[~copied])
        if copied.any() and metric not in CLOCKS:
            tally.add(
                "{n} value{|s} {was|were} read from {names}, which has {it|them} as well.",
                count=int(copied.sum()),
                name=file,
            )
    rows = replace(part.rows, columns=columns)
    return replace(part, rows=rows, problems=(*part.problems, *tally.problems()))
