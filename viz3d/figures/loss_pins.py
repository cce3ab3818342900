"""Pins of the loss landscape: where each event stands, and where runs leave the loss axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from viz3d.analysis.curves import Curve
from viz3d.analysis.event import Event
from viz3d.figures.loss_data import LossLandscapeResult, finite_losses
from viz3d.figures.pins import ABOVE, Pin, event_pin, pinned
from viz3d.figures.text import Drawn, count, say


def event_pins(result: LossLandscapeResult, top: float) -> list[list[Pin]]:
    """Return the events of each run with their places in a chart whose loss axis ends at `top`."""
    return [
        _pins_of(curve, path.hover, events, top)
        for curve, path, events in zip(result.curves, result.paths, result.events, strict=False)
    ]


def _pins_of(curve: Curve, label: Drawn, events: Sequence[Event], top: float) -> list[Pin]:
    steps = [event.step for event in events]
    return [
        event_pin(curve.run, label, event, (x, rate, _height(event, top)), "loss")
        for event, x, rate in zip(
            events, curve.places.at(steps), _rates_at(curve, steps), strict=True
        )
    ]


def pins(result: LossLandscapeResult, top: float) -> tuple[Pin, ...]:
    """Return the pins that are drawn in a chart whose loss axis ends at `top`."""
    return (*pinned(event_pins(result, top)), *clipped_pins(result, top))


def clipped_pins(result: LossLandscapeResult, top: float) -> list[Pin]:
    """Return a pin for each run that leaves a loss axis which ends at `top`."""
    above = (
        _clipped_pin(curve, path.hover, top)
        for curve, path in zip(result.curves, result.paths, strict=False)
    )
    return [pin for pin in above if pin]


def _height(event: Event, top: float) -> float:
    """Loss of an event, `top` where no finite one tells its height.

    What went wrong stands at the last good value before it.
    """
    loss = event.level if event.bad else event.value
    return top if loss is None else min(loss, top)


def _rates_at(curve: Curve, steps: Sequence[int]) -> np.ndarray:
    """Learning rate at the last step up to each of `steps` at which it was positive.

    That is what the axis needs.
    """
    known = np.flatnonzero(curve.rate > 0)
    if not len(known):
        return np.full(len(steps), curve.rate[0])
    at = np.searchsorted(curve.step[known], steps, side="right") - 1
    return curve.rate[known[np.maximum(at, 0)]]


def _clipped_pin(curve: Curve, label: Drawn, top: float) -> Pin | None:
    """Pin the place where a curve is highest, at the end of the axis; None if it is not above."""
    finite = np.where(np.isfinite(curve.loss), curve.loss, -np.inf)
    above = int((finite > top).sum())
    if not above:
        return None
    at = int(finite.argmax())
    step, highest = int(curve.step[at]), float(finite[at])
    text = f"{count(above, 'point')} above the axis,<br>up to {say(highest)} at this step"
    # No event of the run but of the axis: it has a pin and no place in the list.
    event = Event(ABOVE, "loss", step, step, above, highest, highest)
    return Pin(curve.run, label, event, (float(curve.x[at]), float(curve.rate[at]), top), text)


def clipped(result: LossLandscapeResult, top: float) -> int:
    """Return how many points of the runs are above `top`."""
    return sum(int((finite_losses(curve) > top).sum()) for curve in result.curves)
