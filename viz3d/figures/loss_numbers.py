"""The numbers that the loss landscape's words are about."""

from __future__ import annotations

from typing import Any

import numpy as np

from viz3d.analysis.valley import Valley
from viz3d.figures.along import ends, rounded
from viz3d.figures.event_words import tally
from viz3d.figures.loss_data import LossLandscapeResult
from viz3d.figures.loss_pins import clipped


def numbers(result: LossLandscapeResult, top: float) -> dict[str, Any]:
    """Return the numbers of the summary of a chart whose loss axis ends at `top`."""
    first = _first_bad(result)
    rates = np.concatenate([curve.rate for curve in result.curves])
    rates = rates[rates > 0]
    return {
        "runs": len(result.curves),
        "first_step": min(int(curve.step[0]) for curve in result.curves),
        "last_step": max(int(curve.step[-1]) for curve in result.curves),
        **ends(
            result.along,
            min(curve.x[0] for curve in result.curves),
            max(curve.x[-1] for curve in result.curves),
        ),
        "lowest_rate": float(rates.min()) if len(rates) else None,
        "highest_rate": float(rates.max()) if len(rates) else None,
        "share_supported": 0.0 if result.surface.reason else float(result.surface.share),
        **_best(result.valley, result.along),
        "first_bad_step": first[1].step if first else None,
        "first_bad_run": first[0] if first else None,
        "first_bad_kind": first[1].kind if first else None,
        "events": tally(event for events in result.events for event in events),
        "points_drawn": sum(len(path.step) for path in result.paths),
        "points_total": sum(path.total for path in result.paths),
        "points_above_axis": clipped(result, top),
    }


def _first_bad(result: LossLandscapeResult) -> tuple[str, Any] | None:
    found = [
        (curve.run, event)
        for curve, events in zip(result.curves, result.events, strict=True)
        for event in events
        if event.bad
    ]
    return min(found, key=lambda pair: pair[1].step, default=None)


def _best(valley: Valley | None, along: str) -> dict[str, Any]:
    """Best learning rate at the last place where the surface resolves one."""
    keys = ("best_rate", "best_rate_low", "best_rate_high", "best_loss", f"best_at_{along}")
    start_key, end_key = f"resolved_from_{along}", f"resolved_to_{along}"
    nothing = dict.fromkeys((*keys, start_key, end_key))
    if valley is None or not valley.resolved.any():
        return {**nothing, "best_at_edge": None, "resolved_earlier": None}
    resolved = np.flatnonzero(valley.resolved)
    at = int(resolved[-1])
    rates = [float(f"{rate[at]:.6g}") for rate in (valley.y, valley.low, valley.high)]
    best = (*rates, float(valley.z[at]), rounded(valley.x[at], along))
    # The stretch that ends there: earlier ones may be apart from it.
    broken = np.flatnonzero(~valley.resolved[:at])
    start = int(broken[-1]) + 1 if len(broken) else 0
    return {
        **dict(zip(keys, best, strict=True)),
        start_key: rounded(valley.x[start], along),
        end_key: rounded(valley.x[at], along),
        "best_at_edge": bool(valley.at_edge[at]),
        "resolved_earlier": bool(valley.resolved[:start].any()),
    }
