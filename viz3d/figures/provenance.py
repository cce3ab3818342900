"""Write into every figure what it was made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.run import Run
from viz3d.version import __version__

MOST_SERIES = 100
"""Names of metrics that are listed for one source; the number of the rest is said."""


def origins(runs: Sequence[Run]) -> tuple[dict[str, Any], ...]:
    """Return name, source and digest of each run; of a joined one also which source gave what."""
    return tuple(
        {"name": run.name, "source": run.source, "digest": run.digest, **_series(run)}
        for run in runs
    )


def _series(run: Run) -> dict[str, dict[str, list[str]]]:
    """Return the metrics that each source gave, where there are several."""
    found: dict[str, dict[str, None]] = {}
    for origin in run.origins:
        found.setdefault(origin.source, {}).update(dict.fromkeys(origin.metrics))
    if len(found) < 2:
        return {}
    return {"series": {source: _first(list(metrics)) for source, metrics in found.items()}}


def _first(names: list[str]) -> list[str]:
    more = len(names) - MOST_SERIES
    return [*names[:MOST_SERIES], f"and {more:,} more"] if more > 0 else names


def stamp(
    figure: go.Figure,
    kind: str,
    runs: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    numbers: Mapping[str, Any],
) -> go.Figure:
    """Put the provenance into ``figure.layout.meta["viz3d"]`` and return the figure.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
    kind : str
        For example ``"loss-landscape"``.
    runs : sequence of mapping
        From `origins`.
    settings, numbers : mapping
        Anything JSON can say, NumPy scalars included; what is not finite becomes None.
    """
    figure.layout.meta = {
        "viz3d": {
            "kind": kind,
            "runs": [dict(run) for run in runs],
            "settings": plain(settings),
            "summary": plain(numbers),
            "version": __version__,
        }
    }
    return figure


def plain(value: Any) -> Any:
    """Return the value as JSON knows it: no NumPy, no tuple, no NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
