"""Three axes of one's choice as a long table: every joined row, and the surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.quantities import STEP
from viz3d.figures.explore_data import ExploreResult
from viz3d.figures.explore_rows import ExploreAxis
from viz3d.figures.tidy import Part, columns_for, stack, surface_part


def tidy(result: ExploreResult) -> pd.DataFrame:
    """Return the parts ``row`` and ``surface``; a column is called after what stands on the axis.

    A quantity that stands on two axes has a column for each.
    """
    shown = [*result.axes, *([result.color] if result.color else [])]
    named = iter(columns_for([axis.what.name for axis in shown if axis.what.kind != STEP]))
    names = [STEP if axis.what.kind == STEP else next(named) for axis in shown]
    rows: list[Part] = [
        (
            "row",
            {"run": rows.run, "step": rows.step}
            | {
                name: _values(axis, rows.points[:, k])
                for k, (name, axis) in enumerate(zip(names, shown, strict=True))
            },
        )
        for rows in result.rows
    ]
    if result.surface is None:
        return stack(rows)
    return stack([*rows, *surface_part(result.surface, (names[0], names[1], names[2]))])


def _values(axis: ExploreAxis, values: Any) -> Any:
    """Return the texts of a category, else the numbers."""
    if not axis.what.categories:
        return values
    return np.array(axis.what.categories, dtype=object)[values.astype(np.int64)]
