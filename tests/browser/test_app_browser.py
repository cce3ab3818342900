"""The app in a real browser: what is drawn, what a link carries, what a visit asks for."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import finished, visit
from tests.browser.mouse import hold, let_go

pytestmark = pytest.mark.browser

SCENE = ".viz3d-scene[aria-busy=false]"
FLAT = ".viz3d-flat[aria-busy=false]"
# Two runs draw quickly.
TWO = "run=gpt-lr-0.003-seed-0&run=gpt-lr-0.01-seed-0"


def scene(page: Page) -> Any:
    """Wait until the 3D scene is drawn, and return it."""
    found = page.locator(SCENE)
    found.wait_for()
    return found


def address(page: Page) -> dict[str, list[str]]:
    """Return what stands in the address after the question mark."""
    return parse_qs(urlsplit(page.url).query)


def expect_in_address(page: Page, key: str, value: str | None = None) -> None:
    """Wait until the address carries `key`, or `key` with `value`."""
    page.wait_for_function(
        """([key, value]) => {
            const found = new URLSearchParams(location.search).getAll(key);
            return value === null ? found.length > 0 : found.includes(value);
        }""",
        arg=[key, value],
    )


def camera(page: Page) -> dict[str, float]:
    """Return where the camera of the scene stands."""
    eye: dict[str, float] = scene(page).evaluate("div => div.layout.scene.camera.eye")
    return eye


def settings(page: Page) -> dict[str, Any]:
    """Return the settings of the chart on the screen, from its provenance."""
    found: dict[str, Any] = scene(page).evaluate("div => div.layout.meta.viz3d.settings")
    return found


def expect_kind(page: Page, kind: str) -> None:
    """Wait for a chart of this kind; that of the page before may still be there."""
    page.wait_for_function(
        "kind => document.querySelector('.viz3d-scene[aria-busy=false]')"
        "?.layout?.meta?.viz3d?.kind === kind",
        arg=kind,
    )


def go_to(page: Page, title: str) -> None:
    """Follow a link of the sidebar and wait for the page."""
    page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def test_surface_is_drawn_and_nothing_is_asked_of_another_host(newcomer: Page, server: str) -> None:
    """The first visit draws a real surface with WebGL, from this server alone."""
    hosts: set[str] = set()
    newcomer.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    errors: list[str] = []
    newcomer.on("pageerror", lambda error: errors.append(str(error)))
    newcomer.goto(f"{server}/Loss_landscape")
    div = scene(newcomer)
    surfaces = div.evaluate(
        "div => div._fullData.filter(t => t.type === 'surface' && t.visible)"
        ".map(t => t.z.length * t.z[0].length)"
    )
    assert surfaces
    assert min(surfaces) > 1000
    assert painted(newcomer) > 0.05
    expect(newcomer.locator(FLAT)).to_be_visible()
    assert newcomer.locator("[data-title^='Share chart']").count() == 0, "it would upload the chart"
    assert hosts - {""} == {urlsplit(server).netloc}
    assert errors == []


def painted(page: Page) -> float:
    """Return the share of the scene's pixels that carry colour, read back from WebGL."""
    return float(
        scene(page).evaluate(
            """async (div) => {
                const url = await Plotly.toImage(div, {format: 'png', width: 300, height: 300});
                const image = new Image();
                image.src = url;
                await image.decode();
                const canvas = document.createElement('canvas');
                canvas.width = canvas.height = 300;
                const pen = canvas.getContext('2d');
                pen.drawImage(image, 0, 0);
                const rgba = pen.getImageData(0, 100, 300, 200).data;
                let colourful = 0;
                for (let i = 0; i < rgba.length; i += 4) {
                    const [r, g, b] = rgba.slice(i, i + 3);
                    if (rgba[i + 3] > 0 && Math.max(r, g, b) - Math.min(r, g, b) > 40) colourful++;
                }
                return colourful / (rgba.length / 4);
            }"""
        )
    )


def test_copied_link_opens_the_same_view(page: Page, browser: Browser, server: str) -> None:
    """Selection, setting and role chosen in one browser are there when another opens the link."""
    page.goto(f"{server}/Loss_landscape")
    scene(page)
    choose(page, "Learning rate axis", "Rate at that step")
    expect_in_address(page, "rate")
    expect_in_address(page, "run")
    finished(page)
    with visit(browser) as other:
        visitor = other.new_page()
        visitor.goto(page.url)
        assert settings(visitor) == settings(page)
        assert address(visitor) == address(page)


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box."""
    box = page.get_by_test_id("stSelectbox").filter(has_text=label)
    # A list that opens while the page still scrolls to it closes again.
    box.scroll_into_view_if_needed()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box.locator("input, [aria-haspopup]").first.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_role_said_in_the_sidebar_is_drawn(page: Page, server: str) -> None:
    """The viewer says which metric is the loss: the chart and the address follow."""
    page.goto(f"{server}/Loss_landscape?{TWO}")
    before = scene(page).evaluate("div => div.layout.meta.viz3d.summary")
    page.get_by_text("Roles of metrics").click()
    choose(page, "Loss: loss", "val_loss")
    expect_in_address(page, "role.loss", "val_loss")
    page.wait_for_function(
        "before => JSON.stringify(document.querySelector('.viz3d-scene')?.layout?.meta?.viz3d"
        "?.summary ?? before) !== JSON.stringify(before)",
        arg=before,
    )


def test_page_switch_keeps_the_selection(page: Page, server: str) -> None:
    """Runs chosen on one page are chosen on the next, in the address as well."""
    runs = ["gpt-lr-0.003-seed-0", "gpt-lr-0.01-seed-0"]
    page.goto(f"{server}/?run={runs[0]}&run={runs[1]}")
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    go_to(page, "Gradient flow")
    scene(page)
    expect_in_address(page, "run", runs[1])
    assert address(page)["run"] == runs
    go_to(page, "Runs")
    expect(page.get_by_role("heading", name="Selected")).to_be_visible()
    expect_in_address(page, "run", runs[1])
    assert address(page)["run"] == runs


def test_camera_survives_new_data_and_other_pages(page: Page, server: str) -> None:
    """A view once turned stays turned when a setting changes, and after a look at another page."""
    page.goto(f"{server}/Loss_landscape?{TWO}")
    turned = {"x": 0.4, "y": 2.1, "z": 0.3}
    scene(page).evaluate("(div, eye) => Plotly.relayout(div, {'scene.camera.eye': eye})", turned)
    scene(page).evaluate("(div) => div.setAttribute('data-mark', 'first')")
    choose(page, "Strictness", "Strict")
    page.wait_for_function(
        "document.querySelector('.viz3d-scene').layout.meta.viz3d.settings.strictness === 'strict'"
    )
    assert camera(page) == pytest.approx(turned)
    assert scene(page).get_attribute("data-mark") == "first", "the same scene took the new data"
    go_to(page, "Gradient flow")
    expect_kind(page, "gradient-flow")
    assert camera(page) != pytest.approx(turned), "another chart has a camera of its own"
    go_to(page, "Loss landscape")
    expect_kind(page, "loss-landscape")
    assert camera(page) == pytest.approx(turned)


def test_mouse_turns_the_scene_and_the_view_can_be_reset(page: Page, server: str) -> None:
    """Dragging moves the camera, and one button puts it back where the chart had it."""
    page.goto(f"{server}/Gradient_flow")
    at_first = camera(page)
    hold(page, scene(page))
    let_go(page, scene(page))
    assert camera(page) != pytest.approx(at_first, abs=0.05)
    scene(page).hover()
    scene(page).locator("[data-title='Reset view']").click()
    page.wait_for_function(
        "x => Math.abs(document.querySelector('.viz3d-scene').layout.scene.camera.eye.x - x) < .01",
        arg=at_first["x"],
    )


def test_without_webgl_the_flat_twin_and_a_sentence_are_shown(page: Page, server: str) -> None:
    """A browser that cannot draw in 3D still shows the numbers, and says why there is no scene."""
    page.add_init_script(
        "const real = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  return kind.includes('webgl') ? null : real.call(this, kind, ...rest); };"
    )
    page.goto(f"{server}/Gradient_flow")
    page.locator(FLAT).wait_for()
    expect(page.get_by_text("WebGL switched off")).to_be_visible()
    assert page.locator(".viz3d-scene").count() == 0


def test_theme_of_the_page_reaches_the_chart(page: Page, server: str) -> None:
    """Axes take the page's text colour, so that they read in light and in dark."""
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{server}/Gradient_flow")
        scene_div = scene(page)
        drawn = scene_div.evaluate("div => div._fullLayout.scene.zaxis.color")
        text = scene_div.evaluate(
            "div => getComputedStyle(div).getPropertyValue('--st-text-color')"
        )
        assert drawn == text.strip()
        colours.append(drawn)
    assert colours[0] != colours[1]


def test_eight_panels_fit_into_the_browser(newcomer: Page, server: str) -> None:
    """Compare draws eight scenes, and leaving the page gives their WebGL contexts back."""
    warnings: list[str] = []
    newcomer.on("console", lambda message: warnings.append(message.text))
    newcomer.goto(f"{server}/Compare?kind=Gradient+flow")
    newcomer.wait_for_function(f"document.querySelectorAll('{SCENE}').length === 8")
    go_to(newcomer, "Gradient flow")
    newcomer.wait_for_function(f"document.querySelectorAll('{SCENE}').length === 1")
    assert not [text for text in warnings if "Too many active WebGL contexts" in text]


@pytest.mark.parametrize("path", ["Gradient_flow", "Explore?run=grpo-addition&x=grad_norm"])
def test_titles_of_axes_fit_on_a_phone(page: Page, server: str, path: str) -> None:
    """No letter touches the edge of the canvas, where it would be cut off."""
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{server}/{path}")
    scene(page).scroll_into_view_if_needed()
    picture = page.locator(f"{SCENE} canvas").first.screenshot()
    edges = page.evaluate(
        """async (picture) => {
            const image = await createImageBitmap(await (await fetch(picture)).blob());
            const { width, height } = image;
            const copy = new OffscreenCanvas(width, height).getContext("2d");
            copy.drawImage(image, 0, 0);
            const inked = (x) => {
                const { data } = copy.getImageData(x, 0, 1, height);
                return data.some((value, i) => i % 4 < 3 && value < 200);
            };
            return [0, 1, width - 2, width - 1].filter(inked);
        }""",
        f"data:image/png;base64,{base64.b64encode(picture).decode()}",
    )
    assert edges == []


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_is_cut_off(page: Page, server: str, width: int) -> None:
    """Pages never scroll sideways, on a phone either, and charts stay inside the window."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server}/Gradient_flow")
    finished(page)
    wide = "document.querySelector('[data-testid=stMain]')"
    assert page.evaluate(f"{wide}.scrollWidth <= {wide}.clientWidth")
    for selector in (SCENE, FLAT):
        box = page.locator(selector).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1


HOSTILE = "![x](https://evil.example/a.png) [y](https://evil.example) :red[z] <b>w<"


def test_hostile_names_stay_text(page: Page, server: str, tmp_path: Path) -> None:
    """Names from data load nothing, link nowhere and run nothing, in words and in charts."""
    folder = tmp_path / "x](https:" / "run-1"
    folder.mkdir(parents=True)
    nasty = f"<img src=x onerror='window.hit=1'> {HOSTILE}"
    rows = [
        {"step": i, "loss": 3 - i % 5, "learning_rate": 1e-3, nasty: i * i % 7} for i in range(40)
    ]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (folder / "run.json").write_text(json.dumps({"schema": 1, "config": {nasty: nasty}}), "utf-8")
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{server}/Training_dynamics?source={quote(str(tmp_path))}")
    scene(page)
    expect(page.get_by_text("onerror='window.hit=1'> ![x](").first).to_be_visible()
    page.goto(f"{server}/Reward_landscape?source={quote(str(tmp_path))}&role.reward={quote(nasty)}")
    scene(page)
    assert hosts - {""} == {urlsplit(server).netloc}
    assert page.locator("a[href*='evil']").count() == 0
    assert page.evaluate("window.hit") is None
