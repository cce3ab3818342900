"""The numbers of a chart as one long table, for export.

The column ``part`` says what a row is of: ``surface``, ``curve`` and so on. A part leaves the
columns of the others empty. Rows as logged are all there. Where a part holds medians of rows
instead, ``DataFrame.attrs[MEDIANS]`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.surface import Surface
from viz3d.figures.text import unique_names

Part = tuple[str, Mapping[str, Any]]
"""What the rows are of, and their columns: arrays of one length, or one value for all rows."""

MEDIANS = "medians"

OWN = frozenset(
    {
        "part", "group", "run", "step", "n", "lower", "upper", "support",
        "side", "a", "b", "difference", "scale",
    }
)  # fmt: skip
"""Columns that no metric may take; one of that name gets another."""


def stack(parts: Sequence[Part], medians: str = "") -> pd.DataFrame:
    """Put parts below each other; columns come in the order first met, ``part`` first.

    Parameters
    ----------
    parts : sequence of Part
    medians : str
        One sentence for the reader of an export, where rows of a part are not rows as logged.
    """
    frames = []
    for name, columns in parts:
        frame = pd.DataFrame(dict(columns))
        frame.insert(0, "part", name)
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"part": []})
    if medians:
        table.attrs[MEDIANS] = medians
    return table


def surface_part(surface: Surface, names: tuple[str, str, str]) -> list[Part]:
    """Return every point of a fitted surface's grid with its band; nothing where there is none.

    Parameters
    ----------
    surface : Surface
    names : (x, y, z)
        Columns.
    """
    if surface.reason:
        return []
    x, y = np.meshgrid(surface.x, surface.y)
    x_name, y_name, z_name = names
    columns = {
        x_name: x.ravel(),
        y_name: y.ravel(),
        z_name: surface.z.ravel(),
        "lower": surface.lower.ravel(),
        "upper": surface.upper.ravel(),
        "support": surface.support.ravel(),
    }
    return [("surface", columns)]


def columns_for(metrics: Sequence[str]) -> list[str]:
    """Return a column for each metric: its own name, changed only where that is taken."""
    return unique_names([f"metric {name}" if name in OWN else name for name in metrics])
