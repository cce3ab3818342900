"""The loss landscape as a long table: the fitted surface, the best rate and the runs' curves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from viz3d.figures.loss_data import LossLandscapeResult
from viz3d.figures.tidy import Part, stack, surface_part


def tidy(result: LossLandscapeResult) -> pd.DataFrame:
    """Return the parts ``curve``, ``surface`` and ``best_rate``; ``lower`` and ``upper`` are bands.

    In a ``best_rate`` row they are the lowest and highest learning rate that cannot be told apart
    from the best.
    """
    curves: list[Part] = [
        (
            "curve",
            {"run": curve.run, "step": curve.step, "learning_rate": curve.rate, "loss": curve.loss},
        )
        for curve in result.curves
    ]
    return stack([*curves, *surface_part(result.surface, NAMES), *_valley(result)])


NAMES = ("step", "learning_rate", "loss")


def _valley(result: LossLandscapeResult) -> list[Part]:
    valley = result.valley
    if valley is None or not valley.resolved.any():
        return []
    at = np.flatnonzero(valley.resolved)
    columns = (valley.x, valley.y, valley.z, valley.low, valley.high)
    names = (*NAMES, "lower", "upper")
    return [("best_rate", {k: v[at] for k, v in zip(names, columns, strict=True)})]
