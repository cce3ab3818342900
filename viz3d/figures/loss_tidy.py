"""The loss landscape as a long table: the fitted surface, the best rate and the runs' curves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from viz3d.figures.along import beside_step
from viz3d.figures.loss_data import LossLandscapeResult
from viz3d.figures.tidy import Part, stack, surface_part


def tidy(result: LossLandscapeResult) -> pd.DataFrame:
    """Return the parts ``curve``, ``surface`` and ``best_rate``; ``lower`` and ``upper`` are bands.

    In a ``best_rate`` row they are the lowest and highest learning rate that cannot be told apart
    from the best.
    """
    along = result.along
    curves: list[Part] = [
        (
            "curve",
            {
                "run": curve.run,
                "step": curve.step,
                **beside_step(along, curve.x),
                "learning_rate": curve.rate,
                "loss": curve.loss,
            },
        )
        for curve in result.curves
    ]
    names = (along, "learning_rate", "loss")
    return stack([*curves, *surface_part(result.surface, names), *_valley(result, names)])


def _valley(result: LossLandscapeResult, names: tuple[str, str, str]) -> list[Part]:
    valley = result.valley
    if valley is None or not valley.resolved.any():
        return []
    at = np.flatnonzero(valley.resolved)
    columns = (valley.x, valley.y, valley.z, valley.low, valley.high)
    called = (*names, "lower", "upper")
    return [("best_rate", {k: v[at] for k, v in zip(called, columns, strict=True)})]
