"""A click on an event in a real browser reaches the chart."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

LIST = "[data-testid=stDataFrame]"


def test_a_click_on_an_event_sends_its_place_to_the_chart(
    page: Page, server: str, tmp_path: Path
) -> None:
    """The first row of the list is the spike at step 150; the chart is told where that is."""
    loss = 2 + np.exp(-np.arange(300) / 90) + np.random.default_rng(0).normal(0, 0.02, 300)
    loss[150] = 9.0
    rows = [{"step": i, "loss": float(v), "learning_rate": 1e-3} for i, v in enumerate(loss)]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with page.expect_websocket() as opened:
        page.goto(f"{server}/Loss_landscape?source={quote(str(tmp_path))}")
    socket = opened.value
    page.locator(".viz3d-scene[aria-busy=false]").wait_for()
    table = page.locator(LIST).last
    table.scroll_into_view_if_needed()
    # The list is painted on a canvas: the box that selects a row is left in the row below the head.
    with socket.expect_event("framereceived", lambda data: b'"focus": {"x": 150.0' in data):
        table.click(position={"x": 18, "y": 52})
