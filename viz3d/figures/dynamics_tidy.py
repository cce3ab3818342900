"""The PCA view of training dynamics as a long table: paths, loadings and what the axes explain."""

from __future__ import annotations

import numpy as np
import pandas as pd

from viz3d.figures.dynamics_data import DynamicsResult
from viz3d.figures.tidy import Part, stack


def tidy(result: DynamicsResult) -> pd.DataFrame:
    """Return the parts ``path``, ``loading`` and ``axis``; ``pc1`` … are the axes.

    In a ``loading`` row they are correlations of a metric with the axes. ``outside`` is the share
    of the squared distance that the axes do not show. ``null_mean`` and ``null_high`` are mean and
    95 % quantile of what random walks explain.
    """
    e = result.embedding
    names = [f"pc{i + 1}" for i in range(len(e.explained))]
    paths: list[Part] = [
        (
            "path",
            {
                **({"group": result.groups[i]} if result.groups else {}),
                "run": path.run,
                "step": path.step,
                **_columns(names, path.scores),
                "outside": path.outside,
            },
        )
        for i, path in enumerate(e.trajectories)
    ]
    medians = (
        "A row of the part path is no row as logged: each run is resampled to "
        f"{len(e.trajectories[0].step):,} medians of equally wide ranges of steps, and its steps "
        f"are their middles. Of the {e.points:,} values of metrics behind them, "
        f"{e.interpolated:,} are interpolated between two logged rows."
    )
    loadings: Part = ("loading", {"metric": list(e.metrics), **_columns(names, e.loadings)})
    null = {"explained": e.explained, "null_mean": e.null_mean, "null_high": e.null_high}
    return stack([*paths, loadings, ("axis", {"axis": names, **null})], medians)


def _columns(names: list[str], values: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[:, i] for i, name in enumerate(names)}
