"""Charts to Weights & Biases: into a new run or an existing one, online or into a folder."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import BadArgument
from viz3d.export.wandb.check import PROJECT, check_export, hide_key, run_name
from viz3d.export.wandb.faults import cause, is_local, logged_errors
from viz3d.export.wandb.files import Made, last_step, make_files
from viz3d.export.wandb.outcome import WandbExport
from viz3d.export.wandb.process import carry_out
from viz3d.settings import Settings

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.run import Run

START, INIT, FINISH = 120.0, 20.0, 120.0
"""Seconds: to start the library, until W&B has opened the run, until everything has arrived."""

Tell = Callable[[str], None]


def export_charts(
    charts: Sequence[Chart],
    runs: Sequence[Run],
    settings: Settings,
    *,
    project: str = "",
    entity: str = "",
    run_id: str = "",
    mode: str = "",
    step: int | None = None,
    final: bool = False,
    tell: Tell = lambda _: None,
) -> WandbExport:
    """Log charts to one W&B run, each with an image and an offline page beside it.

    Parameters
    ----------
    charts : sequence of Chart
        Of different kinds.
    runs : sequence of Run
        Those the charts were made of; they say the step, and give a new run its name.
    settings : Settings
        Key and defaults of W&B.
    project, entity : str
        By default those of the settings, then ``"viz3d"`` and the one W&B chooses.
    run_id : str
        An existing run to log into; a new one is made where it does not exist.
    mode : {"", "online", "offline"}
        By default that of the settings, else online.
    step : int, optional
        Training step; by default, for each chart, the last step of its runs.
    final : bool
        Whether the keys are ``final/3d/...`` in place of ``3d/...``.
    tell : callable
        Called with a sentence about what is being done.

    Returns
    -------
    WandbExport
        With ``failed`` set where W&B could not be reached or did not take everything. What was
        made is then in its ``folder``.

    Raises
    ------
    BadArgument
        If a name is one that W&B does not accept, or there is nothing to log.
    ExportError
        If there is no key, W&B is switched off, or a file of a chart cannot be written.
    """
    mode = check_export(settings, project=project, entity=entity, run_id=run_id, mode=mode)
    project = project or settings.wandb_project or PROJECT
    entity = entity or settings.wandb_entity
    if not charts:
        raise BadArgument("There is no chart to log to W&B; choose at least one.")
    steps = [last_step(chart, runs) if step is None else step for chart in charts]
    with tempfile.TemporaryDirectory(prefix="viz3d-") as folder:
        made = []
        for chart, at in zip(charts, steps, strict=True):
            tell(f"Drawing {chart.title} at step {at:,}")
            made.append(make_files(chart, at, Path(folder), final=final))
        name = "" if run_id else run_name([run.name for run in runs] or [charts[0].title])
        to = WandbExport(mode, project, entity, run_id, resumes=bool(run_id))
        tell(f"Sending to W&B as {project}" if mode == "online" else "Writing W&B's files")
        done = _send(made, to, name, settings)
        if mode == "online" and done.failed and not done.folder:
            tell("Keeping the charts in a folder")
            kept = _send(made, replace(to, mode="offline"), name, settings)
            why = dict.fromkeys(filter(None, (done.failed, kept.failed)))
            done = replace(kept, failed=" ".join(why))
    return replace(done, notes=tuple(note for part in made for note in part.notes))


def _send(made: Sequence[Made], to: WandbExport, name: str, settings: Settings) -> WandbExport:
    """Log files in a process of W&B's own and gather what it reports."""
    online = to.mode == "online"
    job = {
        "project": to.project,
        "entity": to.entity or None,
        "id": to.run_id or None,
        "name": name or None,
        "mode": to.mode,
        "dir": os.environ.get("WANDB_DIR") or str(Path.cwd()),
        "key": settings.wandb_api_key if online else "",
        "init": INIT * settings.patience,
        "finish": FINISH * settings.patience,
        "made": [asdict(part) for part in made],
    }
    seconds = START + (INIT + FINISH) * settings.patience
    done, trouble, arrived = to, [], False
    for event in carry_out(job, seconds):
        what = event.pop("event")
        if what == "opened":
            done = replace(done, **event)
        elif what == "logged":
            done = replace(done, logged=(*done.logged, (event["key"], event["step"])))
        elif what == "present":
            done = replace(done, present=(*done.present, (event["key"], event["step"])))
        elif what == "arrived":
            arrived = True
        elif not arrived:  # what fails afterwards concerns no chart
            trouble.append(event["what"])
    return closed(done, trouble, settings.wandb_api_key)


def closed(done: WandbExport, trouble: list[str], key: str) -> WandbExport:
    """Say how it ended: where the files are, and what did not arrive.

    Files that arrived, and those that were torn, are removed.

    Parameters
    ----------
    done : WandbExport
        As far as it came, with its ``folder``.
    trouble : list of str
        What the library said went wrong.
    key : str
        Not to be shown.
    """
    folder = Path(done.folder) if done.folder else None
    if folder and done.mode == "online":
        trouble = [*trouble, *logged_errors(folder)]
    failed = cause(hide_key("\n".join(trouble), key)) if trouble else ""
    if folder and done.mode == "online" and not failed:
        shutil.rmtree(folder, ignore_errors=True)  # all of it is at W&B
        return replace(done, folder="")
    if folder and is_local("\n".join(trouble)):
        shutil.rmtree(folder, ignore_errors=True)  # half a chart is none
        return replace(done, folder="", logged=(), failed=failed)
    # Without the option the library passes over what was begun online.
    how = "wandb sync --include-online" if done.mode == "online" else "wandb sync"
    sync = f"{how} {shlex.quote(done.folder)}" if folder else ""
    return replace(done, failed=failed, sync=sync)
