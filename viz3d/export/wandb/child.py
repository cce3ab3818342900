"""What the process of the W&B library does: open one run, log the files, finish it.

Run with ``-m`` by `viz3d.export.wandb.process`, which says why it is a process of its own. So this
file and `log`, which a training loop calls too, are the two of the export that import the library.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

from viz3d.export.wandb.faults import logged_errors
from viz3d.export.wandb.log import log_files, mark_arrived

RUNS = "*wandb/run-*"
"""Where the library keeps the files of online runs, in ``WANDB_DIR``."""


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
            report("failed", what=text_of(error))


def text_of(error: Exception) -> str:
    """Return all that an error says, its notes too."""
    return "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])


def open_run(job: Mapping[str, Any]) -> Any:
    """Open the run of a job: a new one, or an existing one where it has to be resumed.

    A try that fails leaves no folder, and has in its notes what the library's log says of it.

    Parameters
    ----------
    job : mapping
        With ``dir``, ``mode``, ``key``, ``project``, ``entity``, ``id``, ``name``, ``resume`` and
        the deadlines ``init`` and ``finish`` in seconds.
    """
    import wandb

    folder = Path(job["dir"])
    folder.mkdir(parents=True, exist_ok=True)
    wandb.setup(wandb.Settings(silent=True, console="off"))
    before = _folders(job, folder)
    try:
        return _open(job, folder)
    except Exception as error:
        # Why, the library often says in its log alone; nothing else is in these folders yet.
        for place in _folders(job, folder) - before:
            error.add_note("\n".join(logged_errors(place)))
            shutil.rmtree(place, ignore_errors=True)
        raise


def _carry_out(job: Mapping[str, Any], report: Callable[..., None]) -> None:
    online = job["mode"] == "online"
    # With an id of our own the folders of this run can be told from those of others.
    named = {**job, "id": job["id"] or token_hex(4), "resume": "allow" if job["id"] else "never"}
    run = open_run(named)
    here = Path(run.dir).parent
    report(
        "opened",
        run_id=run.id,
        entity=run.entity or "",
        url=(run.url or "") if online else "",
        new=not run.resumed if online else None,
        folder=str(here),
    )
    logged = log_files(run, job["made"], report)
    run.finish()
    if online and not logged_errors(here):
        report("arrived")
        if logged:
            again = {**named, "resume": "allow", "finish": job["init"]}
            _tell_arrived(again, Path(job["dir"]), logged)


def _tell_arrived(job: Mapping[str, Any], folder: Path, keys: Sequence[str]) -> None:
    """Open the run once more to say that these charts arrived, so that a repeat leaves them out.

    Before the run was finished nobody knew. Where this fails a repeat sends them again.
    """
    places = _folders(job, folder)
    before = frozenset(places)
    try:
        with _open(job, folder) as run:
            # Within one second of the first the library gives its folder another name.
            places.add(Path(run.dir).parent)
            mark_arrived(run, keys)
    finally:
        for place in (places | _folders(job, folder)) - before:
            shutil.rmtree(place, ignore_errors=True)


def _folders(job: Mapping[str, Any], folder: Path) -> set[Path]:
    """Return the folders of the job's run: ``run-TIME-ID`` each."""
    return {place for place in folder.glob(RUNS) if place.name.split("-", 2)[2:] == [job["id"]]}


def _open(job: Mapping[str, Any], folder: Path) -> Any:
    import wandb

    return wandb.init(
        project=job["project"],
        entity=job["entity"],
        id=job["id"],
        name=job["name"],
        resume=job["resume"],
        settings=_settings(job, folder),
    )


def _settings(job: Mapping[str, Any], folder: Path) -> Any:
    """Nothing but the charts: no code, no console, no hardware, no packages, no prompt."""
    import wandb

    key = {"api_key": job["key"]} if job["key"] else {}
    general = wandb.setup().settings
    if key and "@" not in general.base_url:
        # As in `viz3d.sources.wandb`: else a redirect takes the key along at a further try.
        key["base_url"] = general.base_url.replace("://", "://viz3d@", 1)
        key["app_url_override"] = general.app_url
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


if __name__ == "__main__":
    main()
