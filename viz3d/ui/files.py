"""Buttons that hand out a chart as a file, one for each format, with what the file is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from viz3d.errors import ExportError
from viz3d.ui.text import advice, safe

if TYPE_CHECKING:
    from viz3d.figures.chart import Chart


@dataclass(frozen=True)
class Kind:
    """A format of files: what people call it, its media type and what it is for."""

    label: str
    mime: str
    purpose: str


KINDS = {
    ".html": Kind("HTML", "text/html", "Opens in any browser, without a network: to send around."),
    ".png": Kind("PNG", "image/png", "A picture of the scene, for slides and documents."),
    ".svg": Kind("SVG", "image/svg+xml", "The same with sharp text and lines, for print."),
    ".json": Kind("JSON", "application/json", "The figure for Plotly, to change or draw again."),
    ".glb": Kind("GLB", "model/gltf-binary", "The scene as a 3D model (glTF), for 3D programs."),
    ".ply": Kind(
        "PLY", "application/octet-stream", "The same as PLY, for MeshLab and CloudCompare."
    ),
    ".csv": Kind("CSV", "text/csv", "The numbers behind it, for a spreadsheet."),
    ".parquet": Kind(
        "Parquet", "application/vnd.apache.parquet", "The same, for pandas and others."
    ),
    ".md": Kind("Markdown", "text/markdown", "Its words and tables, for a pull request."),
}
IMAGES = (".png", ".svg")
MESHES = (".glb", ".ply")


def file_name(text: str, ending: str) -> str:
    """Return a name that every system takes for a file about `text`."""
    words = re.sub(r"[^\w.-]+", "-", text)[:80].strip("-._") or "chart"
    return f"{words}{ending}"


def offer(what: Chart, name: str, key: str) -> None:
    """Offer a chart in every format that it has; of the others say why not.

    Parameters
    ----------
    what : Chart
    name : str
        The files are called so.
    key : str
        Unique on the page.
    """
    for ending, kind in KINDS.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            reason = _reason(what, ending)
            if reason:
                st.button(kind.label, disabled=True, key=f"{key}{ending}")
                st.caption(safe(reason, longest=None))
            elif ending in IMAGES:
                _image(what, ending, name, key)
            else:
                _button(what, ending, name, key)
                st.caption(kind.purpose)


def _reason(what: Chart, ending: str) -> str:
    """Say why there is no such file of a chart; empty where there is one."""
    if ending in MESHES and what.figure is what.flat:
        return "This chart is flat: there is no 3D model of it."
    if ending in IMAGES:
        from viz3d.export.images import find_browser

        try:
            find_browser()
        except ExportError as error:
            return str(error)
    return ""


def _button(what: Chart, ending: str, name: str, key: str) -> None:
    st.download_button(
        KINDS[ending].label,
        lambda: make(what, ending),
        file_name=file_name(name, ending),
        mime=KINDS[ending].mime,
        on_click="ignore",
        key=f"{key}{ending}",
    )


@st.fragment
def _image(what: Chart, ending: str, name: str, key: str) -> None:
    """Draw on demand, then offer the picture.

    The browser that draws may fail. Streamlit says nothing of use when a download does, so the
    drawing comes first.
    """
    kind = KINDS[ending]
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.button(f"Draw {kind.label}", key=f"{key}{ending}")
        st.caption(kind.purpose)
    if not wanted:
        return
    try:
        with st.spinner("A browser draws the picture …"):
            drawn = make(what, ending)
    except ExportError as error:
        st.error(advice(str(error)))
        return
    st.download_button(
        f"Download {kind.label}",
        drawn,
        file_name=file_name(name, ending),
        mime=kind.mime,
        on_click="ignore",
        key=f"{key}{ending}-drawn",
    )


def make(what: Chart, ending: str) -> bytes:
    """Return a chart as a file of that ending."""
    from viz3d.export.files import FORMATS

    return FORMATS[ending](what)
