"""Put metrics of different units and tails on one footing, with the same rule for all runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.resample import Resampled

SKEW = 10.0
"""A positive metric is put on a log scale when its 95 % quantile exceeds this times its 5 % one."""

SAME = 0.9999
"""Two metrics that correlate at least so well are one."""

IQR_TO_SIGMA = 1.349
MAD_TO_SIGMA = 1.4826

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """How a metric was transformed: log first where `log`, then asinh((x - center) / spread)."""

    log: bool
    center: float
    spread: float


@dataclass(frozen=True)
class Scaled:
    """Transformed metrics, standardised over all runs.

    Attributes
    ----------
    names : tuple of str, length d
        Sorted.
    runs : tuple of ndarray, each of shape (m, d)
    scaling : mapping of str to Scaling
    dropped : mapping of str to str
        Constant metrics and copies, with the reason.
    """

    names: tuple[str, ...]
    runs: tuple[Floats, ...]
    scaling: Mapping[str, Scaling]
    dropped: Mapping[str, str]


def scale(grids: Sequence[Resampled]) -> Scaled:
    """Transform the metrics of all runs with one scale, each run weighing the same.

    asinh leaves the middle as it is and grows like a logarithm in the tails: spikes cannot turn
    the axes, as they do after a standard or a robust linear scaling.
    """
    columns: dict[str, Floats] = {}
    scaling, dropped = {}, {}
    for name in sorted(grids[0].values):
        pooled = np.concatenate([grid.values[name] for grid in grids])
        rule = _rule(pooled)
        if rule is None:
            dropped[name] = "constant"
            continue
        column = _standard(rule, pooled)
        twin = next((other for other, c in columns.items() if _same(column, c)), None)
        if twin is not None:
            dropped[name] = f"a copy of {twin}"
            continue
        columns[name], scaling[name] = column, rule
    table = np.column_stack(list(columns.values())) if columns else np.empty((0, 0))
    parts = np.split(table, len(grids)) if columns else [table] * len(grids)
    return Scaled(tuple(columns), tuple(parts), scaling, dropped)


def _rule(pooled: Floats) -> Scaling | None:
    low, high = np.quantile(pooled, [0.05, 0.95])
    log = bool(pooled.min() > 0 and high > SKEW * low)
    values = np.log(pooled) if log else pooled
    center = float(np.median(values))
    quarter, three = np.quantile(values, [0.25, 0.75])
    candidates = (
        (three - quarter) / IQR_TO_SIGMA,
        MAD_TO_SIGMA * float(np.median(np.abs(values - center))),
        float(values.std()),
    )
    spread = next((float(s) for s in candidates if s > 1e-12 * max(1.0, abs(center))), None)
    return None if spread is None else Scaling(log, center, spread)


def _standard(rule: Scaling, values: Floats) -> Floats:
    bent = np.arcsinh(((np.log(values) if rule.log else values) - rule.center) / rule.spread)
    return (bent - bent.mean()) / bent.std()


def _same(a: Floats, b: Floats) -> bool:
    return bool(abs(np.mean(a * b)) > SAME)
