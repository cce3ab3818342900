"""Turn what a training loop logs into one line of JSON that always can be written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from viz3d.record.values import foreign, is_known, number

# Of a metric's name. Readers leave out the metrics of longer ones.
NAME_CHARS = 200

# Rows hold numbers and text alone, so there is no circle to look for.
_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def whole(step: Any) -> int:
    """Return `step` as an integer.

    Raises
    ------
    ValueError
        If it is not a finite whole number that fits 64 bits.
    """
    if type(step) is int and -(2**63) < step < 2**63:
        return step
    value = number(step)
    if value is None or not math.isfinite(value) or value != int(value) or abs(value) >= 2**63:
        said = f"{value!r:.80}" if value is not None else f"of type {type(step).__name__:.80}"
        raise ValueError(f"the step {said} is not a whole number")
    return int(value)


def numbers(values: Mapping[str, Any]) -> tuple[dict[str, int | float], list[tuple[str, str]]]:
    """Return the entries that are numbers, and of each other one its name and why it is left out.

    An entry of None says that there is no value at this step; it stands in neither. All values of
    unknown types together hold the caller for at most 50 ms.
    """
    kept: dict[str, int | float] = {}
    left_out: list[tuple[str, str]] = []
    unknown: list[str] = []
    for name, value in values.items():
        if value is None:
            continue
        if len(name) > NAME_CHARS:
            left_out.append((name, f"its name is longer than {NAME_CHARS} characters"))
        elif type(value) is float:
            kept[name] = value
        elif is_known(value):
            found = number(value)
            if found is None:
                left_out.append((name, "it is not one number"))
            else:
                kept[name] = found
        else:
            kept[name] = 0  # keeps the place; replaced or taken out below
            unknown.append(name)
    if unknown:
        read = foreign([values[name] for name in unknown])
        for name, found in zip(unknown, read, strict=True):
            if found is None:
                del kept[name]
                left_out.append((name, "it is not one number, or was not read within 50 ms"))
            else:
                kept[name] = found
    return kept, left_out


def layer_row(step: int, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the row of one layer (its place and name, then its numbers) and what is left out."""
    measured = {key: value for key, value in row.items() if key not in ("step", "layer", "name")}
    kept, left_out = numbers(measured)
    place = {"step": step, "layer": whole(row["layer"]), "name": str(row["name"])}
    return {**place, **kept}, left_out


def line(row: Mapping[str, Any]) -> bytes:
    """Return `row`, of numbers and text, as one line of JSON.

    NaN and infinities stand as ``NaN`` and ``Infinity``. orjson writes the line where it is
    installed; the same values are read back.
    """
    if (fast := _orjson()) is not None:
        try:
            data = fast(row)
        except TypeError:  # a lone surrogate in a name
            data = b"null"
        if b"null" not in data:  # what orjson makes of NaN, as no row holds a None
            return data + b"\n"
    return _json(row).encode("ascii") + b"\n"


@cache
def _orjson() -> Callable[[Mapping[str, Any]], bytes] | None:
    try:
        orjson: Any = import_module("orjson")
    except Exception:  # not installed, or broken
        return None
    return orjson.dumps
