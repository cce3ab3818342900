"""Colours of a figure as numbers, for formats that know no colour scales."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GREY = (0.46, 0.46, 0.46, 1.0)
"""For a colour that is written in a way not known here."""


def rgba(text: object) -> tuple[float, ...]:
    """Return red, green, blue and alpha, 0 to 1, of ``#rrggbb``, ``rgb(…)`` or ``rgba(…)``."""
    said = str(text).strip()
    if re.fullmatch(r"#[0-9a-fA-F]{6}", said):
        return (*(int(said[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0)
    found = re.fullmatch(r"rgba?\(([^)]*)\)", said)
    parts = found[1].split(",") if found else []
    if len(parts) not in (3, 4):
        return GREY
    red, green, blue, *alpha = (float(part) for part in parts)
    return red / 255, green / 255, blue / 255, alpha[0] if alpha else 1.0


def scaled(values: Floats, holder: Any) -> Floats:
    """Return the colours that Plotly gives to values, shape (..., 4).

    Parameters
    ----------
    values : ndarray
    holder : trace, line or marker
        With ``colorscale``, ``cmin``, ``cmax`` and ``reversescale``.
    """
    finite = values[np.isfinite(values)]
    low = holder.cmin if holder.cmin is not None else finite.min(initial=np.inf)
    high = holder.cmax if holder.cmax is not None else finite.max(initial=-np.inf)
    width = high - low if high > low else 1.0
    place = np.clip((values - low) / width, 0, 1)
    if holder.reversescale:
        place = 1 - place
    stops = holder.colorscale or ((0, "#000000"), (1, "#ffffff"))
    at = [float(stop) for stop, _ in stops]
    table = np.array([rgba(color) for _, color in stops])
    return np.stack([np.interp(place, at, table[:, i]) for i in range(4)], axis=-1)


def linear(colors: Floats) -> Floats:
    """Return sRGB colours in linear light, as glTF wants those of vertices; alpha stays."""
    rgb = colors[..., :3]
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.concatenate([light, colors[..., 3:]], axis=-1)
