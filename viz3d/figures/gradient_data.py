"""The numbers of the gradient flow chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from viz3d.analysis.alignment import Alignment
from viz3d.analysis.layers import BINS, LayerGrid, layer_grid
from viz3d.errors import ChartError
from viz3d.figures.along import check_along, place_runs, unplaced
from viz3d.figures.frame import Frame, span
from viz3d.figures.needs import as_runs, missing
from viz3d.figures.provenance import origins
from viz3d.figures.text import listed, short_layers
from viz3d.run import Run

KIND = "gradient-flow"
TITLE = "Gradient flow"

MOST_CELLS = 10_000
"""Layers x columns that keep the figure below its limit; deep models get fewer columns."""


@dataclass(frozen=True)
class GradientFlowResult:
    """Gradient norms of one run, ready to draw.

    Attributes
    ----------
    run : str
    grid : LayerGrid
    log_norm : ndarray of float64, shape (n_layers, n_bins)
        log10 of the cells; NaN where a cell is exactly zero or nothing was logged.
    origins : tuple of mapping
    layers : pandas.DataFrame
        The rows behind the grid, as logged: those of ``Run.layers`` that have a place.
    along : {"step", "tokens", "flops", "time"}
        What lies across the layers.
    x : ndarray of float64, shape (n_bins,)
        The place of the first logged step of each column.
    places : Alignment
        Where all steps of the run lie.
    unplaced : int
        Rows at steps without a place.
    """

    run: str
    grid: LayerGrid
    log_norm: NDArray[np.float64]
    origins: tuple[Mapping[str, Any], ...]
    layers: pd.DataFrame
    along: str
    x: NDArray[np.float64]
    places: Alignment
    unplaced: int

    @property
    def frame(self) -> Frame:
        """Ranges of the place, log10 norm and colour."""
        values = span(self.log_norm)
        return Frame(x=span(self.x), z=values, color=values)

    @property
    def layer_names(self) -> list[str]:
        """Short names of the layers, in model order, as they are."""
        return short_layers(list(self.grid.names))


def compute(runs: Run | Sequence[Run], *, along: str = "step") -> GradientFlowResult:
    """Lay the gradient norms of one run on a grid.

    Parameters
    ----------
    runs : Run or sequence of Run
    along : {"step", "tokens", "flops", "time"}
        What lies across the layers.

    Raises
    ------
    BadArgument
        If there is no such axis.
    MissingMetric
        If no run recorded gradient norms per layer.
    ChartError
        If more than one run did, or it logged no place along the axis.
    """
    check_along(along)
    runs = as_runs(runs, TITLE)
    able = [run for run in runs if layers_of(run)]
    if not able:
        raise missing(runs, "layers", TITLE)
    if len(able) > 1:
        names = listed([run.name for run in able])
        raise ChartError(f"{TITLE} shows one run at a time; choose one of {names}.")
    [(run, places)], _ = place_runs(able, along, "gradient norms")
    return laid(run, places, MOST_CELLS)


def laid(run: Run, places: Alignment, cells: int) -> GradientFlowResult:
    """Lay the norms of a run that has some on a grid of so many cells, two columns at least.

    Raises
    ------
    ChartError
        If none of them is at a step that has a place.
    """
    logged = cast("pd.DataFrame", run.layers)
    layers = logged[np.isfinite(places.at(logged["step"]))]
    if layers.empty:
        raise unplaced("gradient norms", places.axis)
    bins = int(np.clip(cells // len(layers_of(run)), 2, BINS))
    grid = layer_grid(layers, bins=bins)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_norm = np.where(grid.norm > 0, np.log10(grid.norm), np.nan)
    return GradientFlowResult(
        run=run.name,
        grid=grid,
        log_norm=log_norm,
        origins=origins([run]),
        layers=layers,
        along=places.axis,
        x=places.at(grid.step),
        places=places,
        unplaced=len(logged) - len(layers),
    )


def compute_each(groups: Sequence[Sequence[Run]], **settings: Any) -> list[GradientFlowResult]:
    """Compute several groups, each of one run with gradient norms per layer."""
    return [compute(group, **settings) for group in groups]


def layers_of(run: Run) -> list[int]:
    """Return the positions of the layers of which the run recorded gradient norms."""
    return [] if run.layers is None else sorted(set(run.layers["layer"]))
