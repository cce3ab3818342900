"""Charts into a W&B run that is open in this process."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.export.wandb.files import make_files
from viz3d.version import __version__

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart

STEP = "viz3d/step"
"""The metric that holds the training step of what is logged."""


def log_charts(
    run: Any, charts: Sequence[Chart], step: int, *, final: bool = False, beside: bool = True
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
    beside : bool
        Whether an image and a page stand beside each figure. They take seconds and megabytes, so
        a loop that logs charts often does without.

    Returns
    -------
    tuple of str
        What was rounded or left out.
    """
    with tempfile.TemporaryDirectory(prefix="viz3d-") as folder:
        made = [
            make_files(chart, step, Path(folder), final=final, beside=beside) for chart in charts
        ]
        log_files(run, [asdict(part) for part in made], lambda *_, **__: None)
    return tuple(note for part in made for note in part.notes)


def log_files(
    run: Any, made: Sequence[Mapping[str, Any]], report: Callable[..., None]
) -> tuple[str, ...]:
    """Log the files of each chart at its step, in the order of the steps, as W&B needs it.

    Returns
    -------
    tuple of str
        Keys of the charts that were logged: all but those that the run's config says arrived.
    """
    run.define_metric(STEP, hidden=True)
    for keys in ("3d/*", "final/3d/*"):
        run.define_metric(keys, step_metric=STEP)
    had, logged = _charts(run), []
    for part in sorted(made, key=lambda part: part["step"]):
        key, step, about = part["key"], part["step"], part["provenance"]
        before = had.get(key, {})
        same = (before.get("step"), before.get("sha256")) == (step, about["sha256"])
        if same and before.get("arrived"):
            report("present", key=key, step=step)
            continue
        media = {name: _media(path) for name, path in part["files"].items()}
        # A row below the run's own step would be dropped, so there the step metric alone tells it.
        at = max(step, run.step, run.starting_step)
        # Two calls for one row: the names of the files carry the step of the call before.
        run.log({STEP: step}, step=at, commit=False)
        run.log(media, step=at)
        had[key] = about
        logged.append(key)
        _tell(run, had)
        for name in media:
            report("logged", key=name, step=step)
    return tuple(logged)


def mark_arrived(run: Any, keys: Sequence[str]) -> None:
    """Say in the config of an open run that charts which it names have arrived whole."""
    had = _charts(run)
    _tell(run, {key: {**had[key], "arrived": True} if key in keys else had[key] for key in had})


def _charts(run: Any) -> dict[str, Any]:
    return dict(_plain(run.config.get("viz3d") or {}).get("charts", {}))


def _tell(run: Any, charts: Mapping[str, Any]) -> None:
    said = {"version": __version__, "charts": charts}
    run.config.update({"viz3d": said}, allow_val_change=True)


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
