"""Write a chart to a file: HTML that needs nothing else, figure JSON, or an image.

The same chart gives the same bytes of HTML and JSON. Images are drawn by a browser, whose version
decides about their bytes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from viz3d.errors import ExportError
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

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: auto; padding: 1rem }}
table {{ border-collapse: collapse; font-size: 14px; display: block; overflow-x: auto }}
th, td {{ padding: 2px 12px 2px 0; text-align: left }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
{figures}
{table}
<ul>
{notes}
</ul>
</body>
</html>
"""


def write_figure(chart: Chart, path: str | Path) -> Path:
    """Write a chart in the format that the end of the path names.

    Parameters
    ----------
    chart : Chart
    path : str or pathlib.Path
        Ends in ``.html``, ``.json``, ``.png`` or ``.svg``.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ExportError
        If the format is unknown, the folder cannot be written to, or no browser is there to draw
        an image.
    """
    path = Path(path)
    make = FORMATS.get(path.suffix.lower())
    if make is None:
        raise ExportError(
            f"{path.name!r} ends in {path.suffix or 'nothing'!r}; a figure can be written as "
            f"{', '.join(FORMATS)}."
        )
    content = make(chart)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ExportError(
            f"{path.name!r} could not be written ({error.strerror}); choose a folder that exists "
            "and that you may write to."
        ) from error
    return path


def to_html(chart: Chart) -> bytes:
    """Return a page with scene, flat twin, numbers and words, and plotly.js inside."""
    figures = [_embed(chart.figure, "viz3d-figure", with_library=True)]
    if chart.flat is not chart.figure:
        figures.append(_embed(chart.flat, "viz3d-flat", with_library=False))
    return PAGE.format(
        title=escape(chart.title),
        summary=escape(chart.summary),
        figures="\n".join(figures),
        table=chart.table.to_html(index=False, border=0, na_rep="", float_format="{:.4g}".format),
        notes="\n".join(f"<li>{escape(note)}</li>" for note in chart.notes),
    ).encode()


def to_json(chart: Chart) -> bytes:
    """Return the scene as Plotly's figure JSON, provenance in ``layout.meta["viz3d"]``."""
    return str(chart.figure.to_json()).encode()


def to_image(chart: Chart, kind: str) -> bytes:
    """Return the scene as an image on white.

    Parameters
    ----------
    chart : Chart
    kind : {"png", "svg"}

    Raises
    ------
    ExportError
        If there is no browser, or it fails to draw.
    """
    import kaleido
    import plotly.graph_objects as go

    browser = find_browser()
    figure = go.Figure(chart.figure).update_layout(paper_bgcolor="white")
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


def _embed(figure: Any, name: str, *, with_library: bool) -> str:
    import plotly.io

    return str(
        plotly.io.to_html(
            figure,
            full_html=False,
            include_plotlyjs=with_library,
            include_mathjax=False,
            div_id=name,
            # plotly.js offers to upload the chart to a service of its maker: not from here.
            config={
                "displaylogo": False,
                "responsive": True,
                "plotlyServerURL": "",
                "modeBarButtonsToRemove": ["sendChartToCloud"],
            },
        )
    )


FORMATS: dict[str, Callable[[Chart], bytes]] = {
    ".html": to_html,
    ".json": to_json,
    ".png": lambda chart: to_image(chart, "png"),
    ".svg": lambda chart: to_image(chart, "svg"),
}
