"""Colours of a figure as numbers, for formats that know no colour scales."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.export.axes import apart, shares

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


def places(values: Floats, holder: Any) -> Floats:
    """Return where Plotly finds values on a colour scale, 0 to 1; NaN for NaN.

    Parameters
    ----------
    values : ndarray
    holder : trace, line or marker
        With ``colorscale``, ``cmin``, ``cmax`` and ``reversescale``.
    """
    finite = values[np.isfinite(values)]
    low = float(finite.min(initial=np.inf) if holder.cmin is None else holder.cmin)
    high = float(finite.max(initial=-np.inf) if holder.cmax is None else holder.cmax)
    place = np.clip(shares(values, *apart(low, max(low, high))), 0, 1)
    return 1 - place if holder.reversescale else place


def on_scale(place: Floats, holder: Any) -> Floats:
    """Return the colours at places on the scale of a trace, line or marker, shape (..., 4)."""
    stops = holder.colorscale or ((0, "#000000"), (1, "#ffffff"))
    at = [float(stop) for stop, _ in stops]
    table = np.array([rgba(color) for _, color in stops])
    return np.stack([np.interp(place, at, table[:, i]) for i in range(4)], axis=-1)


def linear(colors: Floats) -> Floats:
    """Return sRGB colours in linear light, as glTF wants those of vertices; alpha stays."""
    rgb = colors[..., :3]
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.concatenate([light, colors[..., 3:]], axis=-1)
