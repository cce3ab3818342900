"""Pins: marks at facts about single runs, such as the step at which a loss became NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.curves import Curve
from viz3d.analysis.events import BadStep
from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.frame import Range
from viz3d.figures.text import count, say

Floats = NDArray[np.float64]

MOST_PINS = 400
"""Pins of bad steps in one figure. A run that logs NaN every other step needs no thousand of them;
the rest is counted."""

STEM = 0.14
"""Height of a pin as share of the axis."""


@dataclass(frozen=True)
class Pin:
    """A mark at a fact about one run; `loss` is where it stands, never an invented value."""

    run: str
    title: str
    step: int
    rate: float
    loss: float
    text: str
    bad: bool


def pins_per_run(n_runs: int) -> int:
    """Return how many bad steps of each run are pinned: the first ones, at least one."""
    return min(20, max(1, MOST_PINS // n_runs))


def bad_pins(curve: Curve, title: str, bad: Sequence[BadStep], top: float) -> list[Pin]:
    """Pin bad steps of a run, each at the last finite value before it.

    Where there is none before it the pin stands at `top`, the end of the axis.
    """
    return [
        Pin(
            run=curve.run,
            title=title,
            step=event.step,
            rate=_rate_at(curve, event.step),
            loss=top if event.last_value is None else min(event.last_value, top),
            text=_bad_text(event),
            bad=True,
        )
        for event in bad
    ]


def clipped_pin(curve: Curve, title: str, top: float) -> Pin | None:
    """Pin the place where a curve is highest, at the end of the axis; None if it is not above."""
    finite = np.where(np.isfinite(curve.loss), curve.loss, -np.inf)
    above = int((finite > top).sum())
    if not above:
        return None
    at = int(finite.argmax())
    text = f"{count(above, 'point')} above the axis,<br>up to {say(finite[at])} at this step"
    return Pin(curve.run, title, int(curve.step[at]), float(curve.rate[at]), top, text, bad=False)


def pin_traces(pins: Sequence[Pin], limits: Range, *, log: bool) -> list[go.Scatter3d]:
    """Draw pins as heads on stems, so that they stand out of the surface."""
    low, high = np.log10(limits) if log else limits
    rise = 10 ** (STEM * (high - low)) if log else STEM * (high - low)
    traces = []
    for name, look, some in _groups(pins):
        foot = np.array([pin.loss for pin in some])
        # What leaves the axis gets its head at the end of the axis and the stem below it.
        head = np.minimum(foot * rise if log else foot + rise, limits[1])
        foot = np.minimum(foot, head / rise if log else head - rise)
        traces += [_stems(some, foot, head, look), _heads(some, head, name, look)]
    return traces


def flat_pin_traces(pins: Sequence[Pin]) -> list[go.Scatter]:
    """Draw pins in the plane of step and learning rate."""
    return [
        go.Scatter(
            x=compact(np.array([pin.step for pin in some])),
            y=compact(np.array([pin.rate for pin in some])),
            mode="markers",
            name=name,
            marker={**look, "size": 9},
            text=[f"{pin.title}<br>step {pin.step:,}<br>{pin.text}" for pin in some],
            hovertemplate="%{text}<extra></extra>",
        )
        for name, look, some in _groups(pins)
    ]


def _groups(pins: Sequence[Pin]) -> list[tuple[str, dict[str, Any], list[Pin]]]:
    """Pins by what they mark: facts that went wrong, and curves that leave the axis."""
    groups = (
        ("bad step", {"color": style.ALARM, "symbol": "diamond"}, True),
        ("above the axis", {"color": style.INK, "symbol": "cross"}, False),
    )
    found = ((name, look, [p for p in pins if p.bad == bad]) for name, look, bad in groups)
    return [group for group in found if group[2]]


def _stems(pins: Sequence[Pin], foot: Floats, head: Floats, look: dict[str, Any]) -> go.Scatter3d:
    step = np.array([pin.step for pin in pins], dtype=np.float64)
    rate = np.array([pin.rate for pin in pins])
    gap = np.full(len(pins), np.nan)
    return go.Scatter3d(
        x=compact(np.column_stack([step, step, gap]).ravel()),
        y=compact(np.column_stack([rate, rate, gap]).ravel()),
        z=compact(np.column_stack([foot, head, gap]).ravel()),
        mode="lines",
        line={"color": look["color"], "width": 3},
        hoverinfo="skip",
        showlegend=False,
    )


def _heads(pins: Sequence[Pin], head: Floats, name: str, look: dict[str, Any]) -> go.Scatter3d:
    return go.Scatter3d(
        x=compact(np.array([pin.step for pin in pins])),
        y=compact(np.array([pin.rate for pin in pins])),
        z=compact(head),
        mode="markers",
        name=name,
        marker={**look, "size": 4},
        text=[f"{pin.title}<br>step {pin.step:,}<br>{pin.text}" for pin in pins],
        hovertemplate="%{text}<extra></extra>",
    )


def _rate_at(curve: Curve, step: int) -> float:
    """Learning rate at a step, or at the last step before it where one is known."""
    at = int(np.searchsorted(curve.step, step, side="right")) - 1
    return float(curve.rate[max(at, 0)])


def _bad_text(event: BadStep) -> str:
    words = {
        "NaN": "loss became NaN",
        "infinity": "loss became infinite",
        "divergence": "loss diverged from here",
    }
    text = f"{words[event.kind]}, {count(event.rows, 'logged row')}"
    if event.last_step is None:
        return f"{text};<br>no finite value before it"
    return f"{text};<br>last good value {say(event.last_value)} at step {event.last_step:,}"
