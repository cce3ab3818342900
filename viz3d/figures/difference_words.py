"""What a difference says in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from viz3d.figures.along import (
    LeftOut,
    at_step,
    left_out_brief,
    left_out_sentence,
    place_notes,
    rounded,
    said_stretch,
    unplaced_note,
)
from viz3d.figures.difference_data import DifferenceResult
from viz3d.figures.difference_sides import Side
from viz3d.figures.loss_words import HISTORY
from viz3d.figures.needs import rated_loss
from viz3d.figures.reward_words import CAPTION
from viz3d.figures.text import Drawn, count, listed, safe, say, short_names, with_names, wrapped

ONE_RUN = (
    "With one run on a side the band holds the noise within runs and no more: another seed may "
    "turn the result round. For a claim, run at least three seeds on each side."
)


def numbers(result: DifferenceResult) -> dict[str, Any]:
    """Return the numbers of the summary."""
    found = result.found
    below, above, undecided = found.shares
    better, worse = (below, above) if result.lower_is_better else (above, below)
    told = result.told(found.d)[found.shown]
    y = found.y if len(found.y) else np.array([np.nan])
    return {
        "better": better,
        "worse": worse,
        "undecided": undecided,
        "common_share": float(found.shown.mean()),
        "median_difference": float(np.median(told)),
        "unit": "per cent of B" if found.log else result.titles[2],
        "runs_a": found.runs[0],
        "runs_b": found.runs[1],
        "one_run": min(found.runs) == 1,
        f"first_{result.along}": float(found.x[0]),
        f"last_{result.along}": float(found.x[-1]),
        "lowest_y": float(y[0]),
        "highest_y": float(y[-1]),
        "kappa": found.kappa,
    }


def subtitle(result: DifferenceResult, said: Mapping[str, Any]) -> Drawn:
    """Return the line under the title: the two sides and the three shares."""
    a, b = (safe(side.title, 30) for side in result.sides)
    low, high = _words(result) if said["one_run"] else ("better", "worse")
    text = (
        f"A: {a}; B: {b}. A {low} {_per_cent(said['better'])}, {high} {_per_cent(said['worse'])}, "
        f"undecided {_per_cent(said['undecided'])}."
        f"{left_out_brief(result.along, _without_place(result))}"
    )
    return wrapped(f"{text} One run on a side: no claim." if said["one_run"] else text, 76)


def _words(result: DifferenceResult) -> tuple[Drawn, Drawn]:
    """Return what A is where it is better, and where it is worse."""
    return ("lower", "higher") if result.lower_is_better else ("higher", "lower")


def summary(result: DifferenceResult, said: Mapping[str, Any]) -> str:
    """Return one paragraph that reads well aloud."""
    value, along = result.titles[2], result.found.along
    low, high = _words(result)
    where = f"the {_axis(result)}" if along else "the area"
    ends = (rounded(said[f"{end}_{result.along}"], result.along) for end in ("first", "last"))
    steps = said_stretch(result.along, *ends)
    box = (
        steps
        if along
        else f"{steps} and {result.titles[1]} from {say(_short(said['lowest_y']))} to "
        f"{say(_short(said['highest_y']))}"
    )
    parts = [
        f"{value.capitalize()} of A minus that of B over {box}.",
        _who(result.sides),
        f"A has {low} {value} on {_per_cent(said['better'])} of {where} that both support, "
        f"{high} {value} on {_per_cent(said['worse'])}, and {_per_cent(said['undecided'])} is "
        f"undecided, counted on a logarithmic axis of {_axis(result)}.",
        f"The median difference there is {_signed(said, value)}.",
        ONE_RUN if said["one_run"] else "",
        CAPTION if not result.lower_is_better else "",
        left_out_sentence(result.along, _without_place(result)),
    ]
    return " ".join(part for part in parts if part)


def notes(result: DifferenceResult, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the rules used and what was left out, with counts."""
    found, value = result.found, result.titles[2]
    scale = (
        f"{value.capitalize()} is fitted on a logarithmic scale on both sides, so the difference "
        "is a ratio: it is drawn on a logarithmic axis with ticks in per cent of B."
        if found.log
        else f"{value.capitalize()} is not fitted on a logarithmic scale on both sides, so the "
        f"difference is in units of {value}."
    )
    area = (
        f"The shares count {_axis(result)} that are even on the logarithmic axis of the fit."
        if found.along
        else f"The shares count cells of a grid that is even on the axes of the fit "
        f"({_axis(result)} logarithmic), of which both sides support "
        f"{_per_cent(said['common_share'])}."
    )
    said_ = [
        scale,
        "Both sides are fitted together, as what they share and what each has of its own; the "
        f"band of the difference is widened {say(said['kappa'])} times. Undecided is where its "
        "95 % band holds zero, each point by itself; it is no test of the whole picture.",
        area,
        f"One side lies on one line, so the difference is a curve over {_over(result)}."
        if found.along
        else "",
        HISTORY if result.settings.get("rate") == "current" and not found.along else "",
        *(
            note
            for side, dropped in zip(result.sides, found.dropped, strict=True)
            for note in _left_out(result, side, dropped)
        ),
        *place_notes(
            result.along,
            _without_place(result),
            [pair for side in result.sides for pair in zip(side.runs, side.places, strict=True)],
        ),
        *unplaced_note(result.along, sum(side.unplaced for side in result.sides)),
    ]
    return tuple(note for note in said_ if note)


def _axis(result: DifferenceResult) -> str:
    return "steps" if result.along == "step" else result.titles[0]


def _over(result: DifferenceResult) -> str:
    return "the step" if result.along == "step" else result.titles[0]


def _without_place(result: DifferenceResult) -> LeftOut:
    return tuple(pair for side in result.sides for pair in side.left_out)


def _left_out(result: DifferenceResult, side: Side, dropped: Mapping[str, int]) -> list[str]:
    """Say which samples and runs of a side are not in the fit."""
    _, second, value = result.titles
    needed = (
        rated_loss(result.settings["rate"], result.along, "or")
        if result.lower_is_better
        else f"a {value} and a finite {second} {at_step(result.along)}"
    )
    without = (
        f"a {value} but no learning rate at the same step"
        if result.lower_is_better
        else f"a {value} but no finite {second}"
    )
    said = [f"{count(side.unjoined, 'row')} of {side.name} with {without} left out."]
    return [
        *(said if side.unjoined else []),
        *(
            f"{count(n, 'point')} of {side.name} {with_names(why, *result.titles)} left out."
            for why, n in dropped.items()
        ),
        *(
            [f"Left out of {side.name}, for want of {needed}: {listed(list(side.unused))}."]
            if side.unused
            else []
        ),
    ]


def table(result: DifferenceResult) -> pd.DataFrame:
    """Return one row per tenth of the first axis: both sides' medians and the shares."""
    found, value = result.found, result.titles[2]
    first, last = found.x[0], found.x[-1]
    place = np.minimum(((found.x - first) / (last - first) * 10).astype(int), 9)
    rows = []
    for tenth in np.unique(place):
        columns = place == tenth
        shown = found.shown[:, columns]
        if not shown.any():
            continue
        below, above, undecided = found.shares_of(columns)
        rows.append(
            {
                f"first {result.titles[0]}": rounded(found.x[columns][0], result.along),
                f"last {result.titles[0]}": rounded(found.x[columns][-1], result.along),
                f"median {value} of A": float(np.median(found.a[:, columns][shown])),
                f"median {value} of B": float(np.median(found.b[:, columns][shown])),
                "A lower": below,
                "A higher": above,
                "undecided": undecided,
            }
        )
    return pd.DataFrame(rows)


def _who(sides: tuple[Side, Side]) -> str:
    short = short_names([run for side in sides for run in side.runs])
    a, b = sides
    parts = ((a, short[: len(a.runs)]), (b, short[len(a.runs) :]))
    return " ".join(f"{side.name} is {_named(side, names)}." for side, names in parts)


def _named(side: Side, short: list[str]) -> str:
    runs = count(len(short), "run")
    if len(short) == 1:
        return side.runs[0]
    return f"{runs}: {listed(short)}" if side.title == runs else f"{side.title}, {runs}"


def _per_cent(share: float) -> Drawn:
    return f"{100 * share:.0f} %"


def _short(value: float) -> float:
    return float(f"{value:.2g}")


def _signed(said: Mapping[str, Any], value: str) -> str:
    size = float(f"{said['median_difference']:.3g}")
    if said["unit"] == "per cent of B":
        return f"{size:+g} % of B"
    return f"{size:+g} in {value}"
