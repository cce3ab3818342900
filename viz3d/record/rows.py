"""Turn what a training loop logs into one line of JSON that always can be written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from viz3d.record.values import is_known, number

# Of a metric's name. Readers leave out the metrics of longer ones.
NAME_CHARS = 200

NO_NUMBER = "it is not one number"

# Rows hold numbers and text alone, so there is no circle to look for.
_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def whole(step: Any, end: float, what: str = "step") -> int:
    """Return `step` as an integer, if it can be read by `end`, of ``time.monotonic()``.

    Raises
    ------
    ValueError
        If it is not a finite whole number that fits 64 bits.
    """
    if type(step) is int and -(2**63) < step < 2**63:
        return step
    value = number(step, end)
    if value is None or not math.isfinite(value) or value != int(value) or abs(value) >= 2**63:
        said = f"{value!r:.80}" if value is not None else f"of type {type(step).__name__:.80}"
        raise ValueError(f"the {what} {said} is not a whole number")
    return int(value)


def numbers(
    values: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]:
    """Sort the entries of a row by whether their numbers are there at once.

    An entry of None says that there is no value at this step; it stands nowhere.

    Returns
    -------
    kept : dict of str to int or float
        The numbers; None keeps the place of what is unknown.
    unknown : dict
        Values of which a number has to be asked on another thread (see `values.reader`).
    left_out : list of (str, str)
        Names of what is no number or cannot be written, each with the reason.
    """
    kept: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    left_out: list[tuple[str, str]] = []
    for name, value in values.items():
        if value is None:
            continue
        if len(name) > NAME_CHARS:
            left_out.append((name, f"its name is longer than {NAME_CHARS} characters"))
        elif type(value) is float:
            kept[name] = value
        elif not is_known(value):
            kept[name], unknown[name] = None, value
        elif (found := number(value)) is None:
            left_out.append((name, NO_NUMBER))
        else:
            kept[name] = found
    return kept, unknown, left_out


def line(row: Mapping[str, Any]) -> bytes:
    """Return `row`, of numbers and text, as one line of JSON.

    NaN and infinities stand as ``NaN`` and ``Infinity``. orjson writes the line where it is
    installed; the same values are read back.
    """
    if (fast := orjson_dumps()) is not None:
        try:
            data = fast(row)
        except TypeError:  # a lone surrogate in a name
            data = b"null"
        if b"null" not in data:  # what orjson makes of NaN, as no row holds a None
            return data + b"\n"
    return _json(row).encode("ascii") + b"\n"


@cache
def orjson_dumps() -> Callable[[Mapping[str, Any]], bytes] | None:
    """Return what writes JSON fast, or None.

    Called once before a loop begins: an import within it would take its time, and in a process
    forked while another thread imports something it would never end.
    """
    try:
        orjson: Any = import_module("orjson")
    except Exception:  # not installed, or broken
        return None
    return orjson.dumps
