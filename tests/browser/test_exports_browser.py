"""The exported page in a real browser: from a file, without a network, with linked cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import POSES, wait_until
from tests.browser.mouse import hold, let_go
from viz3d.export.page import to_html_page
from viz3d.figures import overlay
from viz3d.figures.kinds import make_chart
from viz3d.run import Run

pytestmark = pytest.mark.browser


def run(name: str, rate: float) -> Run:
    """Return a run of 60 steps."""
    step = pd.Index(np.arange(60), name="step", dtype="int64")
    loss = 1 + 3 * np.exp(-step / 20) + (np.log10(rate) + 2.5) ** 2
    history = pd.DataFrame({"loss": loss, "lr": np.full(60, rate)}, index=step)
    roles = {"loss": "loss", "learning_rate": "lr"}
    return Run(name, "tests", history, roles=roles, config={"learning_rate": rate}, digest="d" * 64)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a file with two loss landscapes, of runs whose names want to be markup."""
    runs = [run(f"<img src=http://x.example/{i}>", 10.0**-i) for i in (1, 2, 3)]
    charts = [make_chart("loss-landscape", runs), make_chart("loss-landscape", runs[:1])]
    path: Path = tmp_path_factory.mktemp("export") / "page.html"
    path.write_bytes(to_html_page(charts, "Comparison"))
    return path.as_uri()


def opened(page: Page, address: str) -> list[str]:
    """Open the file, wait until all is drawn, and return what went wrong and what was asked for."""
    wrong: list[str] = []
    page.on(
        "request", lambda request: wrong.append(request.url) if request.url != address else None
    )
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.context.set_offline(True)
    page.goto(address)
    expect(page.locator(".picture[aria-busy=false]")).to_have_count(4)
    return wrong


def scene(page: Page, number: int) -> Locator:
    """Return a scene of the page."""
    return page.locator(f"#viz3d-figure-{number}")


# Where the camera of a scene stands, as plotly.js draws it, and how far that is from elsewhere.
EYE = """(number) =>
    document.getElementById(`viz3d-figure-${number}`)._fullLayout.scene._scene.getCamera().eye"""
APART = f"""(number, other) => {{
    const {{ x, y, z }} = ({EYE})(number);
    return Math.hypot(x - other.x, y - other.y, z - other.z);
}}"""


def eye(page: Page, number: int) -> dict[str, float]:
    found: dict[str, float] = page.evaluate(EYE, number)
    return found


def apart(one: dict[str, float], other: dict[str, float]) -> float:
    """Return the distance between two cameras."""
    return sum((one[axis] - other[axis]) ** 2 for axis in "xyz") ** 0.5


def drag(page: Page, number: int) -> dict[str, Any]:
    """Turn a scene, and return the camera from before; the button stays down."""
    before = eye(page, number)
    hold(page, scene(page, number))
    return before


def expect_apart(page: Page, number: int, other: dict[str, float]) -> None:
    """Wait until the camera of a scene is away from there."""
    wait_until(page, f"([number, other]) => ({APART})(number, other) > 0.1", [number, other])


def expect_together(page: Page) -> None:
    """Wait until both scenes are seen from the same place."""
    wait_until(page, f"() => ({APART})(1, ({EYE})(2)) < 1e-3")


def expect_at(page: Page, number: int, other: dict[str, float]) -> None:
    """Wait until the camera of a scene is there."""
    wait_until(page, f"([number, other]) => ({APART})(number, other) < 1e-3", [number, other])


def test_it_opens_from_a_file_without_a_network_and_links_its_cameras(
    page: Page, exported: str
) -> None:
    """Nothing is asked for; mid-drag the other scene has followed; unlinked it stays."""
    wrong = opened(page, exported)
    before = drag(page, 1)
    expect_apart(page, 1, before)
    expect_apart(page, 2, before)
    let_go(page, scene(page, 1))
    expect_together(page)
    page.get_by_label("Link cameras").uncheck()
    before = drag(page, 2)
    let_go(page, scene(page, 2))
    assert apart(eye(page, 2), before) > 0.1
    assert apart(eye(page, 1), before) < 1e-3
    assert wrong == []


def test_keys_and_buttons_turn_the_scenes_and_bring_them_back(page: Page, exported: str) -> None:
    """Whoever has no mouse turns all of them too, as in the app; at once with reduced motion."""
    page.emulate_media(reduced_motion="reduce")
    opened(page, exported)
    before = eye(page, 1)
    scene(page, 1).press("ArrowLeft")
    expect_apart(page, 1, before)
    expect_together(page)
    page.get_by_role("group", name="Camera").first.get_by_role("button", name="Top").click()
    wait_until(page, f"() => ({EYE})(2).z > 1.5")
    expect_together(page)
    assert scene(page, 1).evaluate(POSES, "Along x") == 2
    scene(page, 1).press("0")
    expect_at(page, 1, before)


def test_the_page_itself_forbids_what_would_ask_elsewhere(page: Page, exported: str) -> None:
    """Its policy stops a request even where the browser has a network."""
    opened(page, exported)
    page.context.set_offline(False)
    refused = page.locator("html").evaluate(
        "() => new Promise(done => {"
        "document.addEventListener('securitypolicyviolation', e => done(e.effectiveDirective));"
        "fetch('http://127.0.0.1:9/').catch(() => {}); })"
    )
    assert refused == "connect-src"


def test_paper_shows_the_scenes(page: Page, exported: str) -> None:
    """What WebGL drew is gone when a page is printed, unless it is kept."""
    opened(page, exported)
    kept = scene(page, 1).evaluate(
        """div => {
            dispatchEvent(new Event("beforeprint"));
            const copy = div.querySelector(".paper");
            const seen = copy.getContext("2d").getImageData(0, 0, copy.width, copy.height).data;
            dispatchEvent(new Event("afterprint"));
            return [new Set(seen).size, document.querySelectorAll(".paper").length];
        }"""
    )
    assert kept[0] > 50
    assert kept[1] == 0


def test_on_a_phone_a_long_legend_makes_the_picture_higher(page: Page, tmp_path: Path) -> None:
    """As in the app: the axes keep their height, also after the phone has been turned."""
    groups = {f"a-group-with-a-long-name-{i}": [run(f"r{i}", 10.0**-i)] for i in range(1, 9)}
    path = tmp_path / "page.html"
    path.write_bytes(to_html_page([overlay.chart(groups)], "Eight groups"))
    page.goto(path.as_uri())
    expect(page.locator(".picture[aria-busy=false]")).to_have_count(2)
    wide = page.locator("#viz3d-flat-1").evaluate("div => div._fullLayout._size.h")
    page.set_viewport_size({"width": 390, "height": 844})
    wait_until(
        page,
        """wide => {
            const div = document.querySelector("#viz3d-flat-1");
            const { height, _size, legend } = div._fullLayout;
            return legend._height > 150 && height === div.clientHeight && _size.h >= wide - 20;
        }""",
        wide,
    )
