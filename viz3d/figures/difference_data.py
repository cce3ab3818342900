"""The numbers of a difference: two groups of runs, fitted and subtracted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz3d.analysis.alignment import AXES
from viz3d.analysis.curves import rate_axis
from viz3d.analysis.difference import Difference, subtract
from viz3d.errors import BadArgument, ChartError
from viz3d.figures.along import on_axis
from viz3d.figures.difference_sides import (
    TITLE,
    Side,
    put_together,
    read_losses,
    read_rewards,
)
from viz3d.figures.frame import Range, span
from viz3d.figures.kinds import SURFACES
from viz3d.figures.loss_data import RATE_TITLES
from viz3d.figures.needs import as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.text import count, in_words, with_names
from viz3d.run import Run

KIND = "difference"
OF = SURFACES

WITHIN = 0.98
"""Share of the area over whose differences the colours run; what is larger has the last one."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DifferenceResult:
    """Everything that the chart draws and says.

    Attributes
    ----------
    of : {"loss-landscape", "reward-landscape"}
        The surfaces that are subtracted.
    along : {"step", "tokens", "flops", "time"}
        What the first axis is.
    titles : tuple of str
        Names of the first axis, of the second one and of the value.
    found : Difference
    sides : tuple of Side
        A, then B.
    settings : mapping
    origins : tuple of mapping
    """

    of: str
    along: str
    titles: tuple[str, str, str]
    found: Difference
    sides: tuple[Side, Side]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]

    @property
    def lower_is_better(self) -> bool:
        """Whether the better side is the lower one."""
        return self.of == "loss-landscape"

    @property
    def log_y(self) -> bool:
        """Whether the second axis is logarithmic, being a learning rate."""
        return self.of == "loss-landscape"

    def drawn(self, values: Floats) -> Floats:
        """Return differences as drawn: the ratio A / B where they are logarithms of it."""
        return np.exp(values) if self.found.log else values

    def told(self, values: Floats) -> Floats:
        """Return differences as told: in per cent of B where they are logarithms of a ratio."""
        return 100 * np.expm1(values) if self.found.log else values


def compute(
    a: Run | Sequence[Run],
    b: Run | Sequence[Run],
    *,
    of: str = "loss-landscape",
    rate: str = "auto",
    strictness: str = "default",
    against: str = "loss",
    along: str = "step",
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
    against : str
        Role or metric for the second axis of a reward landscape.
    along : {"step", "tokens", "flops", "time"}
        What the first axis is; runs that did not log it are left out.
    names : tuple of str, optional
        What to call the sides.

    Raises
    ------
    BadArgument
        If a run is on both sides, or there is no such axis.
    MissingMetric
        If a side lacks a metric.
    ChartError
        If nothing can be compared, a side has no place along the axis, or there is no difference
        of that kind.
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
    placed = [some for group in groups if (some := on_axis(group, along))]
    loss = of == "loss-landscape"
    if loss:
        kind = "peak" if "peak" in {rate_axis(some, rate) for some in placed} else "current"
        titles = AXES[along], RATE_TITLES[kind], "loss"
        settings: dict[str, Any] = {"rate": kind}
    else:
        kind = against
        titles = AXES[along], in_words(against), "reward"
        settings = {"against": against}
    read = read_losses if loss else read_rewards
    said = names or (_title(groups[0]), _title(groups[1]))
    rows = [read(group, kind, name, along) for group, name in zip(groups, "AB", strict=True)]
    first, second = sides = tuple(
        put_together(name, title, group, own, along)
        for name, title, group, own in zip("AB", said, groups, rows, strict=True)
    )
    found = _subtract(sides, strictness, loss=loss)
    if found.reason:
        raise ChartError(
            f"{TITLE} has nothing to draw. {with_names(found.reason, *titles)} Choose runs whose "
            f"{'steps' if along == 'step' else titles[0]} and {titles[1]} overlap."
        )
    return DifferenceResult(
        of=of,
        along=along,
        titles=titles,
        found=found,
        sides=(first, second),
        settings={
            "of": of,
            **settings,
            "strictness": strictness,
            "along": along,
            "a": list(first.runs),
            "b": list(second.runs),
        },
        origins=origins([one.run for own in rows for one in own]),
    )


def ends(result: DifferenceResult) -> Range:
    """Return the range of the difference, which holds zero, as drawn."""
    low, high = span(result.found.d, [0.0]) or (0.0, 0.0)
    return _drawn(result, (low, high) if high > low else (-1.0, 1.0))


def color_range(result: DifferenceResult) -> Range:
    """Return the ends of the colour scale, as far from zero on both sides, as drawn."""
    d = result.found.d
    most = float(np.quantile(np.abs(d[np.isfinite(d)]), WITHIN)) or 1.0
    return _drawn(result, (-most, most))


def _drawn(result: DifferenceResult, ends: Range) -> Range:
    low, high = result.drawn(np.array(ends))
    return float(low), float(high)


def _identity(run: Run) -> tuple[str, str, str]:
    return run.source, run.name, run.digest


def _title(runs: Sequence[Run]) -> str:
    return runs[0].name if len(runs) == 1 else count(len(runs), "run")


def _subtract(sides: Sequence[Side], strictness: str, *, loss: bool) -> Difference:
    return subtract(
        *((side.x, side.y, side.z, side.run) for side in sides),
        y_scale="log" if loss else "linear",
        z_scale="auto" if loss else "linear",
        strictness=strictness,
    )
