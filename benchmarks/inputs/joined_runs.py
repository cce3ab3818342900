"""Several files of one run."""

# ruff: noqa: D401 - of an input the docstring says what it is
from __future__ import annotations

from itertools import count
from pathlib import Path

from benchmarks.inputs.csv_logs import csv_lines
from benchmarks.inputs.event_files import scalars
from benchmarks.inputs.jsonl_logs import dense
from benchmarks.inputs.writing import METRICS, drawn, fill, headed, rows


def joined(folder: Path, size: int) -> None:
    """A run folder of our own with four parts, each of them below every cap."""
    for at in range(4):
        fill(
            folder / f"run/metrics/part-{at + 1:05}.jsonl", size // 2, dense(count(at * 10_000_000))
        )
    (folder / "run/run.json").write_text('{"config": {}}')


def joined_50(folder: Path, size: int) -> None:
    """A run folder of 50 parts of other metrics and other steps."""
    for at in range(50):
        lines = rows(
            f'{{"step": %d, "metric_{at}": %.15g}}\n', lambda s: s, drawn, first=at * 10**7
        )
        fill(folder / f"run/metrics/part-{at + 1:05}.jsonl", size // 200, lines)
    (folder / "run/run.json").write_text('{"config": {}}')


def joined_formats(folder: Path, size: int) -> None:
    """Files of several formats that belong to one run, of other metrics and other steps."""
    fill(folder / "run/metrics.jsonl", size // 2, dense(count()))
    (folder / "run/run.json").write_text('{"config": {}}')
    names = ",".join(["step", *(f"other_{at}" for at in range(METRICS))]) + "\n"
    fill(folder / "run/log.csv", size // 2, headed(names, csv_lines(count(10**7))))
    fill(folder / "run/events.out.tfevents.1.host.1.0", size // 4, scalars(2 * 10**7, 12))
