"""Each run's own curve: thinned within the common budget, with pins where it went wrong."""

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
from viz3d.figures.budget import PER_FIGURE, compact, shares, thin
from viz3d.figures.frame import Range
from viz3d.figures.text import count, safe, say, short_names

Floats = NDArray[np.float64]

LABEL = 24
"""Characters of a run's name in the legend, so that two entries fit side by side on a phone."""

PINS_PER_RUN = 20
"""A run that logs NaN every other step needs no thousand pins; the rest is counted."""

STEM = 0.14
"""Height of a pin as share of the axis."""


@dataclass(frozen=True)
class Path:
    """The points of a curve that are drawn.

    Attributes
    ----------
    run : str
        The run's full name.
    label : str
        What a legend shows: safe and short, the peak rate where that tells the runs apart.
    title : str
        What a hover label shows: safe, the run's name.
    step : ndarray of int64, shape (n,)
    rate, loss : ndarray of float64, shape (n,)
        NaN where the line has a gap.
    total : int
        Points before thinning.
    superseded : bool
        Whether a restart replaced these rows.
    """

    run: str
    label: str
    title: str
    step: NDArray[np.int64]
    rate: Floats
    loss: Floats
    total: int
    superseded: bool = False


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


def thin_paths(curves: Sequence[Curve], *, by_rate: bool) -> tuple[Path, ...]:
    """Thin curves to the points that one figure may hold, every extreme kept.

    Parameters
    ----------
    curves : sequence of Curve
    by_rate : bool
        Whether labels begin with the rate, because that is what tells the runs apart.
    """
    allowed = shares([len(curve.step) for curve in curves], PER_FIGURE)
    labels = _labels(curves, by_rate=by_rate)
    return tuple(map(_thinned, curves, labels, allowed))


def _labels(curves: Sequence[Curve], *, by_rate: bool) -> list[tuple[str, str]]:
    """Label and title of each curve."""
    names = [safe(name, LABEL) for name in short_names([curve.run for curve in curves])]
    rates = [say(curve.rate[0]) for curve in curves]
    if by_rate and len(set(rates)) == len({curve.run for curve in curves}):
        labels = rates
    elif by_rate:
        labels = [f"{rate}: {name}" for rate, name in zip(rates, names, strict=True)]
    else:
        labels = names
    titles = [safe(curve.run) for curve in curves]
    return [
        (label, title) if n is None else (f"{label}, attempt {n}", f"{title}, attempt {n}")
        for label, title, n in zip(labels, titles, (c.attempt for c in curves), strict=True)
    ]


def _thinned(curve: Curve, names: tuple[str, str], n_out: int) -> Path:
    loss = np.where(np.isfinite(curve.loss), curve.loss, np.nan)
    kept = thin(curve.step, loss, n_out)
    return Path(
        run=curve.run,
        label=names[0],
        title=names[1],
        step=curve.step[kept],
        rate=curve.rate[kept],
        loss=loss[kept],
        total=len(loss),
        superseded=curve.attempt is not None,
    )


def bad_pins(curve: Curve, title: str, bad: Sequence[BadStep], top: float) -> list[Pin]:
    """Pin the first bad steps of a run, each at the last finite value before it.

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
        for event in bad[:PINS_PER_RUN]
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


def path_traces(paths: Sequence[Path], rate_title: str) -> list[go.Scatter3d]:
    """Draw paths in the scene: few runs in their own colours, many in one trace and one ink."""
    hover = f"step %{{x:,d}}<br>{rate_title} %{{y:.3~g}}<br>loss %{{z:.4~g}}<extra></extra>"
    current = [path for path in paths if not path.superseded]
    if len(current) > style.MOST_NAMED:
        return [_together(current, hover), *_dashed(paths, hover)]
    lines = [
        go.Scatter3d(
            x=compact(path.step),
            y=compact(path.rate),
            z=compact(path.loss),
            mode="lines",
            name=path.label,
            line={"color": style.run_color(i, len(current)), "width": 4},
            hovertemplate=f"{path.title}<br>{hover}",
        )
        for i, path in enumerate(current)
    ]
    return [*lines, *_dashed(paths, hover)]


def flat_path_traces(paths: Sequence[Path], rate_title: str) -> list[go.Scatter]:
    """Draw where each path lies in the plane of step and learning rate."""
    current = [path for path in paths if not path.superseded]
    few = len(current) <= style.MOST_NAMED
    return [
        go.Scatter(
            x=compact(path.step),
            y=compact(path.rate),
            customdata=compact(path.loss),
            mode="lines",
            name=path.label,
            line={"color": style.run_color(i, len(current)) if few else style.PAPER, "width": 1.5},
            showlegend=few,
            hovertemplate=f"{path.title}<br>step %{{x:,d}}<br>{rate_title} %{{y:.3~g}}<br>"
            "loss %{customdata:.4~g}<extra></extra>",
        )
        for i, path in enumerate(current)
    ]


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


def _together(paths: Sequence[Path], hover: str) -> go.Scatter3d:
    """Put many paths into one trace with gaps between them: a browser draws that far faster."""
    gap = [np.nan]
    return go.Scatter3d(
        x=compact(np.concatenate([np.r_[path.step, gap] for path in paths])),
        y=compact(np.concatenate([np.r_[path.rate, gap] for path in paths])),
        z=compact(np.concatenate([np.r_[path.loss, gap] for path in paths])),
        mode="lines",
        name=count(len(paths), "run"),
        line={"color": style.PATH, "width": 2.5},
        text=[path.title for path in paths for _ in range(len(path.step) + 1)],
        hovertemplate=f"%{{text}}<br>{hover}",
        showlegend=False,
    )


def _dashed(paths: Sequence[Path], hover: str) -> list[go.Scatter3d]:
    return [
        go.Scatter3d(
            x=compact(path.step),
            y=compact(path.rate),
            z=compact(path.loss),
            mode="lines",
            name=path.label,
            line={"color": style.INK, "width": 3, "dash": "dash"},
            hovertemplate=f"{path.title} (superseded by a restart)<br>{hover}",
        )
        for path in paths
        if path.superseded
    ]


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
