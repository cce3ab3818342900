"""What a page says when the selected runs do not hold what its chart needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.errors import ChartError
from viz3d.figures.text import count
from viz3d.sources.base import is_remote
from viz3d.ui import loading
from viz3d.ui.sidebar import family, suggest
from viz3d.ui.text import advice, safe

if TYPE_CHECKING:
    from viz3d.run import Run, RunInfo
    from viz3d.ui.frame import Page

# Other runs are opened to see whether they would do, but only while that stays quick.
MOST_RUNS, MOST_BYTES = 40, 50_000_000
# The same where they have to be downloaded first.
MOST_REMOTE_BYTES = 5_000_000
# No more are named, and no more are selected by the button.
MOST_NAMED, MOST_SELECTED = 8, 8

_LOOP = """\
import viz3d

with viz3d.Recorder("runs/my-run", config={{"learning_rate": peak}}) as recorder:
    recorder.watch(model)
    for step in range(steps):
        {body}
"""
# Before clipping, which changes gradients, and before the update, after which they are set to zero.
_LAYERS_BODY = """\
...  # forward, backward
        recorder.log_layers(step)
        ...  # clip, update"""
_HAS: dict[str, Callable[[Run], bool]] = {
    "loss-landscape": lambda run: "loss" in run.roles and _has_rate(run),
    "gradient-flow": lambda run: run.layers is not None,
    "reward-landscape": lambda run: "reward" in run.roles,
    "training-dynamics": lambda run: len(run.metrics) > 1,
    "plain-dynamics": lambda run: {"loss", "grad_norm", "reward"} <= set(run.roles),
    "seeds": lambda run: "loss" in run.roles,
    "curves": lambda run: bool(run.metrics),
    "report": lambda run: run.report is not None and bool(run.report.tasks),
    "explore": lambda run: bool(run.metrics) and _has_three(run),
    "weight-space": lambda run: bool(run.landscapes),
}
_METRICS = {
    "loss-landscape": "loss=loss, learning_rate=rate",
    "reward-landscape": "reward=reward, loss=loss",
    "training-dynamics": "loss=loss, learning_rate=rate, grad_norm=norm",
    "plain-dynamics": "loss=loss, grad_norm=norm, reward=reward",
    "explore": "loss=loss, learning_rate=rate, anything_else=value",
}
_BODIES = {
    "gradient-flow": _LAYERS_BODY,
    **{
        kind: f"...  # forward, backward, update\n        recorder.log(step, {metrics})"
        for kind, metrics in _METRICS.items()
    },
}
# A landscape is measured beside training and not logged in its loop.
_MEASURE = """\
import viz3d

# loss_fn(model, batch) gives one loss per sample; the same batches serve every node.
viz3d.landscape(model, loss_fn, batches, folder="runs/my-run")
"""


def _has_rate(run: Run) -> bool:
    from viz3d.analysis.curves import peak_learning_rate

    return peak_learning_rate(run) is not None


def _has_three(run: Run) -> bool:
    """Whether the step, a metric and something else can stand on three axes."""
    from viz3d.analysis.quantities import quantities

    return len(quantities([run])) > 2


def has(kind: str, run: Run) -> bool:
    """Whether the run holds what the chart of that kind is about."""
    return _HAS[kind](run)


def explain(page: Page, kind: str, error: ChartError | str) -> None:
    """Say what is missing, which runs of the source have it, and how to record it.

    Parameters
    ----------
    page : Page
    kind : str
        A kind of chart, ``"plain-dynamics"``, ``"report"`` or ``"data"``, which every run has.
    error : ChartError or str
        What is missing.
    """
    if page.failed or (page.chosen and not page.runs):
        return  # the page has said why, and nothing else helps
    if not page.infos:
        st.info("No runs were found in this source. Name another one in the sidebar.")
    elif not page.runs:
        st.info("No run is selected. Choose one or more in the sidebar.")
    else:
        st.info(advice(str(error)))
    if page.infos and kind in _HAS:
        _offer(page, kind)
    if kind == "weight-space":
        st.markdown("To measure one around the weights that a model has now:")
        st.code(_MEASURE, language=None, wrap_lines=True)
        st.markdown(
            "Grids in HDF5 as Li et al.'s scripts write them are read too, and CSV with the "
            "columns dim0 and dim1."
        )
    if kind in _BODIES:
        what = "it" if page.runs else "runs"
        st.markdown(f"To record {what} in your own training loop:")
        # In one colour: those of Streamlit's highlighting are too pale to read well.
        st.code(_LOOP.format(body=_BODIES[kind]), language=None, wrap_lines=True)


def _offer(page: Page, kind: str) -> None:
    """Name the runs of the source that would do, with a button that selects them."""
    remote = any(is_remote(part.source) for part in page.listed.places().values())
    most = MOST_REMOTE_BYTES if remote else MOST_BYTES
    infos = _affordable(page.infos, most)
    loaded = loading.load(page.listed, infos, quiet=True)
    found = [info.name for info, runs in loaded if _any(kind, runs)]
    if not infos:
        return  # all are too large to be opened for this
    where = "this source" if len(infos) == len(page.infos) else f"the newest {len(infos):,}"
    if not found:
        st.markdown(f"No run in {where} has it.")
        return
    some = suggest(found)[:MOST_SELECTED]
    names = ", ".join(safe(name, 60) for name in found[:MOST_NAMED])
    names += " …" if len(found) > MOST_NAMED else ""
    fit = "that have it" if page.runs else "that have what this chart needs"
    st.markdown(f"Runs in {where} {fit}: {names}")
    # Of runs of several kinds the button takes one: they may have nothing else in common.
    kind = family(some[0]) if len(some) < len(found) else ""
    called = f" called {safe(kind, 60)}…" if kind else ""
    label = f"Select {count(len(some), 'run')}{called}"
    st.button(label, on_click=_select, args=(some,), type="primary")


def _affordable(infos: Sequence[RunInfo], most: int) -> list[RunInfo]:
    taken: list[RunInfo] = []
    total = 0
    for info in infos[:MOST_RUNS]:
        total += info.weight
        if total > most:
            break
        taken.append(info)
    return taken


def _any(kind: str, runs: Sequence[Run]) -> bool:
    return any(has(kind, run) for run in runs)


def _select(names: list[str]) -> None:
    st.session_state["run"] = names
