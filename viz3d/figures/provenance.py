"""Write into every figure what it was made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from viz3d.run import Run
from viz3d.version import __version__


def origins(runs: Sequence[Run]) -> tuple[dict[str, str], ...]:
    """Return name, source and digest of each run."""
    return tuple({"name": r.name, "source": r.source, "digest": r.digest} for r in runs)


def stamp(
    figure: go.Figure,
    kind: str,
    runs: Sequence[Mapping[str, str]],
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
