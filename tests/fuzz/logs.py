"""Logs with known content, and what has to be read of them, worked out row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import strategies as st

Record = tuple[int, dict[str, float | None]]
"""Step, and what was logged there; None is a gap. The first metric stands in every record."""
Cells = dict[tuple[int, str], float | str]

ODD_NAMES = (
    "train/loss", "reward 🏆", "损失", "a.b.c", "__proto__", "constructor", "$x^2$", "<b>x</b>",
    "%{x}", "{n}", "{a|b}", "loss (2)", "=1+1", "nan", "lr", "Loss", "x\u202ey", "val\tacc", "Σ|x|",
    "'quoted'", "semi;colon", "a - b", "caf\u0065\u0301", "[0]", "\\n", "#", "-", "None",
)  # fmt: skip
# What names have around them is no part of them, and a long one is cut: some become one by it.
ALIKE_NAMES = ("loss", "loss ", "\tloss", "m" * 250 + "/a", "m" * 250 + "/b")
PLAIN_NAMES = ("loss", "lr", "val_bpb", "norm", "tokens", "mfu", "x1")
NUMBERS = (
    st.floats(width=64)
    | st.floats(-10, 10)
    | st.sampled_from([0.0, -0.0, 1e-320, 1.7976931348623157e308, 3e-4])
)
WHOLE = st.integers(-(2**63), 2**63 - 1)
FLOATS = NUMBERS | WHOLE | st.integers(-9, 9)
SINGLES = st.floats(width=32)
STEPS = st.integers(0, 40) | st.integers(0, 10**14)


@st.composite
def logs(
    draw: st.DrawFn,
    names: Sequence[str] = ODD_NAMES,
    values: st.SearchStrategy[float] = FLOATS,
    *,
    restarts: bool = True,
    again: bool = True,
    alike: bool = False,
    first: str = "",
) -> list[Record]:
    """Return a log: steps with gaps, some twice, and sent back by restarts.

    A restart sends every metric back at once, to beyond the first step, and each attempt has two
    records at least: less cannot be told from a log without order, or from another run.

    Parameters
    ----------
    names : sequence of str
    values : strategy
    restarts : bool
    again : bool
        False where a step may not be logged twice.
    alike : bool
        True where two metrics may be called alike.
    first : str
        Name of the metric that stands in every record; by default any.
    """
    few, chosen = (2, ALIKE_NAMES) if alike and draw(st.integers(0, 4)) == 4 else (1, names)
    metrics = draw(st.lists(st.sampled_from(chosen), min_size=few, max_size=3, unique=True))
    metrics = [first, *metrics] if first else metrics
    attempts = draw(st.integers(1, 3)) if restarts else 1
    records: list[Record] = []
    for attempt in range(attempts):
        top = max((step for step, _ in records), default=0)
        low = records[0][0] + 1 if records else 0
        step = draw(st.integers(low, top)) if attempt and low < top else top + 1
        for row in range(draw(st.integers(2, 4))):
            every = (
                draw(values),
                *(draw(st.none() | values if row else values) for _ in metrics[1:]),
            )
            records.append((step, dict(zip(metrics, every, strict=True))))
            twice = again and len(records) > 1 and draw(st.integers(0, 4)) == 0
            step += 0 if twice else 1 + draw(st.sampled_from([0, 0, 0, 1, 9, 10**6]))
    return records


def cells_of(records: Sequence[Record]) -> tuple[Cells, list[int]]:
    """Join records on the step.

    Of a step the last value of a metric counts. A record whose step is lower than one that stands
    begins an attempt, which supersedes what stands at its step or beyond.

    Returns
    -------
    cells : dict of {(step, metric): value}
        NaN is the text ``"nan"``, so that it equals itself.
    superseded : list of int
        Steps of the records that do not stand, in the order of the log.
    """
    standing: list[tuple[int, Record]] = []
    gone: list[tuple[int, int]] = []
    for at, (step, values) in enumerate(records):
        if any(step < other for _, (other, _) in standing):
            gone += [(row, other) for row, (other, _) in standing if other >= step]
            standing = [kept for kept in standing if kept[1][0] < step]
        standing.append((at, (step, values)))
    cells: Cells = {}
    for _, (step, values) in standing:
        cells |= {
            (step, metric): _known(value) for metric, value in values.items() if value is not None
        }
    return cells, [step for _, step in sorted(gone)]


def _known(value: float) -> float | str:
    return "nan" if math.isnan(value) else float(value)
