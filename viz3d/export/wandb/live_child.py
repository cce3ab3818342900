"""What the process of `viz3d.export.wandb.live` does: draw what was recorded, and send it.

Its standard input is a job and then a line for each step at which charts are wanted. It ends when
that ends, also because the training process is gone.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from viz3d.errors import Viz3dError
from viz3d.export.files import write_bytes
from viz3d.export.page import to_html
from viz3d.export.wandb.check import hide_key
from viz3d.export.wandb.child import open_run, text_of
from viz3d.export.wandb.faults import cause
from viz3d.export.wandb.files import chart_key
from viz3d.export.wandb.kinds import MadeCharts, make_charts
from viz3d.export.wandb.live import size_of
from viz3d.export.wandb.log import log_charts
from viz3d.export.wandb.outcome import WandbExport
from viz3d.export.wandb.send import closed
from viz3d.load import load_run

Tell = Callable[[str], None]


def main() -> None:
    """Follow a record to its end."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace") as out:
        os.dup2(2, 1)  # what is no sentence of ours is no result
        logging.disable()  # libraries that draw log what they get over; what fails is raised
        job = json.loads(sys.stdin.readline())
        follower = Follower(job, partial(print, file=out, flush=True))
        for line in sys.stdin:
            follower.follow(json.loads(line))
        follower.finish()


def warn(text: str) -> None:
    """Print a sentence on standard error."""
    print(text, file=sys.stderr, flush=True)


class Follower:
    """Hands a record on, step by step.

    Parameters
    ----------
    job : mapping
        As `viz3d.export.wandb.live` makes it.
    tell : callable
        Called with what was done.
    """

    def __init__(self, job: Mapping[str, Any], tell: Tell) -> None:
        self._job, self._tell = job, tell
        self._path = Path(job["path"])
        self._sent, self._time = 0, 0.0
        self._said: set[str] = set()
        self._run: Any = None
        try:
            if job["mode"]:
                run = open_run(job)
                run.config.update(self._config())
                self._run = run
        except Exception as error:  # the charts are worth having without W&B
            place = Path(job["shown"], "charts")
            warn(f"{self._cause(error)} The charts are saved in {place}.")
        if self._run and job["mode"] == "online":
            tell(f"W&B run: {self._run.url}")

    def follow(self, order: Mapping[str, Any]) -> None:
        """Send the rows up to a step, and draw the charts of it."""
        step, final = order["step"], order["final"]
        self._tell(f"Generating 3D visualizations at step {step}...")
        try:
            if self._run:
                self._send_rows(order["sizes"]["metrics.jsonl"])
            made = self._charts(order["sizes"])
            if self._run:
                notes = log_charts(self._run, made.charts, step, final=final, beside=final)
                self._say(notes)
                self._tell(f"Logged {len(made.charts)} 3D visualizations to W&B")
            else:
                place = self._save(made, final=final)
                self._tell(f"Saved {len(made.charts)} 3D visualizations to {place}")
        except Exception as error:  # the next step is another try
            said = str(error) if isinstance(error, Viz3dError) else self._cause(error)
            warn(f"The charts of step {step} are not there: {said}")

    def finish(self) -> None:
        """Send the last rows, and say where everything is."""
        if not self._run:
            return
        job, run = self._job, self._run
        folder = str(Path(run.dir).parent)
        done = WandbExport(job["mode"], job["project"], job["entity"] or "", run.id, folder=folder)
        trouble = []
        try:
            self._send_rows(size_of(self._path / "metrics.jsonl"))
            run.finish()
        except Exception as error:
            trouble.append(text_of(error))
        done = closed(done, trouble, job["key"])
        if done.failed:
            warn(done.failed)
        if done.sync:
            self._tell(f"W&B's files are in {done.folder}. Send them with: {done.sync}")

    def _config(self) -> dict[str, Any]:
        about = json.loads((self._path / "run.json").read_text("utf-8"))
        return dict(about["config"])

    def _send_rows(self, size: int) -> None:
        """Send the rows up to a place, those of a step as one: W&B takes no step that lies back."""
        steps: dict[int, dict[str, Any]] = {}
        for row in _rows(self._path / "metrics.jsonl", self._sent, size) if size else ():
            steps.setdefault(row.pop("step"), {}).update(row)
        if any(step < self._run.step for step in steps):
            self._say(("W&B takes no value of an earlier step; what came late is in the record.",))
        for step in sorted(step for step in steps if step >= self._run.step):
            row = steps[step]
            # A step that was sent and gets a late value keeps its time: W&B would set that of now.
            row["_timestamp"] = self._time = row.pop("time", self._time)
            self._run.log(row, step=step)
        self._sent = size

    def _charts(self, sizes: Mapping[str, int]) -> MadeCharts:
        """Make the charts of the record as it was when it had these sizes."""
        with tempfile.TemporaryDirectory(prefix="viz3d-") as scratch:
            copy = Path(scratch, self._path.parent.name or "runs", self._path.name)
            copy.mkdir(parents=True)
            shutil.copyfile(self._path / "run.json", copy / "run.json")
            for name, size in sizes.items():
                if size:
                    (copy / name).write_bytes(_begin(self._path / name, size))
            made = make_charts([load_run(copy)])
        self._say(made.skipped)
        return made

    def _save(self, made: MadeCharts, *, final: bool) -> Path:
        """Write a page for each chart, over that of the step before."""
        for chart in made.charts:
            file = self._path / "charts" / f"{chart_key(chart.kind, final=final)}.html"
            file.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(to_html(chart), file)
        return Path(self._job["shown"], "charts", "final/3d" if final else "3d")

    def _say(self, sentences: tuple[str, ...]) -> None:
        """Warn of each thing once, not at every step."""
        for sentence in sentences:
            same = sentence.partition("(")[0]  # what stands in brackets grows with the record
            if same not in self._said:
                warn(sentence)
            self._said.add(same)

    def _cause(self, error: Exception) -> str:
        return cause(hide_key(text_of(error), self._job["key"]))


def _begin(file: Path, size: int) -> bytes:
    with file.open("rb") as opened:
        return opened.read(size)


def _rows(file: Path, begin: int, end: int) -> Iterator[dict[str, Any]]:
    """Yield the rows between two places of a record."""
    with file.open("rb") as opened:
        opened.seek(begin)
        for line in opened.read(end - begin).splitlines():
            with suppress(ValueError):
                yield json.loads(line)


if __name__ == "__main__":
    main()
