"""Charts as files: self-contained, the same bytes each time, plain answers when it cannot be."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from viz3d.errors import ExportError
from viz3d.export import files
from viz3d.export.files import find_browser, write_figure
from viz3d.figures.chart import Chart


@pytest.fixture(scope="module")
def chart():
    """A small chart with a name that wants to be markup."""
    figure = go.Figure(go.Scatter(x=np.arange(3), y=np.arange(3.0), name="</script><b>"))
    figure.layout.meta = {"viz3d": {"kind": "loss-landscape"}}
    flat = go.Figure(go.Scatter(x=[1], y=[2]))
    table = pd.DataFrame({"run": ["<img src=x>"], "loss": [2.5]})
    return Chart("loss-landscape", "Loss <i>", figure, flat, table, "A & b.", {}, ("<u>note",))


@pytest.mark.parametrize("suffix", [".html", ".json"])
def test_the_same_chart_gives_the_same_bytes(chart, tmp_path, suffix):
    """Two exports of one view can be compared byte by byte."""
    first = write_figure(chart, tmp_path / f"one{suffix}").read_bytes()
    assert write_figure(chart, tmp_path / f"two{suffix}").read_bytes() == first


def test_json_is_the_figure_with_its_provenance(chart, tmp_path):
    """What Plotly reads back is the figure."""
    spec = json.loads(write_figure(chart, tmp_path / "a.json").read_text())
    assert spec["layout"]["meta"]["viz3d"]["kind"] == "loss-landscape"
    assert go.Figure(spec).data[0].type == "scatter"


def test_html_needs_nothing_else(chart, tmp_path):
    """No script, style or font of another host; plotly.js once; both figures and the words."""
    page = write_figure(chart, tmp_path / "a.HTML").read_text()
    assert 'src="http' not in page
    assert "<link" not in page
    assert "MathJax.js" not in page
    assert page.count('id="viz3d-figure"') == 1
    assert page.count('id="viz3d-flat"') == 1
    assert "A &amp; b." in page
    assert 4_000_000 < len(page) < 8_000_000


def test_text_from_data_is_no_markup(chart, tmp_path):
    """Names end neither a script nor begin a tag."""
    page = write_figure(chart, tmp_path / "a.html").read_text()
    assert "<img" not in page
    assert "<u>" not in page
    assert "<title>Loss &lt;i&gt;</title>" in page
    data = page[page.index('id="viz3d-figure"') :]
    assert "</script><b>" not in data


def test_an_unknown_format_lists_the_known_ones(chart, tmp_path):
    """The message names the ending and the choices, and nothing is written."""
    with pytest.raises(ExportError, match=r"\.bmp.*\.html, \.json, \.png, \.svg"):
        write_figure(chart, tmp_path / "a.bmp")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_one_sentence(chart, tmp_path):
    """No half-written file stays."""
    with pytest.raises(ExportError, match="could not be written"):
        write_figure(chart, tmp_path / "missing" / "a.json")


def test_without_a_browser_images_say_what_to_do(chart, tmp_path, monkeypatch):
    """Install one, name one, or write HTML."""
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ExportError, match=r"no Chrome or Chromium was found.*BROWSER_PATH.*html"):
        write_figure(chart, tmp_path / "a.png")


def test_a_named_browser_is_taken_or_refused(monkeypatch):
    """BROWSER_PATH wins over what is on the path, also when it is wrong."""
    monkeypatch.setenv("BROWSER_PATH", "no-such-browser-anywhere")
    with pytest.raises(ExportError, match="BROWSER_PATH names no program"):
        find_browser()


@pytest.mark.browser
@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<svg")])
def test_images_are_drawn_by_a_real_browser(chart, tmp_path, suffix, start, chromium, monkeypatch):
    """A PNG and an SVG come out, drawn by the browser that is named."""
    monkeypatch.setenv("BROWSER_PATH", chromium)
    assert write_figure(chart, tmp_path / f"a{suffix}").read_bytes().startswith(start)


def test_a_chart_without_a_scene_has_one_figure(chart):
    """Where the flat figure is all there is, the page shows it once."""
    same = Chart("report", "Report", chart.flat, chart.flat, chart.table, "s")
    assert files.to_html(same).count(b'id="viz3d-') == 1
