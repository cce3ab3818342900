"""The gradient flow as a long table: the cells that are drawn and the rows behind them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from viz3d.figures.along import beside_step
from viz3d.figures.gradient_data import GradientFlowResult
from viz3d.figures.tidy import Part, stack


def tidy(result: GradientFlowResult) -> pd.DataFrame:
    """Return the parts ``layer``, the norms as logged, and ``cell``, the medians that are drawn.

    The step of a cell is the first of its range.
    """
    grid, rows = result.grid, result.layers
    along, at = result.along, result.places.at(rows["step"])
    logged = {"step": rows["step"].to_numpy(), **beside_step(along, at)}
    logged |= {name: rows[name].to_numpy() for name in rows.columns}
    cells: Part = (
        "cell",
        {
            "run": result.run,
            "step": np.tile(grid.step, len(grid.names)),
            **beside_step(along, np.tile(result.x, len(grid.names))),
            "layer": np.repeat(np.unique(rows["layer"].to_numpy()), len(grid.step)),
            "name": np.repeat(np.array(grid.names, dtype=object), len(grid.step)),
            "grad_norm": grid.norm.ravel(),
        },
    )
    return stack([("layer", {"run": result.run, **logged}), cells])
