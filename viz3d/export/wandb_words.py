"""What became of an export to W&B, in sentences that the app and the command line both say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from viz3d.export.wandb_names import FILES

if TYPE_CHECKING:
    from viz3d.export.wandb import WandbExport


def sentences(done: WandbExport) -> list[str]:
    """Say what was logged where, what was there already and what was left out.

    Why an export failed is not among them: that is an error, and these are what was kept.
    """
    where = f"run {done.run_id} of project {done.project}" if done.run_id else done.project
    said = list(done.notes)
    if done.present:
        said.append(
            f"Already in {where}, not logged again: {_keys(done.present)}. If sending them failed "
            "then, the line that was given then sends the rest."
        )
    if done.logged:
        said.append(f"{_did(done)} {_keys(done.logged)} in {where}{_age(done)}.")
    if done.folder:
        send = "They go to W&B with" if not done.failed else "Nothing is lost: send them with"
        said.append(f"The files are in {done.folder}. {send}: {done.sync}")
        if done.new is None and done.resumes:
            said.append(
                "Whether W&B has this run already shows when they are sent; a chart that is in it "
                "then stands in it twice."
            )
    return said


def _did(done: WandbExport) -> str:
    if done.mode == "offline":
        return "Written for W&B:"
    return "Begun to send:" if done.failed else "Logged to W&B:"


def _age(done: WandbExport) -> str:
    if done.new is None:
        return ""
    return ", which is new" if done.new else ", which existed"


def _keys(pairs: Sequence[tuple[str, int]]) -> str:
    """Name the charts, not each of their files, with the step."""
    charts: dict[str, tuple[int, list[str]]] = {}
    for key, step in pairs:
        what = next((word for ending, word in FILES.items() if key.endswith(ending)), "figure")
        chart = next((key.removesuffix(e) for e in FILES if key.endswith(e)), key)
        charts.setdefault(chart, (step, []))[1].append(what)
    return ", ".join(
        f"{chart} at step {step:,} ({', '.join(what)})" for chart, (step, what) in charts.items()
    )
