"""A click on an event in a real browser moves the camera to it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import finished

pytestmark = pytest.mark.browser

LIST = "[data-testid=stDataFrame]"
CAMERA = "div => div._fullLayout.scene._scene.getCamera()"
# Shares of the axes at which the scene looks.
LOOKS_AT = """(div) => {
    const { aspectratio } = div._fullLayout.scene;
    const { center } = div._fullLayout.scene._scene.getCamera();
    return ['x', 'y', 'z'].map((side) => center[side] / aspectratio[side] + 0.5);
}"""


def write(folder: Path) -> None:
    """A run with one event, a spike at step 150 of 300."""
    loss = 2 + np.exp(-np.arange(300) / 90) + np.random.default_rng(0).normal(0, 0.02, 300)
    loss[150] = 9.0
    rows = [{"step": i, "loss": float(v), "learning_rate": 1e-3} for i, v in enumerate(loss)]
    (folder / "run").mkdir()
    (folder / "run" / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")


def test_a_click_on_an_event_moves_the_camera_to_it(
    page: Page, server: str, tmp_path: Path
) -> None:
    """The scene comes into view and looks at the spike; the camera has not turned."""
    write(tmp_path)
    page.goto(f"{server}/Loss_landscape?source={quote(str(tmp_path))}")
    scene = page.locator(".viz3d-scene[aria-busy=false]")
    scene.wait_for()
    before = scene.evaluate(CAMERA)
    table = page.locator(LIST).first
    finished(page)
    table.scroll_into_view_if_needed()
    table.locator("canvas [role=gridcell]").first.wait_for(state="attached")
    expect(scene).not_to_be_in_viewport(ratio=0.9)
    # The list is painted on a canvas: the box that selects a row is left in the row below the head.
    table.click(position={"x": 18, "y": 52})
    page.wait_for_function(
        f"""() => {{
            const div = document.querySelector('.viz3d-scene');
            const [x, , z] = ({LOOKS_AT})(div);
            return Math.abs(x - 150 / 299) < 0.05 && z > 0.6;
        }}"""
    )
    after = scene.evaluate(CAMERA)
    for side in "xyz":
        moved = after["center"][side] - before["center"][side]
        assert after["eye"][side] - before["eye"][side] == pytest.approx(moved, abs=1e-4)
    expect(scene).to_be_in_viewport(ratio=0.9)
    assert "Marked: run, step 150: loss spiked" in scene.get_attribute("aria-label")
