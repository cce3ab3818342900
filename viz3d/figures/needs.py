"""What a chart needs of its runs, and what to say when it is not there."""

from __future__ import annotations

from collections.abc import Sequence

from viz3d.analysis.roles import peak_learning_rate
from viz3d.errors import ChartError, MissingMetric
from viz3d.figures.along import at_step, unplaced
from viz3d.figures.budget import MOST_RUNS
from viz3d.run import Run

RECORD = {
    "loss": "Record it with `viz3d.Recorder(path).log(step, loss=...)`.",
    "learning_rate": "Record it with `viz3d.Recorder(path).log(step, learning_rate=...)`, or give "
    "the peak rate as `config={'learning_rate': ...}`.",
    "reward": "Record it with `viz3d.Recorder(path).log(step, reward=...)`.",
    "layers": "Record them with `recorder = viz3d.Recorder(path)` and `recorder.watch(model)`.",
    "landscapes": "Measure one with `viz3d.landscape(model, loss_fn, batches)`.",
}
"""How to record what a role stands for, one sentence each."""

WORDS = {
    "loss": "a loss",
    "learning_rate": "a learning rate",
    "reward": "a reward",
    "layers": "per-layer gradient norms",
    "landscapes": "a landscape measured in weight space",
}
"""What a chart lacks when it lacks the role."""


def as_runs(runs: Run | Sequence[Run], chart: str) -> tuple[Run, ...]:
    """Return one or several runs as a tuple.

    Raises
    ------
    ChartError
        If there is no run, or more than a figure can hold.
    """
    chosen = (runs,) if isinstance(runs, Run) else tuple(runs)
    if not chosen:
        raise ChartError(f"{chart} was given no run; choose at least one.")
    if len(chosen) > MOST_RUNS:
        raise ChartError(
            f"{chart} was given {len(chosen):,} runs and takes at most {MOST_RUNS:,}; choose fewer."
        )
    return chosen


def having(runs: Sequence[Run], role: str, chart: str) -> tuple[Run, ...]:
    """Return the runs that logged the role, be it as NaN.

    Raises
    ------
    MissingMetric
        If none of them did.
    """
    found = tuple(run for run in runs if has_role(run, role))
    if not found:
        raise missing(runs, role, chart)
    return found


def has_role(run: Run, role: str) -> bool:
    """Whether the run logged at least one value for the role, be it NaN."""
    series = run.role(role)
    if series is None:
        return False
    bad = run.nonfinite
    return len(series) > 0 or (bad is not None and bool((bad["metric"] == run.roles[role]).any()))


def missing(runs: Sequence[Run], role: str, chart: str) -> MissingMetric:
    """Return the error that says what the chart needs, what there is, and how to record it."""
    return MissingMetric(chart, WORDS[role], _metrics(runs), RECORD[role])


def unrated(runs: Sequence[Run], rate: str, along: str, chart: str, *, lost: bool) -> ChartError:
    """Return the error that says why no run has a loss with a learning rate and a place.

    Parameters
    ----------
    runs : sequence of Run
    rate : {"current", "peak"}
    along : {"step", "tokens", "flops", "time"}
    chart : str
    lost : bool
        Whether some have both, but at steps without a place.
    """
    if lost:
        what = "a loss" if rate == "peak" else "a loss and a finite learning rate"
        return unplaced(what, along, chart)
    if not any(has_role(run, "learning_rate") or peak_learning_rate(run) for run in runs):
        return missing(runs, "learning_rate", chart)
    remedy = "Log both at once: `viz3d.Recorder(path).log(step, loss=..., learning_rate=...)`."
    return MissingMetric(chart, rated_loss(rate, along), _metrics(runs), remedy)


def rated_loss(rate: str, along: str, both: str = "and") -> str:
    """Say what a run needs over this learning rate; `both` is "or" where it is what a run lacks.

    The peak holds for a whole run, so only the loss has a step.
    """
    if rate == "current":
        return f"a loss and a finite learning rate {at_step(along)}"
    return f"a learning rate {both} a loss" + ("" if along == "step" else f" {at_step(along)}")


def _metrics(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(metric for run in runs for metric in run.metrics))
