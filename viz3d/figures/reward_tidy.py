"""The reward landscape as a long table: the rows of the runs and the fitted surface."""

from __future__ import annotations

import pandas as pd

from viz3d.figures.along import beside_step
from viz3d.figures.reward_data import RewardLandscapeResult
from viz3d.figures.tidy import Part, columns_for, stack, surface_part


def tidy(result: RewardLandscapeResult) -> pd.DataFrame:
    """Return the parts ``curve``, every row with both metrics, and ``surface``."""
    x = result.along
    taken = [] if x == "step" else [x]
    *_, other, reward = columns_for([*taken, result.against, "reward"])
    curves: list[Part] = [
        (
            "curve",
            {
                "run": rows.run,
                "step": rows.step,
                **beside_step(result.along, rows.x),
                other: rows.other,
                reward: rows.reward,
            },
        )
        for rows in result.rows
    ]
    return stack([*curves, *surface_part(result.surface, (x, other, reward))])
