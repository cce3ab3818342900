"""The browser side of a chart: plotly.js served by the app itself, and the component around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v1, v2

_HERE = Path(__file__).parent


def _plotly_folder() -> Path:
    """Find the folder in which plotly.py carries plotly.js, without importing plotly."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("plotly is not installed; run `pip install -r requirements.txt`.")
    return Path(spec.submodule_search_locations[0], "package_data")


# Declaring a component is what makes Streamlit serve a folder; this one is never mounted.
_files = v1.declare_component("plotly", path=_plotly_folder())
_chart = v2.component(
    "viz3d_chart",
    js=(_HERE / "chart.js").read_text("utf-8"),
    css=(_HERE / "chart.css").read_text("utf-8"),
    isolate_styles=False,
)


def plotly_url() -> str:
    """Return the address of plotly.js on this server; it changes with its version."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    folder = f"/{base}/component" if base else "/component"
    return f"{folder}/{_files.name}/plotly.min.js?v={version('plotly')}"


def preload() -> None:
    """Let the browser fetch plotly.js while the server still computes the figure."""
    _chart(key="viz3d-preload", data={"plotly": plotly_url()})


def mount(
    key: str,
    title: str,
    summary: str,
    figure: str | None,
    flat: str | None,
    focus: Mapping[str, Any] | None = None,
) -> None:
    """Draw a chart.

    Parameters
    ----------
    key : str
        Names the chart on its page; the camera is remembered under it.
    title, summary : str
        Alternative text for people who do not see the picture.
    figure, flat : str or None
        The scene and its 2D twin as figure JSON; None leaves one out.
    focus : mapping or None
        Where the camera goes: ``x``, ``y``, ``z`` in data units and a ``label``.
    """
    head: dict[str, Any] = {"key": key, "title": title, "summary": summary, "plotly": plotly_url()}
    if focus is not None:
        head["focus"] = dict(focus)
    # The figures are JSON already: joined as text and sent as bytes they are not parsed again here.
    parts = [json.dumps(head)[:-1], f'"figure": {figure or "null"}', f'"flat": {flat or "null"}}}']
    _chart(key=f"chart-{key}", data=", ".join(parts).encode())
