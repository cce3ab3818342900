"""The section of the export page that sends charts to Weights & Biases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from viz3d.errors import SettingsError, Viz3dError
from viz3d.export.wandb.check import check_export, whose_key
from viz3d.export.wandb.kinds import WANDB_KINDS, make_charts
from viz3d.export.wandb.outcome import WandbExport, sentences
from viz3d.export.wandb.send import export_charts
from viz3d.ui.frame import read_settings
from viz3d.ui.missing import has
from viz3d.ui.text import Markdown, advice, safe

if TYPE_CHECKING:
    from viz3d.run import Run
    from viz3d.settings import Settings
    from viz3d.ui.frame import Page

MODES = {"online": "Online", "offline": "Into a folder on the server"}
OFF = "The export to W&B is switched off here by WANDB_MODE=disabled."


def export_wandb(page: Page) -> None:
    """Offer the charts of the selected runs to W&B, and say what became of it.

    Parameters
    ----------
    page : Page
    """
    if not page.runs:
        return  # the page has said why
    try:
        settings = read_settings()
    except SettingsError:
        return  # so it has here, and they may switch the export off
    st.header("Weights & Biases")
    if settings.wandb_mode == "disabled":
        st.info(OFF)
        return
    kinds = [kind for kind in WANDB_KINDS if any(has(kind, run) for run in page.runs)]
    if not kinds:
        st.info("The selected runs hold what none of the charts for W&B needs.")
        return
    key = whose_key(settings)
    st.caption(_about_key(key))
    with st.form("wandb"):
        chosen = st.multiselect(
            "Charts", kinds, default=kinds, key="wandb-kinds",
            format_func=lambda kind: kind.replace("-", " ").capitalize(),
        )  # fmt: skip
        left, right = st.columns(2)
        project = left.text_input("Project", settings.wandb_project or "viz3d", key="wandb-project")
        entity = right.text_input(
            "Entity", settings.wandb_entity, key="wandb-entity", help="Empty: that of the key."
        )
        run_id = left.text_input(
            "Run id", key="wandb-id", help="An existing run to log into. Empty: a new run."
        )
        words = list(MODES.values())
        first = 0 if key and settings.wandb_mode not in {"offline", "dryrun"} else 1
        said = right.selectbox("Mode", words, index=first, key="wandb-mode", filter_mode=None)
        pressed = st.form_submit_button("Send to W&B", type="primary")
    if pressed and not chosen:
        st.info("Choose a chart to send.")
    elif pressed:
        mode = next(value for value, word in MODES.items() if word == said)
        to = {"project": project.strip(), "entity": entity.strip(), "run_id": run_id.strip()}
        _export(page.runs, chosen, settings, mode, to)


def _about_key(key: str) -> Markdown:
    if not key:
        return safe(
            "There is no W&B key on this server: charts can be written into a folder and sent "
            "later. For more, whoever runs the app sets WANDB_API_KEY.",
            longest=None,
        )
    return safe(
        f"What you send is sent with the key of whoever runs this app ({key}), in their name. The "
        "key is never shown.",
        longest=None,
    )


def _export(
    runs: Sequence[Run], kinds: Sequence[str], settings: Settings, mode: str, to: dict[str, Any]
) -> None:
    with st.status("Sending the charts to W&B …", expanded=True) as status:

        def tell(text: str) -> None:
            status.write(safe(text, longest=None))

        try:
            check_export(settings, mode=mode, **to)
            made = make_charts(runs, kinds)
            for text in (*made.notes, *made.skipped):
                tell(text)
            done = export_charts(made.charts, runs, settings, mode=mode, tell=tell, **to)
        except Viz3dError as error:
            status.update(label="Nothing was sent.", state="error")
            st.error(advice(str(error)))
            return
        ended = "error" if done.failed else "complete"
        status.update(label=_label(done), state=ended)
    _show(done)


def _label(done: WandbExport) -> str:
    if done.failed:
        return "Not all of it arrived."
    return "Written for W&B." if done.mode == "offline" else "Sent to W&B."


def _show(done: WandbExport) -> None:
    if done.failed:
        st.error(advice(done.failed))
    for text in sentences(done):
        st.markdown(safe(text, longest=None))
    if done.sync:
        st.code(done.sync, language=None)
    if done.url and not done.failed:
        st.link_button("Open the run at W&B", done.url)
