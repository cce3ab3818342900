"""What whoever measured a landscape in weight space has to be told before looking at it."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from viz3d.figures.text import safe, say
from viz3d.figures.weight_data import WeightSpaceResult

SAME = 1e-5
"""Relative difference up to which the node at the centre has the checkpoint's own loss."""

MOST = 10
"""Problems of the measurement that are told one by one."""


def warnings(result: WeightSpaceResult) -> tuple[str, ...]:
    """Return what went wrong while it was measured, and whether centre and checkpoint disagree."""
    found = [f"When it was measured: {safe(one, 300)}" for one in _problems(result)]
    own, at = own_centre(result), result.centre
    if own is not None and at is not None and math.isfinite(node := float(result.z[at])):
        value = own["value"]
        if not is_same(value, node):
            found.append(
                f"The node at the centre has a loss of {say(node)}, the checkpoint measured by "
                f"itself one of {say(value)}: they were not measured alike, so the grid may be of "
                "other weights or samples. Measure it again."
            )
    return tuple(found)


def own_centre(result: WeightSpaceResult) -> dict[str, Any] | None:
    """Return what the checkpoint at the centre gave by itself, where a loss of it is recorded."""
    value, error = (result.grid.meta.get(f"centre_loss{end}") for end in ("", "_se"))
    if result.quantity != "loss" or not _is_number(value):
        return None
    return {"value": float(value), "error": float(error) if _is_number(error) else None}


def is_same(own: float, node: float) -> bool:
    """Say whether two losses are one, measured twice."""
    return math.isclose(own, node, rel_tol=SAME)


def _problems(result: WeightSpaceResult) -> list[str]:
    """Return the problems that a file records, which may be anybody's."""
    given = result.grid.meta.get("problems")
    told = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    more = len(told) - MOST
    return [*told[:MOST], *([f"… and {more:,} more like these."] if more > 0 else [])]


def _is_number(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float) and math.isfinite(value)
