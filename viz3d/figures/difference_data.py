"""The numbers of a difference: two groups of runs, fitted apart and subtracted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.curves import rate_axis, read_curve
from viz3d.analysis.difference import Difference, subtract
from viz3d.errors import BadArgument, ChartError
from viz3d.figures.frame import Range, span
from viz3d.figures.loss_data import RATE_TITLES
from viz3d.figures.needs import as_runs, having, missing
from viz3d.figures.provenance import origins
from viz3d.figures.reward_data import join, no_axis
from viz3d.figures.text import count, in_words, with_names
from viz3d.run import Run

KIND = "difference"
TITLE = "Difference A − B"
OF = ("loss-landscape", "reward-landscape")

WITHIN = 0.98
"""Share of the area over whose differences the colours run; what is larger has the last one."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One side of the difference.

    Attributes
    ----------
    name : str
        "A" or "B".
    title : str
        What the viewer calls it, else the run's name or the number of runs.
    runs, unused : tuple of str
        Names of the runs, and of those that lack a metric.
    x, y, z : ndarray, shape (n,)
        Samples of all runs: step, second axis and value.
    run : ndarray of int, shape (n,)
        Position of each sample's run in `runs`.
    """

    name: str
    title: str
    runs: tuple[str, ...]
    unused: tuple[str, ...]
    x: Floats
    y: Floats
    z: Floats
    run: NDArray[np.int64]


@dataclass(frozen=True)
class DifferenceResult:
    """Everything that the chart draws and says.

    Attributes
    ----------
    of : {"loss-landscape", "reward-landscape"}
        The surfaces that are subtracted.
    titles : tuple of str
        Names of the step, of the second axis and of the value.
    found : Difference
    sides : tuple of Side
        A, then B.
    settings : mapping
    origins : tuple of mapping
    """

    of: str
    titles: tuple[str, str, str]
    found: Difference
    sides: tuple[Side, Side]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, str], ...]

    @property
    def lower_is_better(self) -> bool:
        """Whether the better side is the lower one."""
        return self.of == "loss-landscape"

    def drawn(self, values: Floats) -> Floats:
        """Return differences as drawn: in per cent of B where they are logarithms of a ratio."""
        return 100 * np.expm1(values) if self.found.log else values


def compute(
    a: Run | Sequence[Run],
    b: Run | Sequence[Run],
    *,
    of: str = "loss-landscape",
    rate: str = "auto",
    strictness: str = "default",
    axis: str = "loss",
    names: tuple[str, str] | None = None,
) -> DifferenceResult:
    """Fit both sides and subtract B from A where both are supported.

    Parameters
    ----------
    a, b : Run or sequence of Run
    of : {"loss-landscape", "reward-landscape"}
        Which surfaces to subtract.
    rate : {"auto", "current", "peak"}
        The learning rate at each step, or its peak; the peak when a side is a sweep by itself.
    strictness : {"strict", "default", "loose"}
        How near the data and how sure a point of each surface must be.
    axis : str
        Second axis of a reward landscape.
    names : tuple of str, optional
        What to call the sides.

    Raises
    ------
    BadArgument
        If a run is on both sides.
    MissingMetric
        If a side lacks a metric.
    ChartError
        If nothing can be compared, or there is no difference of that kind.
    ValueError
        If another setting is none of its choices.
    """
    if of not in OF:
        raise ChartError(f"There is no difference of {of!r}; choose one of: {', '.join(OF)}.")
    groups = as_runs(a, TITLE), as_runs(b, TITLE)
    both = {_identity(run) for run in groups[0]} & {_identity(run) for run in groups[1]}
    if both:
        raise BadArgument(
            f"The run {min(both)[1]!r} is on both sides of the difference; leave it out of one."
        )
    loss = of == "loss-landscape"
    if loss:
        kind = "peak" if "peak" in {rate_axis(group, rate) for group in groups} else "current"
        titles = "step", RATE_TITLES[kind], "loss"
        settings: dict[str, Any] = {"rate": kind}
    else:
        kind = axis
        titles = "step", in_words(axis), "reward"
        settings = {"axis": axis}
    read = _losses if loss else _rewards
    said = names or (_title(groups[0]), _title(groups[1]))
    sides = tuple(
        read(group, kind, name, title)
        for group, name, title in zip(groups, "AB", said, strict=True)
    )
    first, second = sides
    found = _subtract(sides, strictness, loss=loss)
    if found.reason:
        raise ChartError(
            f"{TITLE} has nothing to draw. {with_names(found.reason, *titles)} Choose runs that "
            "share steps and learning rates."
        )
    used = {name for side in sides for name in side.runs}
    return DifferenceResult(
        of=of,
        titles=titles,
        found=found,
        sides=(first, second),
        settings={
            "of": of,
            **settings,
            "strictness": strictness,
            "a": list(first.runs),
            "b": list(second.runs),
        },
        origins=origins([run for group in groups for run in group if run.name in used]),
    )


def ends(result: DifferenceResult) -> Range:
    """Return the range of the drawn difference, which holds zero."""
    low, high = span(result.drawn(result.found.d), [0.0]) or (0.0, 1.0)
    return (low, high) if high > low else (-1.0, 1.0)


def color_range(result: DifferenceResult) -> Range:
    """Return the ends of the colour scale, as far from zero on both sides."""
    drawn = result.drawn(result.found.d)
    most = float(np.quantile(np.abs(drawn[np.isfinite(drawn)]), WITHIN)) or 1.0
    return -most, most


def _identity(run: Run) -> tuple[str, str, str]:
    return run.source, run.name, run.digest


def _title(runs: Sequence[Run]) -> str:
    return runs[0].name if len(runs) == 1 else count(len(runs), "run")


def _losses(runs: Sequence[Run], kind: str, name: str, title: str) -> Side:
    where = f"Side {name} of {TITLE}"
    pairs = [(run, read_curve(run, kind)) for run in having(runs, "loss", where)]
    found = [(run.name, c.step, c.rate, c.loss) for run, c in pairs if c is not None]
    if not any(len(step) for _, step, _, _ in found):
        raise missing(runs, "learning_rate", where)
    return _side(name, title, runs, found)


def _rewards(runs: Sequence[Run], kind: str, name: str, title: str) -> Side:
    rewarded = having(runs, "reward", f"Side {name} of {TITLE}")
    pairs = [(run, join(run, kind)) for run in rewarded]
    found = [
        (run.name, rows.index.to_numpy(), rows["other"].to_numpy(), rows["reward"].to_numpy())
        for run, rows in pairs
        if rows is not None
    ]
    if not any(len(step) for _, step, _, _ in found):
        raise no_axis(rewarded, kind)
    return _side(name, title, runs, found)


def _side(name: str, title: str, runs: Sequence[Run], found: Sequence[tuple[Any, ...]]) -> Side:
    found = [columns for columns in found if len(columns[1])]
    names = tuple(columns[0] for columns in found)
    x, y, z = (np.concatenate([c[i] for c in found]).astype(np.float64) for i in (1, 2, 3))
    run = np.repeat(np.arange(len(found)), [len(columns[1]) for columns in found])
    unused = tuple(run.name for run in runs if run.name not in names)
    return Side(name, title, names, unused, x, y, z, run)


def _subtract(sides: Sequence[Side], strictness: str, *, loss: bool) -> Difference:
    return subtract(
        *((side.x, side.y, side.z, side.run) for side in sides),
        y_scale="log" if loss else "linear",
        z_scale="auto" if loss else "linear",
        strictness=strictness,
    )
