"""The browser side of a chart: plotly.js served by the app itself, and the component around it."""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import SupportsFloat, TypedDict, cast

import streamlit as st
from streamlit.components import v1, v2

_HERE = Path(__file__).parent
# The exported page turns its scenes with the same files.
_SHARED = _HERE.parent / "export"
# The last one uses the others.
_PARTS = ("marks", "camera_memory", "contexts", "library", "panel", "theme", "chart")


class Focus(TypedDict):
    """A place in a chart, in the units of its axes; None is anywhere along an axis."""

    x: float | None
    y: float | None
    z: float | None
    label: str


def _plotly_folder() -> Path:
    """Find the folder in which plotly.py carries plotly.js, without importing plotly."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("plotly is not installed; run `pip install -r requirements.txt`.")
    return Path(spec.submodule_search_locations[0], "package_data")


def _joined(*paths: Path) -> str:
    """Return files as one, because a component has no others to import."""
    return "\n".join(path.read_text("utf-8") for path in paths)


# Declaring a component is what makes Streamlit serve a folder; this one is never mounted.
_files = v1.declare_component("plotly", path=_plotly_folder())
_chart = v2.component(
    "viz3d_chart",
    js=_joined(
        *(_SHARED / f"{name}.js" for name in ("cameras", "camera_controls", "legend")),
        *(_HERE / f"{name}.js" for name in _PARTS),
    ),
    css=_joined(_HERE / "chart.css", _SHARED / "cameras.css"),
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
    *,
    beside: bool = True,
    focus: Focus | None = None,
) -> None:
    """Draw a chart.

    Parameters
    ----------
    key : str
        Names the chart on its page; the camera is remembered under it.
    title, summary : str
        Alternative text for people who do not see the picture.
    figure, flat : str or None
        The scene and its 2D twin as figure JSON on one line; None leaves one out.
    beside : bool
        Whether the twin is shown beside the scene, or only where there can be no scene.
    focus : Focus, optional
        A place to mark and to look at.
    """
    place = focus and {name: _plain(value) for name, value in focus.items()}
    head = {"key": key, "title": title, "summary": summary, "plotly": plotly_url()}
    # The figures are JSON already: joined as text and sent as bytes they are not parsed again here.
    # Each has a line of its own, and the browser parses those that it draws.
    parts = [
        json.dumps(head | {"beside": beside})[:-1],
        f'"focus": {json.dumps(place)}',
        f'"figure": {figure or "null"}',
        f'"flat": {flat or "null"}}}',
    ]
    _chart(key=f"chart-{key}", data="\n,".join(parts).encode())


def _plain(value: object) -> object:
    """Return a label or number as JSON has it; what is no number is anywhere along its axis."""
    if value is None or isinstance(value, str):
        return value
    number = float(cast("SupportsFloat", value))
    return number if isfinite(number) else None
