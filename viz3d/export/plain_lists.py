"""A figure's JSON with plain lists in place of base64 typed arrays, small enough for W&B.

Plotly writes a NumPy array as ``{"dtype": "f4", "bdata": "..."}``; W&B's page has drawn such charts
empty.
"""

from __future__ import annotations

import hashlib
import json
import math
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import plotly.graph_objects as go

LARGEST_VALUE = 1_000_000
"""Bytes: W&B's advice for one logged value."""

DIGITS = (None, 6, 5, 4)
"""Significant digits that are tried in turn; None keeps every number as it is."""


@dataclass(frozen=True)
class PlainFigure:
    """A figure as JSON without typed arrays.

    Attributes
    ----------
    text : str
        Strict JSON: what is not finite is null.
    digits : int or None
        Significant digits to which numbers were rounded; whole numbers never are. None: not at all.
    """

    text: str
    digits: int | None

    @property
    def bytes(self) -> int:
        """Size of the JSON in UTF-8."""
        return len(self.text.encode())

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the JSON."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def to_plain(figure: go.Figure, most: int = LARGEST_VALUE) -> PlainFigure:
    """Turn a figure into JSON of plain lists, with fewer digits only where it is too large.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
    most : int
        Bytes the JSON should keep to.

    Returns
    -------
    PlainFigure
        Larger than `most` where four digits are still too many; the caller decides.
    """
    spec = figure.to_dict()
    for digits in DIGITS:
        # A name may hold what UTF-8 cannot say, so such characters are escaped.
        plain = PlainFigure(json.dumps(lists(spec, digits), separators=(",", ":")), digits)
        if plain.bytes <= most:
            break
    return plain


def lists(value: Any, digits: int | None = None) -> Any:
    """Return a value of figure JSON with arrays, typed or not, as lists; not finite becomes None.

    Parameters
    ----------
    value : dict, list, array or scalar
    digits : int, optional
        Significant digits of the arrays' numbers. A float32 is written in the fewest digits that
        give it back exactly, as it is.
    """
    if isinstance(value, Mapping):
        if set(value) >= {"dtype", "bdata"}:
            return _array(_decoded(value), digits)
        return {str(key): lists(item, digits) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _array(value, digits)
    if isinstance(value, list | tuple):
        return [lists(item, digits) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _decoded(spec: Mapping[str, Any]) -> NDArray:
    array = np.frombuffer(b64decode(spec["bdata"]), dtype=np.dtype(spec["dtype"]))
    shape = spec.get("shape")
    if shape is None:
        return array
    return array.reshape([int(n) for n in (shape.split(",") if isinstance(shape, str) else shape)])


def _array(array: NDArray, digits: int | None) -> list[Any]:
    if array.ndim > 1:
        return [_array(row, digits) for row in array]
    if array.dtype.kind != "f":
        return [lists(item, digits) for item in array.tolist()]
    # The text of a float32 is its shortest exact one; as a float64 it would have 17 digits.
    exact = [float(text) for text in array.astype(str)] if array.itemsize < 8 else array.tolist()
    return [_number(number, digits) for number in exact]


def _number(number: float, digits: int | None) -> float | int | None:
    if not math.isfinite(number):
        return None
    if number == int(number) and abs(number) < 2**53:
        return int(number)
    return number if digits is None else float(f"{number:.{digits}g}")
