"""What every chart hands out: the scene, its flat twin, its numbers as a table and as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from viz3d.figures.provenance import plain, stamp

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from viz3d.figures.pins import Pin


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
    data : callable
        Returns the numbers that are drawn as one long table, whole; see `viz3d.figures.tidy`.
        Called only when somebody exports them.
    numbers : mapping
        The numbers of the summary, JSON-serialisable; also in the provenance.
    notes : tuple of str
        What was dropped, thinned, merged or clipped, with counts.
    events : tuple of Pin
        What happened to the runs, by step, and where the scene shows it.
    """

    kind: str
    title: str
    figure: go.Figure
    flat: go.Figure
    table: pd.DataFrame
    summary: str
    data: Callable[[], pd.DataFrame]
    numbers: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    events: tuple[Pin, ...] = ()


@dataclass(frozen=True)
class Words:
    """What a chart says beside its pictures; the attributes are those of `Chart`."""

    table: pd.DataFrame
    summary: str
    numbers: Mapping[str, Any]
    notes: tuple[str, ...]
    events: tuple[Pin, ...] = ()


def assemble(
    kind: str,
    title: str,
    pictures: tuple[go.Figure, go.Figure],
    words: Words,
    origins: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    data: Callable[[], pd.DataFrame],
) -> Chart:
    """Put scene, flat twin and words together, and the provenance into both pictures.

    Parameters
    ----------
    kind, title : str
    pictures : (scene, flat)
        The same figure twice where a chart has no third axis.
    words : Words
    origins : sequence of mapping
        From `viz3d.figures.provenance.origins`.
    settings : mapping
        The settings that the chart was made with.
    data : callable
        As in `Chart`.
    """
    for picture in pictures:
        stamp(picture, kind, origins, settings, words.numbers)
    said = plain(words.numbers)
    return Chart(
        kind, title, *pictures, words.table, words.summary, data, said, words.notes, words.events
    )
