"""Images: drawn by a browser that is found, the same each time, with their provenance."""

from __future__ import annotations

import io
import json
import re
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest
from drawn import KINDS

from viz3d.errors import ExportError
from viz3d.export.files import write_figure
from viz3d.export.images import _counted_ids, find_browser, to_png, to_svg


def some(*kinds):
    """Return the parameters of all kinds; those not named here are drawn only with ``-m slow``."""
    return [
        kind if kind in kinds else pytest.param(kind, marks=pytest.mark.slow)
        for kind in (*KINDS, "report")
    ]


def test_without_a_browser_images_say_what_to_do(charts, tmp_path, monkeypatch):
    """Install one, name one, or write HTML."""
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ExportError, match=r"no Chrome or Chromium was found.*BROWSER_PATH.*html"):
        write_figure(charts["plain"], tmp_path / "a.png")


def test_a_named_browser_is_taken_or_refused(monkeypatch):
    """BROWSER_PATH wins over what is on the path, also when it is wrong."""
    monkeypatch.setenv("BROWSER_PATH", "no-such-browser-anywhere")
    with pytest.raises(ExportError, match="BROWSER_PATH names no program"):
        find_browser()


def test_ids_are_renamed_where_they_are_defined_and_used():
    """Two drawings that differ in their random ids alone become one."""
    svg = '<svg><clipPath id="clip{0}x"/><g clip-path="url(#clip{0}x)"/><use href="#b{0}"/></svg>'
    first, second = (_counted_ids(svg.replace("{0}", uid)) for uid in ("3fa2c1", "900b1e"))
    assert first.count('"#b') == 1  # nothing of that id is there to be renamed
    assert "url(#viz3d-1)" in first
    assert first.replace("3fa2c1", "") == second.replace("900b1e", "")


@pytest.mark.browser
@pytest.mark.parametrize("kind", some("loss-landscape", "difference"))
def test_a_png_has_the_same_pixels_twice_and_its_provenance(every, chromium, monkeypatch, kind):
    """A standard reader finds the runs in it, and another drawing differs in no pixel."""
    from PIL import Image

    monkeypatch.setenv("BROWSER_PATH", chromium)
    first, second = (Image.open(io.BytesIO(to_png(every[kind]))) for _ in "ab")
    assert json.loads(first.text["viz3d"])["runs"][0]["digest"] == "0" * 64
    pixels = np.asarray(first)
    assert pixels.std() > 5
    assert np.array_equal(pixels, np.asarray(second))


@pytest.mark.browser
@pytest.mark.parametrize("kind", some("overlay", "report"))
def test_an_svg_has_the_same_content_twice_and_its_provenance(every, chromium, monkeypatch, kind):
    """It is well-formed, and every id that it uses is defined."""
    monkeypatch.setenv("BROWSER_PATH", chromium)
    first, second = (to_svg(every[kind]).decode() for _ in "ab")
    assert first == second
    root = ElementTree.fromstring(first)
    found = root.find("{http://www.w3.org/2000/svg}metadata")
    assert found is not None
    assert json.loads(found.text)["runs"][0]["digest"] == "0" * 64
    ids = {part.get("id") for part in root.iter()} - {None}
    assert set(re.findall(r"url\(#([^)]+)\)", first.replace("&quot;", "").replace("'", ""))) <= ids
