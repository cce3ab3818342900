"""Turn what a training loop logs into one line of JSON that always can be written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def number(value: Any) -> int | float | None:
    """Return `value` as a plain number, or None if it is not one.

    Parameters
    ----------
    value : Any
        A Python, NumPy or PyTorch number; anything else with a number behind ``item()``.

    Returns
    -------
    int, float or None
        Booleans become 0 or 1. NaN and infinities are facts and stay.

    Raises
    ------
    Exception
        Whatever ``item()`` raises: an array of several numbers, a tensor without storage.
    """
    if not isinstance(value, (int, float)) and callable(item := getattr(value, "item", None)):
        value = item()
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        # JSON readers keep 64 bits; a larger integer is a float to all of them.
        return int(value) if -(2**63) <= value < 2**63 else float(value)
    return None


def whole(step: Any) -> int:
    """Return `step` as an integer.

    Raises
    ------
    ValueError
        If it is not a finite whole number that fits 64 bits.
    """
    value = number(step)
    if value is None or not math.isfinite(value) or value != int(value) or abs(value) >= 2**63:
        raise ValueError(f"the step {step!r:.80} is not a whole number")
    return int(value)


def numbers(values: Mapping[str, Any]) -> tuple[dict[str, int | float], list[str]]:
    """Return the entries that are numbers, and the names of those that are not.

    An entry of None says that there is no value at this step; it stands in neither.
    """
    kept: dict[str, int | float] = {}
    left_out: list[str] = []
    for name, value in values.items():
        if value is None:
            continue
        try:
            found = number(value)
        except Exception:  # `item()` of a stranger may raise anything
            found = None
        if found is None:
            left_out.append(str(name))
        else:
            kept[str(name)] = found
    return kept, left_out


def plain(value: Any) -> Any:
    """Return `value` as what JSON can hold: mappings, lists, text, numbers; the rest as text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    try:
        found = number(value)
    except Exception:  # as above
        found = None
    return str(value) if found is None else found


def line(row: Mapping[str, Any]) -> bytes:
    """Return `row` as one line of JSON in ASCII; NaN and infinities as ``NaN``, ``Infinity``."""
    return json.dumps(row, separators=(",", ":")).encode("ascii") + b"\n"
