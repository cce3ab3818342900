"""Pins: marks at facts about single runs, such as the step at which a loss became NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from viz3d.analysis.event import Event
from viz3d.figures import style
from viz3d.figures.budget import compact
from viz3d.figures.event_words import rules, tally, told_event, told_tally
from viz3d.figures.frame import Range
from viz3d.figures.text import Drawn

Floats = NDArray[np.float64]
Place = tuple[float, float, float]

MOST_PINS = 400
"""Pins in one figure. A run that logs NaN every other step needs no thousand of them; the rest is
counted."""

PER_RUN = 20
"""Most pins of one run."""

MOST_SPIKES = 8
"""Most spikes and drops of one run that are pinned: the largest."""

STEM = 0.14
"""Height of a pin as share of the axis."""

ABOVE = "above the axis"

# Each kind has a shape of its own, so that nobody needs the colour to tell them apart.
LOOKS: dict[str, dict[str, str]] = {
    "NaN": {"color": style.ALARM, "symbol": "x"},
    "infinity": {"color": style.ALARM, "symbol": "diamond-open"},
    "divergence": {"color": style.ALARM, "symbol": "diamond"},
    "spike": {"color": style.ODD, "symbol": "cross"},
    "drop": {"color": style.ODD, "symbol": "square-open"},
    "plateau": {"color": style.CALM, "symbol": "square"},
    "restart": {"color": style.CALM, "symbol": "circle"},
    ABOVE: {"color": style.INK, "symbol": "circle-open"},
}


@dataclass(frozen=True)
class Pin:
    """An event of a run and where a chart shows it.

    Attributes
    ----------
    run : str
    label : str
        The run's name, short.
    event : Event
    place : tuple of 3 float
        In data units of the scene's axes, never an invented value: NaN where the run did not log
        how far along the axis it was. Such a pin is listed and not drawn.
    text : str
        What happened, for a hover label.
    color : str
        Of the group in an overlay; empty where the kind of the event gives it.
    """

    run: str
    label: Drawn
    event: Event
    place: Place
    text: Drawn
    color: str = ""

    @property
    def kind(self) -> str:
        """The kind of the event, a key of `LOOKS`."""
        return self.event.kind

    @property
    def placed(self) -> bool:
        """Whether it has a place in the scene."""
        return bool(np.isfinite(self.place).all())


def event_pin(run: str, label: Drawn, event: Event, place: Sequence[float], name: Drawn) -> Pin:
    """Return the pin of an event; `name` is that of its metric in words."""
    x, y, z = (float(value) for value in place)
    return Pin(run, label, event, (x, y, z), told_event(event, name))


def pinned(pins: Sequence[Sequence[Pin]]) -> list[Pin]:
    """Return the pins that are drawn of those of each run: bad steps first, largest spikes last."""
    each = min(PER_RUN, max(1, MOST_PINS // max(1, len(pins))))
    return [pin for some in pins for pin in _first([p for p in some if p.placed])[:each]]


def _first(pins: Sequence[Pin]) -> list[Pin]:
    spikes = sorted((p for p in pins if _sudden(p)), key=lambda pin: -pin.event.size)
    others = sorted((p for p in pins if not _sudden(p)), key=lambda pin: not pin.event.bad)
    return others + spikes[:MOST_SPIKES]


def _sudden(pin: Pin) -> bool:
    return pin.kind in ("spike", "drop")


def event_notes(pins: Sequence[Sequence[Pin]]) -> list[str]:
    """Return how the events of each run were found, and how many of which kind have no pin."""
    found = tally(pin.event for some in pins for pin in some)
    drawn = tally(pin.event for pin in pinned(pins))
    rest = {kind: n - drawn.get(kind, 0) for kind, n in found.items() if n > drawn.get(kind, 0)}
    told = [f"In the list of events, but not pinned: {told_tally(rest)}."] if rest else []
    return [*rules(found), *told]


def in_order(pins: Sequence[Sequence[Pin]]) -> tuple[Pin, ...]:
    """Return the events of all runs by step."""
    return tuple(sorted((p for some in pins for p in some), key=lambda pin: pin.event.step))


def pin_traces(pins: Sequence[Pin], limits: Range, *, log: bool) -> list[go.Scatter3d]:
    """Draw pins as heads on stems, so that they stand out of the surface."""
    low, high = np.log10(limits) if log else limits
    rise = 10 ** (STEM * (high - low)) if log else STEM * (high - low)
    traces = []
    for kind, some in _groups(pins):
        foot = np.array([pin.place[2] for pin in some])
        # What leaves the axis gets its head at the end of the axis and the stem below it.
        with np.errstate(over="ignore"):
            head = np.minimum(foot * rise if log else foot + rise, limits[1])
        foot = np.minimum(foot, head / rise if log else head - rise)
        traces += [_stems(some, foot, head, kind), *_heads(some, head, kind)]
    return traces


def mark_traces(pins: Sequence[Pin]) -> list[go.Scatter3d]:
    """Draw pins where they are, for charts in which no axis is a height."""
    return [
        trace
        for kind, some in _groups(pins)
        for trace in _heads(some, np.array([pin.place[2] for pin in some]), kind)
    ]


def flat_pin_traces(pins: Sequence[Pin], **more: Any) -> list[go.Scatter]:
    """Draw pins in the plane of the first two axes; `more` goes to the traces."""
    traces = []
    for kind, some in _groups(pins):
        look = {**LOOKS[kind], "size": 10, "line": {"width": _edge(kind), "color": "white"}}
        pin = go.Scatter(
            x=compact(np.array([pin.place[0] for pin in some])),
            y=compact(np.array([pin.place[1] for pin in some])),
            mode="markers",
            name=kind,
            legendgroup=kind,
            marker={**look, "color": _color(some, kind)},
            text=_said(some),
            hovertemplate="%{text}<extra></extra>",
            **more,
        )
        traces += [pin, *_key(pin, some, kind)]
    return traces


def _edge(kind: str) -> float:
    """Width of a white edge, which sets a mark off a heat map; an open one is all edge."""
    return 0.0 if LOOKS[kind]["symbol"].endswith("-open") else 1.0


def _groups(pins: Sequence[Pin]) -> list[tuple[Drawn, list[Pin]]]:
    """Pins by what they mark."""
    found = {kind: [pin for pin in pins if pin.kind == kind] for kind in LOOKS}
    return [(kind, found[kind]) for kind in LOOKS if found[kind]]


def _color(pins: Sequence[Pin], kind: str) -> str | list[str]:
    """Colour of the kind, or of each pin's group; the shape tells the kind in any case."""
    own = [pin.color for pin in pins]
    return own if all(own) else LOOKS[kind]["color"]


def _rim(pins: Sequence[Pin], kind: str) -> dict[str, Any]:
    """Set a head in the colour of a group off the surface of that colour."""
    return {"line": {"width": _edge(kind), "color": "white"}} if pins[0].color else {}


def _key(drawn: Any, pins: Sequence[Pin], kind: Drawn) -> list[Any]:
    """Take pins that have colours of groups out of the legend; return a grey entry for them."""
    if not pins[0].color:
        return []
    drawn.update(showlegend=False, legendgroup=kind)
    nowhere = {axis: [None] for axis in "xyz" if axis in drawn}
    look = {"symbol": drawn.marker.symbol, "size": drawn.marker.size, "color": style.INK}
    key = {"mode": "markers", "name": kind, "legendgroup": kind, "marker": look}
    return [type(drawn)(**nowhere, **key, showlegend=True, hoverinfo="skip")]


def _said(pins: Sequence[Pin]) -> list[Drawn]:
    return [f"{pin.label}<br>step {pin.event.step:,}<br>{pin.text}" for pin in pins]


def _stems(pins: Sequence[Pin], foot: Floats, head: Floats, kind: str) -> go.Scatter3d:
    x = np.array([pin.place[0] for pin in pins])
    y = np.array([pin.place[1] for pin in pins])
    gap = np.full(len(pins), np.nan)
    color = _color(pins, kind)
    return go.Scatter3d(
        x=compact(np.column_stack([x, x, gap]).ravel()),
        y=compact(np.column_stack([y, y, gap]).ravel()),
        z=compact(np.column_stack([foot, head, gap]).ravel()),
        mode="lines",
        line={"color": color if isinstance(color, str) else np.repeat(color, 3), "width": 3},
        hoverinfo="skip",
        showlegend=False,
    )


def _heads(pins: Sequence[Pin], height: Floats, kind: Drawn) -> list[go.Scatter3d]:
    heads = go.Scatter3d(
        x=compact(np.array([pin.place[0] for pin in pins])),
        y=compact(np.array([pin.place[1] for pin in pins])),
        z=compact(height),
        mode="markers",
        name=kind,
        marker={**LOOKS[kind], "size": 5, "color": _color(pins, kind), **_rim(pins, kind)},
        text=_said(pins),
        hovertemplate="%{text}<extra></extra>",
    )
    return [heads, *_key(heads, pins, kind)]
