"""A difference as a long table: both surfaces, A less B and its band, and the samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.difference import BAND
from viz3d.figures.along import beside_step
from viz3d.figures.difference_data import DifferenceResult
from viz3d.figures.tidy import Part, columns_for, stack


def tidy(result: DifferenceResult) -> pd.DataFrame:
    """Return the parts ``sample`` and ``difference``.

    Columns are called after the axes. ``lower`` and ``upper`` are the 95 % band of ``difference``,
    which is A - B, or log(A / B) where ``scale`` is "log".
    """
    first = result.along
    taken = [] if first == "step" else [first]
    *_, second, value = columns_for([*taken, *result.titles[1:]])
    samples: list[Part] = [
        (
            "sample",
            {
                "side": side.name,
                "run": np.array(side.runs, dtype=object)[side.run],
                "step": side.step,
                **beside_step(first, side.x),
                second: side.y,
                value: side.z,
            },
        )
        for side in result.sides
    ]
    found = result.found
    if found.reason:
        return stack(samples)
    x, y = np.meshgrid(found.x, found.y if len(found.y) else [np.nan])
    band = BAND * found.deviation
    columns: Mapping[str, Any] = {
        first: x.ravel(),
        second: y.ravel(),
        "a": found.a.ravel(),
        "b": found.b.ravel(),
        "difference": found.d.ravel(),
        "lower": (found.d - band).ravel(),
        "upper": (found.d + band).ravel(),
        "support": found.support.ravel(),
        "scale": "log" if found.log else "linear",
    }
    return stack([*samples, ("difference", columns)])
