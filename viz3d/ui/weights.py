"""The Weight space page: which landscapes are shown, one whole or two beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.errors import ChartError
from viz3d.ui import preparing
from viz3d.ui.chart import chart, details
from viz3d.ui.comparing import panels
from viz3d.ui.settings import choice, pick, switch
from viz3d.ui.text import advice, safe

if TYPE_CHECKING:
    from viz3d.run import Run

KIND = "weight-space"
NONE = "nothing"
SCALES = {"auto": "Automatic", "linear": "Linear", "log": "Logarithmic"}
BESIDE = (
    "Both on one scale of values and the same axes. Each has directions of its own: alpha and beta "
    "of the one are not those of the other, and widths compare only where directions are "
    "filter-normalised."
)

Landscapes = Mapping[str, tuple["Run", str]]


def landscapes(runs: Sequence[Run]) -> dict[str, tuple[Run, str]]:
    """Return the landscapes of runs as (run, name) by what a viewer picks them by."""
    from viz3d.figures.compare import column_names
    from viz3d.figures.text import unique_names

    having = [run for run in runs if run.landscapes]
    several = len(having) > 1
    found, titles = [], []
    for run, title in zip(having, column_names(having), strict=True):
        for grid in run.landscapes:
            found.append((run, grid.name))
            alone = title if len(run.landscapes) == 1 else f"{title}: {grid.name}"
            titles.append(alone if several else grid.name)
    return dict(zip(unique_names(titles), found, strict=True))


def show_landscapes(found: Landscapes) -> None:
    """Let the viewer pick one landscape, or two, and what of them; and show that.

    Parameters
    ----------
    found : mapping
        From `landscapes`; not empty.
    """
    columns = st.columns(4, vertical_alignment="bottom")
    with columns[0]:
        first = pick("Landscape", list(found), "landscape")
    with columns[1]:
        others = [NONE, *(name for name in found if name != first)]
        second = pick("Beside it", others, "beside", "A second one, on the same scale.",
                      taken=first)  # fmt: skip
    shown = [first] if second == NONE else [first, second]
    with columns[2]:
        quantity = pick("Value", _common([found[name] for name in shown]), "value")
    with columns[3]:
        scale = choice("Scale", SCALES, "scale", "Automatic is logarithmic from a decade on.")
    try:
        ready = preparing.make_beside(
            KIND,
            [[found[name][0]] for name in shown],
            landscapes=tuple(found[name][1] for name in shown),
            quantity=quantity,
            scale=scale,
        )
    except ChartError as error:
        st.info(advice(str(error)))
        return
    for name, one in zip(shown, ready, strict=True):
        for warning in one.chart.numbers["warnings"]:
            st.warning(safe(warning if len(shown) == 1 else f"{name}: {warning}", longest=None))
    if len(shown) == 1:
        chart(ready[0], KIND)
        return
    st.caption(BESIDE)
    flat = any(one.figure for one in ready) and switch(
        "2D", "flat", "Flat panels instead of 3D scenes."
    )
    made = dict(zip(shown, ready, strict=True))
    panels(made, KIND, flat=flat)
    for place, (name, one) in enumerate(made.items()):
        st.subheader(safe(name))
        details(one.chart, f"{KIND}-{place}")


def _common(chosen: Sequence[tuple[Run, str]]) -> list[str]:
    """Return what was measured in all of the chosen; of the first, where they share nothing."""
    measured = [
        next(list(grid.values) for grid in run.landscapes if grid.name == name)
        for run, name in chosen
    ]
    return [key for key in measured[0] if all(key in keys for keys in measured)] or measured[0]
