"""The plain view of training dynamics as a long table: every row that holds the three metrics."""

from __future__ import annotations

import pandas as pd

from viz3d.figures.plain_data import PlainResult
from viz3d.figures.tidy import Part, columns_for, stack


def tidy(result: PlainResult) -> pd.DataFrame:
    """Return the part ``curve``: run, step and the three metrics, nothing thinned."""
    names = columns_for(result.axes)
    curves: list[Part] = []
    for path in result.paths:
        values = path.whole.to_numpy()
        metrics = {name: values[:, k] for k, name in enumerate(names)}
        curves.append(("curve", {"run": path.run, "step": path.whole.index.to_numpy(), **metrics}))
    return stack(curves)
