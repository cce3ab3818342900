"""Training dynamics: where runs move in the space of all their metrics, as few axes show it.

One basis is fitted to all chosen runs, with equal weight for each, so that their paths can be
compared. What the axes explain is told beside what random walks would explain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis._components import effective_points, harmonics, outside, signs
from viz3d.analysis.resample import Resampled, resample
from viz3d.analysis.scaling import Scaled, Scaling, scale
from viz3d.analysis.variables import choose_variables
from viz3d.analysis.walks import walk_shares
from viz3d.errors import ChartError, MissingMetric
from viz3d.run import Run

CHART = "Training dynamics"
GRID = 400
"""Points of each run, however long it is: equal weight in the common basis."""

MOST_ROWS = 8_000
"""Rows of all runs together; more runs get fewer points each, which keeps the null quick."""

FEWEST = 10
"""Logged steps below which a path in metric space says nothing."""

HARMONIC = 0.5
"""From this squared correlation on, an axis looks like a harmonic of time."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trajectory:
    """The path of one run in the common basis.

    Attributes
    ----------
    run : str
    step : ndarray, shape (m,)
    scores : ndarray, shape (m, k)
    outside : ndarray, shape (m,)
        Share of each point's squared distance from the centre that the axes do not show.
    gap : ndarray of bool, shape (m,)
        Inside a stretch without rows longer than a tenth of the run.
    """

    run: str
    step: Floats
    scores: Floats
    outside: Floats
    gap: NDArray[np.bool_]


@dataclass(frozen=True)
class Embedding:
    """Principal components of the metrics of some runs.

    Attributes
    ----------
    metrics : tuple of str, length d
        Used metrics, sorted: the role where one is known, else the column.
    scaling : mapping of str to Scaling
        How each was transformed.
    dropped : mapping of str to str
        Metrics left out, with the reason.
    loadings : ndarray, shape (d, k)
        Correlation of each metric with each axis. The largest of an axis is positive.
    explained : ndarray, shape (k,)
        Share of the variance along each axis.
    null_mean, null_high : ndarray, shape (k,)
        Mean and 95 % quantile of the same for random walks.
    tested : int
        Leading axes that are tested together: all, but one less than there are metrics, because
        as many axes as metrics explain everything.
    total, null_total_mean, null_total_high : float
        Explained share of the tested axes, and of those of random walks.
    p_value : float
        Share of random walks that explain at least as much in the tested axes.
    harmonic : ndarray, shape (k,)
        Squared correlation of each axis with the cosine of its rank over time.
    trajectories : tuple of Trajectory
    effective : float
        Independent points that the path along the first axis amounts to, over all runs.
    points, interpolated : int
        Values on the grid, and how many of them lie between two logged rows.
    """

    metrics: tuple[str, ...]
    scaling: Mapping[str, Scaling]
    dropped: Mapping[str, str]
    loadings: Floats
    explained: Floats
    null_mean: Floats
    null_high: Floats
    tested: int
    total: float
    null_total_mean: float
    null_total_high: float
    p_value: float
    harmonic: Floats
    effective: float
    trajectories: tuple[Trajectory, ...]
    points: int
    interpolated: int

    @property
    def above_null(self) -> NDArray[np.bool_]:
        """Which axes explain more than the same axis of random walks does on average."""
        return self.explained > self.null_mean

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences about axes that must not be read as structure."""
        return tuple(
            f"PC{i + 1} looks like a harmonic of time (R² = {r2:.2f}): a loop in it may be an "
            "artefact."
            for i, r2 in enumerate(self.harmonic)
            if i > 0 and r2 > HARMONIC
        )


def embed(runs: Run | Sequence[Run], n_components: int = 3) -> Embedding:
    """Fit one basis to all metrics of all runs and project every run on it.

    Parameters
    ----------
    runs : Run or sequence of Run
    n_components : int
        Axes wanted; fewer come back when fewer metrics can be used.

    Returns
    -------
    Embedding

    Raises
    ------
    MissingMetric
        If fewer than two metrics vary and are logged by all runs.
    ChartError
        If a run has too few logged steps.
    ValueError
        If `n_components` is below 1.
    """
    if n_components < 1:
        raise ValueError(f"n_components is {n_components}; ask for at least 1.")
    chosen = (runs,) if isinstance(runs, Run) else tuple(runs)
    m = _grid_size(chosen)
    variables = choose_variables(chosen, m)
    grids = [resample(metrics, m) for metrics in variables.series if metrics]
    scaled = scale(grids) if grids else None
    dropped = {**variables.dropped, **(scaled.dropped if scaled else {})}
    if scaled is None or len(scaled.names) < 2:
        raise _too_few(chosen, dropped)

    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return _fit(chosen, grids, scaled, dropped, min(n_components, len(scaled.names)))


def _grid_size(runs: Sequence[Run]) -> int:
    if not runs:
        raise ChartError(f"{CHART} was given no run; choose at least one.")
    shortest = min(runs, key=lambda run: len(run.index))
    if len(shortest.index) < FEWEST:
        raise ChartError(
            f"{CHART} needs at least {FEWEST} logged steps of each run, and {shortest.name!r} has "
            f"{len(shortest.index)}; leave it out or choose a longer run."
        )
    return max(FEWEST, min(GRID, MOST_ROWS // len(runs), len(shortest.index)))


def _too_few(runs: Sequence[Run], dropped: Mapping[str, str]) -> MissingMetric:
    metrics = list(dict.fromkeys(metric for run in runs for metric in run.metrics))
    because = "; ".join(f"{name}: {reason}" for name, reason in list(dropped.items())[:6])
    return MissingMetric(
        CHART,
        "at least two metrics that vary and that every chosen run logged all along",
        metrics,
        (f"Left out: {because}. " if because else "")
        + "Record more with `viz3d.Recorder(path).log(step, loss=..., grad_norm=...)`.",
    )


def _fit(
    runs: Sequence[Run],
    grids: Sequence[Resampled],
    scaled: Scaled,
    dropped: Mapping[str, str],
    k: int,
) -> Embedding:
    from sklearn.decomposition import PCA

    pooled = np.concatenate(scaled.runs)
    pca = PCA(k, svd_solver="covariance_eigh").fit(pooled)
    axes = pca.components_ * signs(pca.components_)[:, None]
    paths = [values @ axes.T for values in scaled.runs]
    null = walk_shares(scaled.runs, k)
    explained = pca.explained_variance_ratio_
    tested = min(k, len(scaled.names) - 1)
    total, totals = float(explained[:tested].sum()), null[:, :tested].sum(axis=1)
    return Embedding(
        metrics=scaled.names,
        scaling=scaled.scaling,
        dropped=dropped,
        # The metrics have unit variance, hence these are correlations.
        loadings=(axes * np.sqrt(pca.explained_variance_)[:, None]).T,
        explained=explained,
        null_mean=null.mean(axis=0),
        null_high=np.quantile(null, 0.95, axis=0),
        tested=tested,
        total=total,
        null_total_mean=float(totals.mean()),
        null_total_high=float(np.quantile(totals, 0.95)),
        p_value=float((1 + np.sum(totals >= total)) / (1 + len(totals))),
        harmonic=np.mean([harmonics(scores) for scores in paths], axis=0),
        effective=float(sum(effective_points(scores[:, 0]) for scores in paths)),
        trajectories=tuple(
            Trajectory(run.name, grid.step, scores, outside(values, scores), grid.gap)
            for run, grid, scores, values in zip(runs, grids, paths, scaled.runs, strict=True)
        ),
        points=pooled.size,
        interpolated=sum(grid.interpolated[name] for grid in grids for name in scaled.names),
    )
