"""The tables of the Runs page, and how to open something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from viz3d.characters import shown
from viz3d.ui.frame import PAGES, link
from viz3d.ui.text import date, size

if TYPE_CHECKING:
    from viz3d.run import Run, RunInfo

# Pixels of a column of names: what stands beside a long one stays in sight.
WIDEST = 300

# Code stands in the line, where it wraps: what scrolls sideways is out of reach of the keyboard.
_HOW = """\
Type the path of a folder into **Source** in the sidebar, or set it for good in a file called `.env`
beside `app.py`:

`VIZ3D_SOURCE=/path/to/runs`

A run is a folder with `metrics.jsonl`, a nanochat `report/report.md`, a `trainer_state.json`, a
`progress.csv`, event files of TensorBoard, an offline run of W&B, a console log of nanochat,
nanoGPT, llm.c, modded-nanogpt or verl, or any JSONL, CSV, Parquet or JSON history with one row per
step. A single file works too, and so does one that is compressed with gzip. Nothing is copied or
changed.

**A Google Cloud Storage bucket** is a source too: type `gs://bucket` or `gs://bucket/prefix`, or
set `GCS_BUCKET` in `.env`. A public bucket needs nothing else; for your own run this once:

`gcloud auth application-default login`

or let `GOOGLE_APPLICATION_CREDENTIALS` name the key file of a service account. The right to read is
enough (role *Storage Object Viewer*). A hosted app reads as the service account attached to it, or
as the one in its secrets under `[gcp_service_account]`. What was opened once is kept on the disk,
verified, and stays usable without a network.

**A project on Weights & Biases**, too: type `wandb://entity/project`, or for one run
`wandb://entity/project/run_id`; an address copied from the browser works as well. Put
`WANDB_API_KEY` into `.env`, or run this once:

`wandb login`

The whole history is read, never a sample of it, and kept on the disk; of a run that goes on only
what is new is asked for. Rows are joined on the step that was logged, where one was.

**Several at once:** type further sources into **Also open**. Their runs are listed together, each
with the name of its source, and one that lies in two of them can be joined.
"""


def all_table(infos: Sequence[RunInfo]) -> None:
    """List every run of a source, newest first; nothing of it has been read yet."""
    if not infos:
        st.info("No runs here.")
        return
    rows = [
        {
            "run": shown(info.name),
            "found": ", ".join(info.formats),
            "changed": date(info.changed or None),
            "size": size(info.size) if info.rows is None else None,
            "rows": info.rows,
            "state": info.state or None,
            "began": date(info.created or None),
        }
        for info in infos
    ]
    times = {
        name: st.column_config.DatetimeColumn(f"{name} (UTC)", format="YYYY-MM-DD HH:mm")
        for name in ("changed", "began")
    }
    order = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    st.dataframe(
        rows, hide_index=True, width="stretch", placeholder="", column_order=order,
        column_config=times,
    )  # fmt: skip


def selected_table(runs: Sequence[Run]) -> None:
    """List what was read of the selected runs; what none of them has gets no column."""
    rows = [_facts(run) for run in runs]
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        placeholder="",
        column_order=[name for name in rows[0] if any(row[name] not in (None, "") for row in rows)],
        column_config={
            "run": st.column_config.TextColumn(width=WIDEST),
            "final loss": st.column_config.NumberColumn(format="%.5g"),
        },
    )


def _facts(run: Run) -> dict[str, Any]:
    loss = run.role("loss")
    return {
        "run": shown(run.name),
        "steps": len(run.index),
        "last step": int(run.index[-1]) if len(run.index) else None,
        "final loss": float(loss.iloc[-1]) if loss is not None and len(loss) else None,
        "layers": None if run.layers is None else int(run.layers["layer"].nunique()),
        "report": "" if run.report is None else ", ".join(run.report.stages),
        "landscapes": len(run.landscapes) or None,
        "remarks": len(run.problems),
        "roles": ", ".join(_told(role, metric) for role, metric in run.roles.items()),
    }


def _told(role: str, metric: str) -> str:
    return role if role == metric else f"{role}: {metric}"


def chart_links() -> None:
    """Link to the charts."""
    with st.container(horizontal=True):
        for path, label in PAGES[1:]:
            link(path, label)


def how_to_open(*, expanded: bool) -> None:
    """Say how to point the app at a folder or a bucket of one's own."""
    with st.expander("Open runs of your own", expanded=expanded):
        st.markdown(_HOW)
