"""What the loss landscape says in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from viz3d.analysis.alignment import AXES
from viz3d.analysis.valley import WIDE
from viz3d.figures.along import (
    left_out_brief,
    left_out_sentence,
    place_notes,
    reached,
    said_place,
    said_reach,
    unplaced_note,
)
from viz3d.figures.budget import told
from viz3d.figures.event_words import summed_up
from viz3d.figures.loss_data import LossLandscapeResult
from viz3d.figures.loss_pins import clipped, event_pins
from viz3d.figures.needs import rated_loss
from viz3d.figures.pins import event_notes
from viz3d.figures.text import Drawn, count, listed, say, with_names, wrapped

ADVICE = (
    "Add runs with other peak learning rates, at least three in all, to see a surface over them."
)
"""What makes a ribbon a surface; charts side by side say it once."""

HISTORY = (
    "The loss at a step depends on the whole history of the learning rate, not only on its value "
    "at that step."
)


def subtitle(result: LossLandscapeResult) -> Drawn:
    """Return the line under the title: how many runs, how much of them is drawn."""
    drawn = sum(len(path.step) for path in result.paths)
    total = sum(path.total for path in result.paths)
    text = f"{count(len(result.curves), 'run')}, {told(drawn, total)}."
    if result.rate == "current":
        text += " Loss also depends on the rate's history."
    text += left_out_brief(result.along, result.left_out)
    return wrapped(text)


def summary(result: LossLandscapeResult, said: Mapping[str, Any]) -> str:
    """Return one paragraph that reads well aloud."""
    parts = [_what(result, said), _surface(result, said)]
    if result.valley is not None:
        parts.append(best_rate_sentence(said, result.along))
    if said["first_bad_step"] is not None:
        words = {"NaN": "logs NaN", "infinity": "logs an infinite loss", "divergence": "diverges"}
        parts.append(
            f"The first bad step is {said['first_bad_step']:,}, where {said['first_bad_run']} "
            f"{words[said['first_bad_kind']]}."
        )
    parts.append(summed_up(said["events"]))
    parts.append(f"The paths show {told(said['points_drawn'], said['points_total'])}.")
    parts.append(left_out_sentence(result.along, result.left_out))
    return " ".join(part for part in parts if part)


def _what(result: LossLandscapeResult, said: Mapping[str, Any]) -> str:
    reach = said_reach(result.along, said)
    return f"Loss of {count(said['runs'], 'run')} over {reach} and {_rates(result.rate, said)}."


def _rates(axis: str, said: Mapping[str, Any]) -> str:
    low, high = said["lowest_rate"], said["highest_rate"]
    if low is None:
        return "a learning rate that is nowhere above zero"
    kind = "peak learning rate" if axis == "peak" else "learning rate"
    if low == high:
        return f"a {kind} of {say(low)}"
    return f"{kind}s from {say(low)} to {say(high)}"


def _named(sentence: str, along: str) -> str:
    return with_names(sentence, AXES[along], "learning rate", "loss")


def _surface(result: LossLandscapeResult, said: Mapping[str, Any]) -> str:
    if result.surface.reason:
        return f"There is no surface. {_named(result.surface.reason, result.along)}"
    share = f"{100 * said['share_supported']:.0f} % of the box"
    if len(result.curves) == 1:
        return f"The run supports only a ribbon along its own path, over {share}. {ADVICE}"
    return f"The runs support a surface over {share}."


def best_rate_sentence(said: Mapping[str, Any], along: str = "step") -> str:
    """Say which rate was best, and where that is resolved; `said` is from `numbers`."""
    if said["best_rate"] is None:
        return "No best learning rate is resolved: too many rates lie within each other's bands."
    text = (
        f"At {said_place(along, said[f'best_at_{along}'])} the lowest fitted loss is "
        f"{say(said['best_loss'])} at a learning rate of {_rate(said['best_rate'])}; rates from "
        f"{_rate(said['best_rate_low'])} to {_rate(said['best_rate_high'])} cannot be told apart "
        "from it."
    )
    if said["best_at_edge"]:
        text += " It lies at the end of what is supported, so the true best may lie beyond."
    start, end = said[f"resolved_from_{along}"], said[f"resolved_to_{along}"]
    last = said[f"last_{along}"]
    here, there = said_place(along, start), said_place(along, end)
    earlier = said["resolved_earlier"]
    if end == start and not earlier:
        return f"{text} The best rate is resolved at {there} alone."
    when = f"from {here} to {there}" if end > start else f"at {there}"
    when += " and at some earlier places" if earlier else ""
    after = "" if end >= 0.98 * last else ", and no longer after that"
    return f"{text} The best rate is resolved {when}{after}."


def _rate(value: float) -> str:
    return say(float(f"{value:.2g}"))


def notes(result: LossLandscapeResult, top: float) -> tuple[str, ...]:
    """Return what was left out, thinned or clipped, with counts, and the rules used."""
    drawn = sum(len(path.step) for path in result.paths)
    total = sum(path.total for path in result.paths)
    above = clipped(result, top)
    said = [
        f"Paths show {told(drawn, total)}.",
        HISTORY if result.rate == "current" else "",
        *_surface_notes(result),
        f"{count(above, 'point')} above the loss axis: a pin marks each run's highest."
        if above
        else "",
        *event_notes(event_pins(result, top)),
        *left_out(result),
    ]
    return tuple(note for note in said if note)


def left_out(result: LossLandscapeResult) -> list[str]:
    """Return which rows and runs are not in the chart, with counts."""
    unjoined = sum(curve.unjoined for curve in result.curves)
    flat = sum(int((curve.rate <= 0).sum()) for curve in result.curves)
    said = [
        f"{count(unjoined, 'row')} with a loss but no learning rate at the same step left out."
        if unjoined
        else "",
        f"{count(flat, 'point')} at a rate of zero or less: no place on a logarithmic axis."
        if flat
        else "",
        *(
            f"{count(n, 'point')} {_named(why, result.along)} left out of the fit."
            for why, n in result.surface.dropped.items()
        ),
        f"Not drawn, for want of {rated_loss(result.rate, result.along, 'or')}: "
        f"{listed(list(result.unused))}."
        if result.unused
        else "",
        *place_notes(
            result.along, result.left_out, [(curve.run, curve.places) for curve in result.curves]
        ),
        *unplaced_note(result.along, sum(curve.unplaced for curve in result.curves)),
        *unplaced_note(result.along, result.superseded_unplaced, "superseded row"),
    ]
    return [note for note in said if note]


def _surface_notes(result: LossLandscapeResult) -> list[str]:
    surface = result.surface
    if surface.reason:
        return [_named(surface.reason, result.along)]
    said = [
        f"The surface is a Gaussian process fitted to {surface.n_bins:,} medians of "
        f"{surface.n_points:,} points; its approximate 90 % band is widened {say(surface.kappa)} "
        "times. It fades where support ends.",
    ]
    if result.valley is not None:
        said.append(
            "The best learning rate is resolved where the rates whose band overlaps that of the "
            f"best span less than {100 * WIDE:.0f} % of the supported rates."
        )
    axes = {
        "x": "the step" if result.along == "step" else AXES[result.along],
        "y": "the learning rate",
    }
    said += [f"The fit does not resolve {axes[name]}." for name in surface.unresolved]
    return said


def table(result: LossLandscapeResult) -> pd.DataFrame:
    """Return one row per run."""
    rows = []
    for curve, events in zip(result.curves, result.events, strict=True):
        bad = [event for event in events if event.bad]
        finite = np.isfinite(curve.loss)
        loss, step = curve.loss[finite], curve.step[finite]
        rows.append(
            {
                "run": curve.run,
                "peak learning rate": float(curve.rate.max()),
                "points": len(curve.loss),
                **reached(result.along, curve.x, curve.places),
                "final loss": float(loss[-1]) if len(loss) else np.nan,
                "lowest loss": float(loss.min()) if len(loss) else np.nan,
                "at step": int(step[loss.argmin()]) if len(loss) else None,
                "first bad step": bad[0].step if bad else None,
                "what": bad[0].kind if bad else "",
            }
        )
    return pd.DataFrame(rows).astype({"at step": "Int64", "first bad step": "Int64"})
