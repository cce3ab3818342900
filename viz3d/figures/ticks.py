"""Choose ticks that read as numbers on linear and on logarithmic axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from viz3d.figures.frame import Range
from viz3d.figures.text import Drawn, say

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def nice_ticks(limits: Range, *, log: bool, most: int = 7) -> list[tuple[float, Drawn]]:
    """Return round values within the limits, with their text.

    Plotly labels a logarithmic axis of less than a decade with bare digits ("2", "5"), which reads
    as other numbers; hence ticks of our own.
    """
    low, high = limits
    if not high > low:
        return [(low, say(low))]
    values = _log_values(low, high, most) if log and high > 5 * low else _even(low, high, most)
    # Near 2**53 two ticks may be the same float.
    values = list(dict.fromkeys(map(float, values)))
    return list(zip(values, _texts(values), strict=True))


def _texts(values: list[float]) -> list[Drawn]:
    """Return the ticks as text, with as many digits as tell them apart."""
    texts = [say(float(f"{v:.6g}")) for v in values]
    for digits in range(5, 18):
        if len(set(texts)) < len(values):
            texts = [f"{v:,.{digits}g}" for v in values]
    return texts


def even_ticks(limits: Range) -> dict[str, Any]:
    """Return the tick settings of a linear axis of a scene, which Plotly gives too few."""
    values = nice_ticks(limits, log=False)
    return {
        "tickmode": "array",
        "tickvals": [v for v, _ in values],
        "ticktext": [text for _, text in values],
    }


def log_ticks(limits: Range) -> dict[str, Any]:
    """Return the tick settings of a logarithmic axis."""
    values = nice_ticks(limits, log=True)
    return {
        "type": "log",
        "tickmode": "array",
        "tickvals": [v for v, _ in values],
        "ticktext": [text for _, text in values],
    }


def ratio_ticks(limits: Range) -> list[tuple[float, Drawn]]:
    """Return round ratios within the limits, with how far they are from 1 in per cent."""
    values = nice_ticks(limits, log=True)
    return [(ratio, f"{say(float(f'{100 * (ratio - 1):.6g}'))} %") for ratio, _ in values]


def _even(low: float, high: float, most: int) -> list[float]:
    # Divided first: the width of the range may be above the largest float.
    rough = high / (most - 1) - low / (most - 1)
    if not rough:
        return [low, high]  # the smallest floats have nothing between them
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * s for s in STEPS if power * s >= rough * (1 - 1e-9))
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(k * step) for k in np.arange(first, last + 1)]


def _log_values(low: float, high: float, most: int) -> list[float]:
    """Powers of ten, with 2 and 5 between them while there is room."""
    decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        values = [float(f"{d}e{k:.0f}") for k in decades for d in digits]
        inside = [v for v in values if low * 0.999 <= v <= high * 1.001 and np.isfinite(v)]
        if len(inside) <= most:
            return inside
    return inside[:: -(-len(inside) // most)]
