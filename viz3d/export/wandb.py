"""Charts to Weights & Biases: into a new run or an existing one, online or into a folder."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.errors import BadArgument, ExportError
from viz3d.export.wandb_faults import cause, logged_errors
from viz3d.export.wandb_files import Made, last_step, make_files
from viz3d.export.wandb_key import NO_KEY, hide_key, whose_key
from viz3d.export.wandb_names import PROJECT, STEP, check_names, run_name
from viz3d.export.wandb_process import carry_out
from viz3d.settings import Settings
from viz3d.version import __version__

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart
    from viz3d.run import Run

MODES = {"online": "online", "run": "online", "offline": "offline", "dryrun": "offline"}
"""The values of ``WANDB_MODE`` and what each means."""

START, INIT, FINISH = 120.0, 20.0, 120.0
"""Seconds: to start the library, until W&B has opened the run, until everything has arrived."""

RUNS = "*wandb/run-*"
"""Where the library keeps the files of online runs, in ``WANDB_DIR``."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class WandbExport:
    """What became of an export.

    Attributes
    ----------
    mode : str
        ``"online"`` or ``"offline"``; offline too where what should have gone online was kept.
    project, entity, run_id : str
        The entity is empty where W&B chooses it and has not been asked.
    url : str
        Of the run at W&B; empty offline.
    new : bool or None
        Whether the run was made by this export; None where that cannot be known (offline).
    folder : str
        Where W&B's files of the run lie; empty when all arrived and they were removed.
    sync : str
        The command that sends the folder; empty where there is none.
    logged : tuple of (key, step)
        One for each file, such as ``("3d/loss_landscape_image", 60)``.
    present : tuple of (key, step)
        Charts that the run has already, the same figure at the same step; not logged again.
    notes : tuple of str
        What was rounded or left out.
    failed : str
        Why not all of it arrived; empty when it did.
    resumes : bool
        Whether an existing run was named.
    """

    mode: str
    project: str
    entity: str
    run_id: str = ""
    url: str = ""
    new: bool | None = None
    folder: str = ""
    sync: str = ""
    logged: tuple[tuple[str, int], ...] = ()
    present: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = field(default=())
    failed: str = ""
    resumes: bool = False


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
            done = replace(kept, failed=f"{done.failed} {kept.failed}".strip())
    return replace(done, notes=tuple(note for part in made for note in part.notes))


def check_export(
    settings: Settings, *, project: str = "", entity: str = "", run_id: str = "", mode: str = ""
) -> str:
    """Return the mode of an export, ``"online"`` or ``"offline"``, if it can be begun.

    Raises
    ------
    BadArgument
        If a name is one that W&B does not accept, or there is no such mode.
    ExportError
        If the settings switch W&B off, or there is no key to go online with.
    """
    if settings.wandb_mode == "disabled":
        raise ExportError("The export to W&B is switched off here by WANDB_MODE=disabled.")
    chosen = mode or settings.wandb_mode or "online"
    if chosen not in MODES:
        raise BadArgument(f"W&B has no mode {chosen[:40]!r}; choose online or offline.")
    check_names(project or settings.wandb_project, entity or settings.wandb_entity, run_id)
    if MODES[chosen] == "online" and not whose_key(settings):
        raise ExportError(NO_KEY)
    return MODES[chosen]


def log_charts(
    run: Any, charts: Sequence[Chart], step: int, *, final: bool = False
) -> tuple[str, ...]:
    """Log charts to a W&B run that is open in this process, such as that of a training loop.

    Parameters
    ----------
    run : wandb.Run
    charts : sequence of Chart
    step : int
        Training step.
    final : bool
        Whether the keys are ``final/3d/...``.

    Returns
    -------
    tuple of str
        What was rounded or left out.
    """
    with tempfile.TemporaryDirectory(prefix="viz3d-") as folder:
        made = [make_files(chart, step, Path(folder), final=final) for chart in charts]
        _log(run, [asdict(part) for part in made], lambda **_: None)
    return tuple(note for part in made for note in part.notes)


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
    done, trouble = to, []
    for event in carry_out(job, seconds):
        what = event.pop("event")
        if what == "opened":
            done = replace(done, **event)
        elif what == "logged":
            done = replace(done, logged=(*done.logged, (event["key"], event["step"])))
        elif what == "present":
            done = replace(done, present=(*done.present, (event["key"], event["step"])))
        else:
            trouble.append(hide_key(event["what"], settings.wandb_api_key))
    return _closed(done, trouble)


def _closed(done: WandbExport, trouble: list[str]) -> WandbExport:
    """Say how it ended: where the files are, and what did not arrive."""
    folder = Path(done.folder) if done.folder else None
    if folder and done.mode == "online":
        trouble = [*trouble, *logged_errors(folder)]
    failed = cause("\n".join(trouble)) if trouble else ""
    if folder and done.mode == "online" and not failed:
        shutil.rmtree(folder, ignore_errors=True)  # all of it is at W&B
        return replace(done, folder="")
    # Without the option the library passes over what was begun online.
    how = "wandb sync --include-online" if done.mode == "online" else "wandb sync"
    sync = f"{how} {shlex.quote(done.folder)}" if folder else ""
    return replace(done, failed=failed, sync=sync)


def main() -> None:
    """Do the job that standard input says, and report on standard output, a JSON object a line."""
    job = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)  # whatever the library prints is no report

        def report(event: str, **facts: Any) -> None:
            print(json.dumps({"event": event, **facts}), file=out, flush=True)

        try:
            _carry_out(job, report)
        except Exception as error:
            notes = getattr(error, "__notes__", [])
            report("failed", what="\n".join([f"{type(error).__name__}: {error}", *notes]))


def _carry_out(job: Mapping[str, Any], report: Callable[..., None]) -> None:
    import wandb

    online = job["mode"] == "online"
    folder = Path(job["dir"])
    folder.mkdir(parents=True, exist_ok=True)
    wandb.setup(wandb.Settings(silent=True, console="off"))
    before = set(folder.glob(RUNS))
    try:
        run = _open(job, folder)
    except Exception as error:
        # Why, the library often says in its log alone; nothing else is in these folders yet.
        for place in set(folder.glob(RUNS)) - before:
            error.add_note("\n".join(logged_errors(place)))
            shutil.rmtree(place, ignore_errors=True)
        raise
    report(
        "opened",
        run_id=run.id,
        entity=run.entity or "",
        url=(run.url or "") if online else "",
        new=not run.resumed if online else None,
        folder=str(Path(run.dir).parent),
    )
    _log(run, job["made"], report)
    run.finish()


def _open(job: Mapping[str, Any], folder: Path) -> Any:
    import wandb

    return wandb.init(
        project=job["project"],
        entity=job["entity"],
        id=job["id"],
        name=job["name"],
        resume="allow" if job["id"] else None,
        settings=_settings(job, folder),
    )


def _settings(job: Mapping[str, Any], folder: Path) -> Any:
    """Nothing but the charts: no code, no console, no hardware, no packages, no prompt."""
    import wandb

    key = {"api_key": job["key"]} if job["key"] else {}
    return wandb.Settings(
        mode=job["mode"],
        root_dir=str(folder),
        silent=True,
        console="off",
        init_timeout=job["init"],
        finish_timeout=job["finish"],
        finish_timeout_raises=True,
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        label_disable=True,
        save_code=False,
        symlink=False,
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_disable_viewer=True,
        x_save_requirements=False,
        # Within the deadlines above a few tries are better than one long wait.
        x_graphql_retry_max=4,
        x_graphql_timeout_seconds=job["init"],
        x_file_transfer_retry_max=4,
        x_file_transfer_timeout_seconds=job["finish"],
        x_file_stream_retry_max=4,
        x_file_stream_timeout_seconds=job["finish"],
        **{
            f"x_{part}_retry_wait_{end}_seconds": wait
            for part in ("graphql", "file_transfer", "file_stream")
            for end, wait in (("min", job["finish"] / 240), ("max", job["finish"] / 30))
        },
        **key,
    )


def _log(run: Any, made: Sequence[Mapping[str, Any]], report: Callable[..., None]) -> None:
    """Log the files of each chart at its step, in the order of the steps, as W&B needs it."""
    run.define_metric(STEP, hidden=True)
    for keys in ("3d/*", "final/3d/*"):
        run.define_metric(keys, step_metric=STEP)
    known = _plain(run.config.get("viz3d") or {})
    had = dict(known.get("charts", {}))
    for part in sorted(made, key=lambda part: part["step"]):
        key, step, about = part["key"], part["step"], part["provenance"]
        before = had.get(key, {})
        if (before.get("step"), before.get("sha256")) == (step, about["sha256"]):
            report("present", key=key, step=step)
            continue
        media = {name: _media(path) for name, path in part["files"].items()}
        # A row below the run's own step would be dropped, so there the step metric alone tells it.
        at = max(step, run.step, run.starting_step)
        # Two calls for one row: the names of the files carry the step of the call before.
        run.log({STEP: step}, step=at, commit=False)
        run.log(media, step=at)
        had[key] = about
        run.config.update({"viz3d": {"version": __version__, "charts": had}}, allow_val_change=True)
        for name in media:
            report("logged", key=name, step=step)


def _media(path: str) -> Any:
    import plotly.graph_objects as go
    import wandb

    if path.endswith(".html"):
        return wandb.Html(path, inject=False)  # else it would link to a style sheet of W&B
    if path.endswith(".png"):
        return wandb.Image(path)
    return wandb.Plotly(go.Figure(json.loads(Path(path).read_text("utf-8"))))


def _plain(value: Any) -> Any:
    """Return a config value of W&B's as ordinary dicts."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


if __name__ == "__main__":
    main()
