"""Images of a chart, drawn by a browser, which is found or asked for."""

from __future__ import annotations

import os
import re
import shutil
from html import escape
from pathlib import Path

from viz3d.errors import ExportError
from viz3d.export.about import KEY, about_json
from viz3d.export.png import chunk
from viz3d.figures.chart import Chart

WIDTH, HEIGHT = 1_000, 760
"""Pixels of an image. A scene is as large as its height allows."""

SCALE = 2
"""Pixels of a PNG for each of the figure's, so that it stays sharp in print."""

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)

PNG_HEAD = 8 + 25
"""Bytes of a PNG up to the end of its first chunk, the header; text may follow it."""


def to_png(chart: Chart) -> bytes:
    """Return the scene as PNG on white, with the provenance in a text chunk named "viz3d".

    Raises
    ------
    ExportError
        If there is no browser, or it fails to draw.
    """
    drawn = _draw(chart, "png")
    text = chunk(b"tEXt", KEY.encode() + b"\0" + about_json(chart).encode("ascii"))
    return drawn[:PNG_HEAD] + text + drawn[PNG_HEAD:]


def to_svg(chart: Chart) -> bytes:
    """Return the scene as SVG on white, with the provenance in its metadata.

    plotly.js numbers its clips and gradients at random; here they are counted, so that the same
    chart gives the same file.

    Raises
    ------
    ExportError
        If there is no browser, or it fails to draw.
    """
    text = _counted_ids(_draw(chart, "svg").decode())
    head, end, rest = text.partition(">")
    said = f"<metadata>{escape(about_json(chart))}</metadata>"
    return "".join([head, end, said, rest]).encode()


def find_browser() -> str:
    """Return the Chrome or Chromium that draws images.

    Raises
    ------
    ExportError
        If there is none.
    """
    named = os.environ.get("BROWSER_PATH")
    found = [shutil.which(named)] if named else [shutil.which(name) for name in BROWSERS]
    browser = next((path for path in found if path), None)
    if browser is None:
        where = "BROWSER_PATH names no program" if named else "no Chrome or Chromium was found"
        raise ExportError(
            f"An image needs a browser to draw it and {where}; install one, set BROWSER_PATH to "
            "it, or write .html, which needs none."
        )
    return browser


def _draw(chart: Chart, kind: str) -> bytes:
    import kaleido
    import plotly.graph_objects as go

    browser = find_browser()
    figure = go.Figure(chart.figure).update_layout(paper_bgcolor="white")
    for i, trace in enumerate(figure.data):
        trace.uid = f"trace{i}"  # else plotly.js draws lots for the names in an SVG
    size = {"format": kind, "width": WIDTH, "height": HEIGHT, "scale": SCALE}
    try:
        # MathJax would be fetched from another host, and no text of ours needs it.
        drawn = kaleido.calc_fig_sync(figure, opts=size, kopts={"path": browser, "mathjax": False})
    except Exception as error:
        raise ExportError(
            f"The browser {Path(browser).name!r} could not draw the {kind} ({type(error).__name__})"
            "; set BROWSER_PATH to another Chrome or Chromium, or write .html, which needs none."
        ) from error
    return bytes(drawn)


def _counted_ids(svg: str) -> str:
    """Rename every id by its place, where it is defined and where it is used."""
    names = dict.fromkeys(re.findall(r'\sid="([^"]+)"', svg))
    new = {name: f"viz3d-{i}" for i, name in enumerate(names, 1)}
    used = r'((?:\sid="|href="#|url\((?:&quot;|\'|")?#))([^"\')&]+)'
    return re.sub(used, lambda found: found[1] + new.get(found[2], found[2]), svg)
