"""nanochat's reports: scores per task and training stage, across runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from viz3d.errors import ChartError
from viz3d.figures import style
from viz3d.figures.chart import Chart, Words, assemble
from viz3d.figures.frame import Frame, span
from viz3d.figures.needs import as_runs
from viz3d.figures.provenance import origins
from viz3d.figures.surface_traces import color_scale
from viz3d.figures.text import Drawn, count, listed, safe, say, short_names, unique_names, wrapped
from viz3d.figures.tidy import stack
from viz3d.run import Report, Run

KIND = "report"
TITLE = "Report"
STAGES = ("base", "mid", "sft", "rl")
"""In training order; other stages follow."""

SUMMARIES = ("CORE", "ChatCORE")
"""Means over tasks, which come first."""

LIGHT = sample_colorscale(style.SEQUENTIAL, [0.45 + 0.055 * i for i in range(11)])
"""The light half of the scale, on which one dark text reads in every cell."""

TEXT = "#000000"
"""Contrast of 4.5 to 1 and more on all of `LIGHT`."""

ROW = 22
"""Pixels of height for each task."""


@dataclass(frozen=True)
class ReportResult:
    """Scores of all runs in one grid.

    Attributes
    ----------
    tasks : tuple of str, length t
    columns : tuple of (stage, run), length c
        By stage in training order, then by run; only stages that a run has scores for.
    scores : ndarray of float64, shape (t, c)
        NaN where a run has no score.
    without : tuple of str
        Runs without a report, or whose report holds no scores.
    settings, origins : as in every chart
    """

    tasks: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    scores: NDArray[np.float64]
    without: tuple[str, ...]
    settings: Mapping[str, Any]
    origins: tuple[Mapping[str, Any], ...]

    @property
    def frame(self) -> Frame:
        """Range of the scores, for the colours."""
        return Frame(color=span(self.scores))


def compute(runs: Run | Sequence[Run]) -> ReportResult:
    """Collect the scores of every run's report.

    Raises
    ------
    ChartError
        If no run has a report with scores.
    """
    chosen = as_runs(runs, TITLE)
    found = [(run, run.report) for run in chosen if run.report is not None and _stages(run.report)]
    if not found:
        raise ChartError(
            f"{TITLE} needs a nanochat report with scores, which none of the chosen runs has; "
            "choose a run whose folder holds report/report.md, which `python -m nanochat.report "
            "generate` writes at the end of a run."
        )
    names = unique_names([run.name for run, _ in found])
    reports = dict(zip(names, (report for _, report in found), strict=True))
    columns = tuple(
        (stage, name)
        for stage in _ordered(found)
        for name, report in reports.items()
        if stage in _stages(report)
    )
    used = {id(run) for run, _ in found}
    tasks = _tasks([report for _, report in found])
    scores = [
        [reports[run].tasks.get(task, {}).get(stage, np.nan) for stage, run in columns]
        for task in tasks
    ]
    return ReportResult(
        tasks=tasks,
        columns=columns,
        scores=np.array(scores, dtype=np.float64),
        without=tuple(run.name for run in chosen if id(run) not in used),
        settings={},
        origins=origins([run for run, _ in found]),
    )


def compute_each(groups: Sequence[Sequence[Run]]) -> list[ReportResult]:
    """Collect the scores of several groups, each by itself."""
    return [compute(group) for group in groups]


def draw_flat(result: ReportResult, frame: Frame | None = None) -> go.Figure:
    """Draw the grid as a heat map with its numbers; a missing score is an empty cell."""
    colors = (frame or result.frame).color or (0.0, 1.0)
    text = [["" if np.isnan(v) else say(float(v)) for v in row] for row in result.scores]
    cells = go.Heatmap(
        x=_columns(result),
        y=[safe(task, 34) for task in result.tasks],
        z=result.scores.astype(np.float32),
        text=text,
        texttemplate="%{text}",
        textfont={"size": 11, "color": TEXT},
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="%{y}<br>%{x}<br>score %{text}<extra></extra>",
        **{**color_scale(colors, "score", log=False, prefix="z", bar=True), "colorscale": LIGHT},
    )
    layout = style.flat_layout(
        TITLE,
        _subtitle(result),
        style.axis("", showgrid=False, tickangle=-45 if _several(result) else 0),
        style.axis("", autorange="reversed", showgrid=False),
    )
    return style.figure([cells], {**layout, "height": 230 + ROW * len(result.tasks)})


def finish(result: ReportResult, frame: Frame | None = None) -> Chart:
    """Put the grid, the table and the words together; there is no third axis to draw."""
    words = Words(_table(result), _summary(result), numbers(result), _notes(result))
    pictures = (draw_flat(result, frame),) * 2
    data = partial(_tidy, result)
    return assemble(KIND, TITLE, pictures, words, result.origins, result.settings, data)


def chart(runs: Run | Sequence[Run]) -> Chart:
    """Make the chart of reports; see `compute` for the error."""
    return finish(compute(runs))


def numbers(result: ReportResult) -> dict[str, Any]:
    """Return every score by run, stage and task."""
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for i, task in enumerate(result.tasks):
        for j, (stage, run) in enumerate(result.columns):
            if not np.isnan(result.scores[i, j]):
                value = float(result.scores[i, j])
                scores.setdefault(run, {}).setdefault(stage, {})[task] = value
    return {"scores": scores}


def _stages(report: Report) -> set[str]:
    return {stage for scores in report.tasks.values() for stage in scores}


def _ordered(found: Sequence[tuple[Run, Report]]) -> list[str]:
    seen = dict.fromkeys(stage for _, report in found for stage in report.stages)
    known = [stage for stage in STAGES if stage in seen]
    return known + [stage for stage in seen if stage not in STAGES]


def _tasks(reports: Sequence[Report]) -> tuple[str, ...]:
    """Summaries first, then tasks of several stages, then the rest, each as first met."""
    names = dict.fromkeys(task for report in reports for task in report.tasks)

    def rank(task: str) -> tuple[bool, bool]:
        several = max(len(report.tasks.get(task, {})) for report in reports) > 1
        return task not in SUMMARIES, not several

    return tuple(sorted(names, key=rank))


def _table(result: ReportResult) -> pd.DataFrame:
    columns = [f"{stage}: {run}" for stage, run in result.columns]
    table = pd.DataFrame(result.scores, columns=columns)
    table.insert(0, "task", list(result.tasks))
    return table


def _tidy(result: ReportResult) -> pd.DataFrame:
    """Return one row per score, for export."""
    stages = [stage for stage, _ in result.columns]
    runs = [run for _, run in result.columns]
    parts = [
        ("score", {"run": runs, "stage": stages, "task": task, "score": result.scores[i]})
        for i, task in enumerate(result.tasks)
    ]
    # A report holds finite scores alone: what is NaN here is a stage that did not run the task.
    return stack(parts).dropna(subset=["score"], ignore_index=True)


def _several(result: ReportResult) -> bool:
    return len({run for _, run in result.columns}) > 1


def _columns(result: ReportResult) -> list[Drawn] | list[list[Drawn]]:
    """Stages, and below them the runs where there are several."""
    stages = [safe(stage) for stage, _ in result.columns]
    runs = [safe(name, 14) for name in short_names([run for _, run in result.columns])]
    return [stages, runs] if _several(result) else stages


def _subtitle(result: ReportResult) -> Drawn:
    runs = len({run for _, run in result.columns})
    return wrapped(f"{count(runs, 'run')}, {count(len(result.tasks), 'task')}; empty: no score.")


def _summary(result: ReportResult) -> str:
    stages = list(dict.fromkeys(stage for stage, _ in result.columns))
    runs = len({run for _, run in result.columns})
    parts = [
        f"Scores of {count(runs, 'run')} on {count(len(result.tasks), 'task')} after the stages "
        f"{listed(stages)}."
    ]
    for i, task in enumerate(result.tasks):
        row = result.scores[i]
        if task not in SUMMARIES or np.isnan(row).all():
            continue
        best = int(np.nanargmax(row))
        stage, run = result.columns[best]
        parts.append(f"The highest {task} is {say(float(row[best]))}, of {run} after {stage}.")
    missing = int(np.isnan(result.scores).sum())
    if missing:
        parts.append(f"{missing:,} of {result.scores.size:,} cells have no score and stay empty.")
    return " ".join(parts)


def _notes(result: ReportResult) -> tuple[str, ...]:
    notes = ["Scores are as the reports print them; CORE and ChatCORE are centred on chance."]
    if result.without:
        notes.append(f"Without a report that holds scores: {listed(list(result.without))}.")
    return tuple(notes)
