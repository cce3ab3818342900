"""A landscape as a long table: every node with all that was measured there, path, eigenvalues."""

from __future__ import annotations

import numpy as np
import pandas as pd

from viz3d.figures.tidy import Part, columns_for, stack
from viz3d.figures.weight_data import WeightSpaceResult
from viz3d.figures.weight_path import path_word

OWN = ("landscape", "checkpoint", "alpha", "beta", "residual", "own", "nearest_node", "eigenvalue")


def tidy(result: WeightSpaceResult) -> pd.DataFrame:
    """Return the parts ``node``, ``path`` and ``eigenvalue``; nothing is thinned or left out."""
    grid, path = result.grid, result.grid.path
    beta = np.zeros(1) if grid.beta is None else grid.beta
    x, y = (part.ravel() for part in np.meshgrid(grid.alpha, beta))
    about = {"run": result.run, "landscape": grid.name}
    measured = [*grid.values, *(f"{key}_se" for key in grid.errors)]
    arrays = [array.ravel() for array in (*grid.values.values(), *grid.errors.values())]
    names = columns_for([f"metric {key}" if key in OWN else key for key in measured])
    nodes = {**about, "alpha": x, "beta": y, **dict(zip(names, arrays, strict=True))}
    parts: list[Part] = [("node", nodes)]
    if path is not None:
        parts.append(
            (
                "path",
                {
                    **about, path_word(result): path.step, "alpha": path.alpha, "beta": path.beta,
                    "residual": path.residual, "own": result.own, "nearest_node": result.beside,
                },
            )
        )  # fmt: skip
    if grid.eigenvalues is not None:
        found = {**about, "eigenvalue": grid.eigenvalues}
        left = grid.eigenvalue_residuals
        if left is not None and len(left) == len(grid.eigenvalues):
            found["residual"] = left
        parts.append(("eigenvalue", found))
    frame = stack(parts)
    return frame.drop(columns="beta") if result.is_line else frame
