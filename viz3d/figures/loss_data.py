"""The numbers of the loss landscape: the fitted surface and what is drawn on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viz3d.analysis.alignment import AXES
from viz3d.analysis.curves import Curve, rate_axis, read_attempts, read_curve
from viz3d.analysis.event import Event
from viz3d.analysis.events import find_events
from viz3d.analysis.surface import Surface, fit_surface
from viz3d.analysis.valley import Valley, find_valley
from viz3d.errors import ChartError
from viz3d.figures.along import LeftOut, check_along, on_axis, place_runs
from viz3d.figures.frame import Frame, Range, skewed, span
from viz3d.figures.needs import as_runs, has_role, having, unrated
from viz3d.figures.paths import Path, thin_paths
from viz3d.figures.provenance import origins
from viz3d.figures.text import Drawn, listed
from viz3d.run import Run

KIND = "loss-landscape"
TITLE = "Loss landscape"
RATE_TITLES = {"peak": "peak learning rate", "current": "learning rate at that step"}

ROOM = 1.3
"""The loss axis is at most this many times as long as the surface and most points need; beyond
that single spikes would flatten the rest."""

MOST = 0.98
"""Share of the points that counts as most of them."""

COLORED = 0.97
"""Share of the surface's drawn area over which the colours run; what is higher has the last one."""

SKEW = 2.0
"""The loss axis is logarithmic when the 95 % quantile is above this many times the 5 % one."""


@dataclass(frozen=True)
class LossLandscapeResult:
    """Everything that the chart draws and says.

    Attributes
    ----------
    rate : {"peak", "current"}
        Which learning rate is the axis.
    along : {"step", "tokens", "flops", "time"}
        What the other axis is.
    surface : Surface
        Over that and the learning rate, with a `reason` where no surface can be drawn.
    valley : Valley or None
        None without a surface of several runs.
    curves : tuple of Curve
        One per run, whole.
    paths : tuple of Path
        The same, thinned, and the superseded attempts where wanted.
    events : tuple of tuple of Event
        One tuple per curve.
    frame : Frame
        The axes that this chart alone would have.
    unused : tuple of str
        Runs that have no loss with a learning rate and a place.
    left_out : tuple of (str, str)
        Runs without a place along the axis, each with the reason.
    superseded_unplaced : int
        Superseded rows without one, which are not drawn.
    settings : mapping
    origins : tuple of mapping
    """

    rate: str
    along: str
    surface: Surface
    valley: Valley | None
    curves: tuple[Curve, ...]
    paths: tuple[Path, ...]
    events: tuple[tuple[Event, ...], ...]
    frame: Frame
    unused: tuple[str, ...]
    left_out: LeftOut
    superseded_unplaced: int
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]


def compute(
    runs: Run | Sequence[Run],
    *,
    rate: str = "auto",
    strictness: str = "default",
    attempts: bool = False,
    along: str = "step",
) -> LossLandscapeResult:
    """Fit the surface and collect what is drawn on it.

    Parameters
    ----------
    runs : Run or sequence of Run
    rate : {"auto", "current", "peak"}
        The learning rate at each step, or its peak; see `viz3d.analysis.curves.rate_axis`.
    strictness : {"strict", "default", "loose"}
        How near the data and how sure a point of the surface must be.
    attempts : bool
        Whether to draw the rows that restarts superseded.
    along : {"step", "tokens", "flops", "time"}
        What the surface is fitted over beside the learning rate; runs that did not log it are left
        out.

    Raises
    ------
    BadArgument
        If there is no such axis.
    MissingMetric
        If no run has both a loss and a learning rate, at the same step unless it is the peak.
    ChartError
        If no loss is finite, or no run logged its place along the axis.
    ValueError
        If `rate` or `strictness` is none of its choices.
    """
    check_along(along)
    chosen = as_runs(runs, TITLE)
    having(chosen, "loss", TITLE)
    places, left_out = place_runs(chosen, along, "loss")
    axis = rate_axis([run for run, _ in places if has_role(run, "loss")], rate)
    pairs = [(run, read_curve(run, axis, where)) for run, where in places]
    read = [(run, curve) for run, curve in pairs if curve is not None and len(curve.step)]
    if not read:
        lost = any(curve.unplaced for _, curve in pairs if curve is not None)
        raise unrated(chosen, axis, along, TITLE, lost=lost)
    if not any(len(finite_losses(curve)) for _, curve in read):
        names = listed([run.name for run, _ in read])
        raise ChartError(
            f"{TITLE} has nothing to draw: every loss of {names} is NaN or infinite; choose a run "
            "that logged a finite loss."
        )
    used, curves = [run for run, _ in read], tuple(curve for _, curve in read)
    surface = _fit(curves, strictness)
    old = [one for run, curve in read if attempts for one in read_attempts(run, axis, curve.places)]
    return LossLandscapeResult(
        rate=axis,
        along=along,
        surface=surface,
        valley=find_valley(surface) if not surface.reason and len(curves) > 1 else None,
        curves=curves,
        paths=thin_paths([*curves, *(one for one in old if len(one.step))], by_rate=axis == "peak"),
        events=tuple(find_events(run, run.roles["loss"]) for run in used),
        frame=_frame(surface, curves, log=_is_log(surface, curves)),
        unused=tuple(run.name for run, curve in pairs if curve is None or not len(curve.step)),
        left_out=left_out,
        superseded_unplaced=sum(curve.unplaced for curve in old),
        settings={
            "rate": axis,
            "strictness": strictness,
            "attempts": attempts,
            "along": along,
        },
        origins=origins(used),
    )


def compute_each(
    groups: Sequence[Sequence[Run]], *, rate: str = "auto", along: str = "step", **settings: Any
) -> list[LossLandscapeResult]:
    """Compute several groups on one kind of learning rate, so that they can be compared.

    It is the peak rate when a group is a sweep by itself: one run at its peak rate is a line.
    """
    drawn = [on_axis(group, along) for group in groups]
    axis = "peak" if "peak" in {rate_axis(some, rate) for some in drawn if some} else "current"
    return [compute(group, rate=axis, along=along, **settings) for group in groups]


def _fit(curves: Sequence[Curve], strictness: str) -> Surface:
    return fit_surface(
        np.concatenate([curve.x for curve in curves]),
        np.concatenate([curve.rate for curve in curves]),
        np.concatenate([curve.loss for curve in curves]),
        run=np.repeat(np.arange(len(curves)), [len(curve.step) for curve in curves]),
        strictness=strictness,
    )


def names(result: LossLandscapeResult) -> tuple[Drawn, Drawn, Drawn]:
    """Return the names of the axes."""
    return AXES[result.along], RATE_TITLES[result.rate], "loss"


def finite_losses(curve: Curve) -> np.ndarray:
    """Return the losses of a curve that are neither NaN nor infinite."""
    return curve.loss[np.isfinite(curve.loss)]


def _is_log(surface: Surface, curves: Sequence[Curve]) -> bool:
    """Whether the loss axis is logarithmic: as the surface's, else by the same rule."""
    if not surface.reason:
        return bool(surface.z_scale == "log")
    return skewed(np.concatenate([curve.loss for curve in curves]), SKEW)


def _frame(surface: Surface, curves: Sequence[Curve], *, log: bool) -> Frame:
    """Axes that hold the surface and, as far as it leaves room to see, all points."""
    shown = surface.z[np.isfinite(surface.z)]
    rates = np.concatenate([curve.rate for curve in curves])
    y = span(surface.y) if not surface.reason else span(rates[rates > 0])
    return Frame(
        x=span(*[curve.x for curve in curves]),
        y=_opened(y or (1e-4, 1e-3)),
        z=_loss_range(shown, np.concatenate([finite_losses(curve) for curve in curves]), log=log),
        color=_color_range(surface),
        log=log,
    )


def _opened(rates: Range) -> Range:
    """Give a single rate an axis of a decade about it, as far as there are floats."""
    low, high = rates
    if high / 1.001 > low:
        return rates
    limits, half = np.finfo(np.float64), 10**0.5
    smallest, largest = float(limits.smallest_subnormal), float(limits.max)
    return max(low / half, smallest), min(high, largest / half) * half


def _loss_range(shown: np.ndarray, values: np.ndarray, *, log: bool) -> Range | None:
    if not len(values):
        return span(shown)
    low, high = span(shown, np.quantile(values, [0.0, MOST])) or (0.0, 1.0)
    # Beyond the largest float there is room for everything.
    with np.errstate(over="ignore"):
        room = low * np.power(high / low, ROOM) if log else low + np.multiply(ROOM, high - low)
    return low, max(high, min(float(room), float(values.max())))


def _color_range(surface: Surface) -> Range | None:
    """Colours over most of the area as it is drawn, so that early steps do not use them all up.

    The columns are narrow at the start, where the loss falls most; each counts by its width.
    """
    shown = np.isfinite(surface.z)
    if not shown.any():
        return None
    width = np.broadcast_to(np.gradient(surface.x), surface.z.shape)[shown]
    z = surface.z[shown]
    order = np.argsort(z, kind="stable")
    share = np.cumsum(width[order]) / width.sum()
    return float(z[order[0]]), float(z[order[np.searchsorted(share, COLORED)]])
