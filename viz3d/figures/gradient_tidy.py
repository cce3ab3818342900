"""The gradient flow as a long table: the cells that are drawn and the rows behind them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from viz3d.figures.along import beside_step
from viz3d.figures.gradient_data import GradientFlowResult
from viz3d.figures.tidy import Part, stack

MEDIANS = (
    "A row of the part cell is the median of what its layer logged from its step on, up to the "
    "next step among the cells."
)


def tidy(result: GradientFlowResult) -> pd.DataFrame:
    """Return the parts ``layer``, the norms as logged, and ``cell``, the medians that are drawn.

    The step of a cell is the first of its range. Where a layer logged nothing in it, not even NaN,
    there is no row.
    """
    grid, rows = result.grid, result.layers
    layer, column = np.nonzero(grid.logged)
    along, at = result.along, result.places.at(rows["step"])
    logged = {"step": rows["step"].to_numpy(), **beside_step(along, at)}
    logged |= {name: rows[name].to_numpy() for name in rows.columns}
    cells: Part = (
        "cell",
        {
            "run": result.run,
            "step": grid.step[column],
            **beside_step(along, result.x[column]),
            "layer": np.unique(rows["layer"].to_numpy())[layer],
            "name": np.array(grid.names, dtype=object)[layer],
            "grad_norm": grid.norm[layer, column],
        },
    )
    return stack([("layer", {"run": result.run, **logged}), cells], MEDIANS)
