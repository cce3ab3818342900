"""Groups of seeds as a long table: every run, every mean with its interval, every end."""

from __future__ import annotations

import pandas as pd

from viz3d.figures.seeds_data import SeedsResult
from viz3d.figures.tidy import Part, columns_for, stack


def tidy(result: SeedsResult) -> pd.DataFrame:
    """Return the parts ``curve``, ``mean`` and ``end``.

    ``lower`` and ``upper`` are the 95 % interval of the mean at that step alone; ``n`` is the
    number of runs behind it. An ``end`` is the mean of a run's last tenth.
    """
    metric = columns_for([result.metric])[0]
    parts: list[Part] = []
    for group in result.groups:
        for one in group.members:
            name = {"group": group.title, "run": one.run}
            parts.append(("curve", {**name, "step": one.step, metric: one.value}))
            parts.append(("end", {**name, metric: [one.final.mean]}))
        mean = group.joined
        columns = {"step": mean.step, metric: mean.mean, "lower": mean.lower, "upper": mean.upper}
        parts.append(("mean", {"group": group.title, **columns, "n": mean.n}))
    return stack(parts)
