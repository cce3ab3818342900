"""What every chart hands out: the scene, its flat twin, its numbers as a table and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Chart:
    """A finished chart.

    Attributes
    ----------
    kind : str
        ``"loss-landscape"``, ``"gradient-flow"``, ``"reward-landscape"``, ``"training-dynamics"``.
    title : str
    figure : plotly.graph_objects.Figure
        The 3D scene, with provenance in ``layout.meta["viz3d"]``.
    flat : plotly.graph_objects.Figure
        The 2D twin of the same numbers.
    table : pandas.DataFrame
        The numbers behind the summary, one row per run or layer.
    summary : str
        One paragraph that reads well aloud.
    numbers : mapping
        The numbers of the summary, JSON-serialisable; also in the provenance.
    notes : tuple of str
        What was dropped, thinned, merged or clipped, with counts.
    """

    kind: str
    title: str
    figure: go.Figure
    flat: go.Figure
    table: pd.DataFrame
    summary: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
