"""What became of an export, and the sentences that the app and the command line say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viz3d.export.wandb.files import FILES


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
        Charts that the run has already, the same figure at the same step, arrived whole; not
        logged again.
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
    notes: tuple[str, ...] = ()
    failed: str = ""
    resumes: bool = False


def sentences(done: WandbExport) -> list[str]:
    """Say what was logged where, what was there already and what was left out.

    Why an export failed is not among them: that is an error, and these are what was kept.
    """
    where = f"run {done.run_id} of project {done.project}" if done.run_id else done.project
    said = list(done.notes)
    if done.present:
        said.append(f"Already in {where}, not logged again: {_keys(done.present)}.")
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
