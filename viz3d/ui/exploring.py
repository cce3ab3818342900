"""What stands on the axes of the Explore page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from viz3d.ui.settings import choice, pick, strictness
from viz3d.ui.text import safe

if TYPE_CHECKING:
    from viz3d.run import Run

NONE = "none"
DRAWINGS = {"path": "Paths", "points": "Points", "surface": "Surface where the data support one"}
SCALES = {"auto": "Automatic", "linear": "Linear", "log": "Logarithmic"}


def axes(runs: Sequence[Run]) -> dict[str, Any]:
    """Let the viewer put quantities on x, y, z and the colour, each with its scale.

    Parameters
    ----------
    runs : sequence of Run
        With something in their histories or configs.

    Returns
    -------
    dict
        Settings of the explore chart.
    """
    from viz3d.analysis.quantities import quantities
    from viz3d.figures.explore import default_axes

    found = quantities(runs)
    names = [one.name for one in found]
    texts = {one.name for one in found if one.categories}
    numbers = [name for name in names if name not in texts]
    settings: dict[str, Any] = {}
    columns = st.columns(4)
    for letter, default, column in zip("xyz", default_axes(runs), columns, strict=False):
        with column:
            offered = numbers if letter == "z" else names
            name = pick(f"{safe(letter)} axis", offered, letter, default=default)
            scale = choice(f"Scale of {safe(letter)}", SCALES, f"{letter}scale")
            if scale == "log" and name in texts:
                st.caption(f"{safe(name)} is text: no log scale.")
        settings[letter] = name
        settings[f"{letter}_scale"] = "linear" if name in texts else scale
    with columns[3]:
        color = pick("Colour", [NONE, *names], "color")
    settings["color"] = None if color == NONE else color
    return settings


def drawing() -> dict[str, Any]:
    """Let the viewer choose how the rows are drawn."""
    left, right, _ = st.columns((2, 1, 1))
    with left:
        draw = choice("Drawn as", DRAWINGS, "draw")
    if draw != "surface":
        return {"draw": draw}
    with right:
        return {"draw": draw, "strictness": strictness()}
