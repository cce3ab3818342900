"""Along what a chart lays its runs, in words, hover labels and the names of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.alignment import AXES, Alignment, align
from viz3d.errors import BadArgument, ChartError
from viz3d.figures.text import Drawn, count, in_words, listed, say
from viz3d.run import Run

Placed = list[tuple[Run, Alignment]]
LeftOut = tuple[tuple[str, str], ...]
"""Names of runs without a place, each with the reason."""


def check_along(along: str) -> None:
    """Raise `BadArgument` if there is no such axis."""
    if along not in AXES:
        raise BadArgument(f"There is no axis {along!r}; choose one of: {', '.join(AXES)}.")


def place_runs(runs: Sequence[Run], along: str, metric: str) -> tuple[Placed, LeftOut]:
    """Place runs on an axis.

    Parameters
    ----------
    runs : sequence of Run
    along : {"step", "tokens", "flops", "time"}
    metric : str
        What is drawn along it, for the message.

    Returns
    -------
    placed : list of (Run, Alignment)
    left_out : tuple of (str, str)

    Raises
    ------
    BadArgument
        If there is no such axis.
    ChartError
        If none of the runs has a place on it.
    """
    check_along(along)
    found = [(run, align(run, along)) for run in runs]
    left_out = tuple((run.name, places.reason) for run, places in found if places.reason)
    if len(left_out) == len(found):
        raise nowhere(along, metric, left_out)
    return [(run, places) for run, places in found if not places.reason], left_out


def on_axis(runs: Sequence[Run], along: str) -> list[Run]:
    """Return the runs that have a place on the axis; `BadArgument` if there is no such axis."""
    check_along(along)
    return [run for run in runs if not align(run, along).reason]


def nowhere(along: str, metric: str, left_out: LeftOut, lacks: str = "") -> ChartError:
    """Return the error that says why no run is on the axis."""
    why = " ".join(f"{name}: {reason}" for name, reason in left_out[:3])
    return ChartError(
        f"No chosen run has {in_words(metric)} along {AXES[along]}. {why} Choose another axis, "
        f"or record it with `viz3d.Recorder(path).log(step, {lacks or along}=...)`."
    )


def unplaced(what: str, along: str, chart: str = "") -> ChartError:
    """Return the error that says that no step with these values has a place on the axis."""
    return ChartError(
        (f"{chart} has nothing to draw. " if chart else "")
        + f"At no step with {what} was the place along {AXES[along]} logged. Choose another axis, "
        "or log it at those steps."
    )


def at_step(along: str) -> str:
    """Say at which step values must stand together: one, with its place if that is another."""
    if along == "step":
        return "at the same step"
    return f"at a step whose place along {AXES[along]} was logged"


def x_format(along: str) -> Drawn:
    """Return how a hover label says a place."""
    return ",.0f" if along == "step" else ".4~s"


def place_hover(along: str, step: Drawn) -> Drawn:
    """Return the line of a hover label that says where a point lies.

    Parameters
    ----------
    along : str
    step : str
        Where the label finds the step, such as ``"customdata"``; along the step it is x.
    """
    own = "" if along == "step" else f"<br>step %{{{step}:,d}}"
    return x_hover(along) + own


def x_hover(along: str) -> Drawn:
    """Return the same without the step, where each point stands for several of them."""
    return f"{AXES[along]} %{{x:{',d' if along == 'step' else x_format(along)}}}"


def said_place(along: str, x: float) -> Drawn:
    """Say one place: ``step 100``, ``1,000 tokens``, ``12.5 s``."""
    if along == "step":
        return f"step {say(x)}"
    return f"{say(x)} s" if along == "time" else f"{say(x)} {AXES[along]}"


def said_stretch(along: str, first: float, last: float) -> Drawn:
    """Say a range: ``steps 0 to 100``, ``step 5``, ``0 to 1,000 tokens``."""
    if first == last:
        return said_place(along, first)
    if along == "step":
        return f"steps {say(first)} to {say(last)}"
    return f"{say(first)} to {said_place(along, last)}"


def ends(along: str, first: float, last: float) -> dict[str, float]:
    """Return the numbers of a summary that say how far runs reach, where that is no step."""
    if along == "step":
        return {}
    return {f"first_{along}": float(first), f"last_{along}": float(last)}


def said_reach(along: str, said: Mapping[str, Any]) -> Drawn:
    """Say how far runs reach, from the numbers of a summary: with the steps in any case."""
    steps = said_stretch("step", said["first_step"], said["last_step"])
    if along == "step":
        return steps
    return f"{said_stretch(along, said[f'first_{along}'], said[f'last_{along}'])} ({steps})"


def left_out_sentence(along: str, left_out: LeftOut) -> str:
    """Name the runs without a place, for a summary; empty where there are none."""
    names = [name for name, _ in left_out]
    return f"Left out, for want of a place along {AXES[along]}: {listed(names)}." if names else ""


def left_out_brief(along: str, left_out: LeftOut) -> Drawn:
    """Count the runs without a place, for a subtitle; empty where there are none."""
    if not left_out:
        return ""
    return f" {count(len(left_out), 'run')} without a place along {AXES[along]} left out."


def beside_step(along: str, values: Any) -> dict[str, Any]:
    """Return the column of places that stands beside that of the steps; along those none does."""
    return {} if along == "step" else {along: values}


def reached(along: str, x: NDArray[np.float64], places: Alignment) -> dict[str, Any]:
    """Return the columns of a run's row in a table: how far it came, from which metric."""
    if along == "step":
        return {}
    return {f"last {AXES[along]}": float(x[-1]), "from": place_source(places)}


def rounded(x: float, along: str) -> float:
    """Round a place of a grid: steps are whole, of all else six digits are enough."""
    return round(x) if along == "step" else float(f"{x:.6g}")


def place_source(places: Alignment) -> str:
    """Say what the places of a run are from: a metric, or what its config states."""
    return places.metric or places.said or "step"


def place_notes(along: str, left_out: LeftOut, had: Sequence[tuple[str, Alignment]]) -> list[str]:
    """Say which runs have no place and why, and how the places of the others were had.

    Parameters
    ----------
    along : str
    left_out : tuple of (str, str)
    had : sequence of (str, Alignment)
        The runs that are drawn.
    """
    said = [f"{name} was left out. {why}" for name, why in left_out]
    by_source: dict[str, list[str]] = {}
    for name, places in had:
        if places.said:
            where = f"{places.metric} ({places.said})" if places.metric else places.said
            by_source.setdefault(where, []).append(name)
    axis = AXES[along]
    called = axis[0].upper() + axis[1:]
    return said + [f"{called} of {listed(runs)}: {where}." for where, runs in by_source.items()]


def unplaced_note(along: str, n: int, noun: Drawn = "row") -> list[str]:
    """Count what lies at steps whose place was not logged; nothing where all were."""
    if not n:
        return []
    return [f"{count(n, noun)} at steps whose place along {AXES[along]} was not logged left out."]
