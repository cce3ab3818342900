"""Cameras and marks in a real browser: linked, chosen by button and key, kept; places marked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import POSES, finished, serve
from tests.browser.mouse import centre, hold, let_go

pytestmark = pytest.mark.browser

SCENE = ".viz3d-scene[aria-busy=false]"
# Where plotly.js itself has the cameras, also while the mouse is down.
EYES = f"""[...document.querySelectorAll('{SCENE}')].map((div) => {{
    const {{ eye }} = div._fullLayout.scene._scene.getCamera();
    return [eye.x, eye.y, eye.z];
}})"""
AGREE = f"""(before) => {{
    const far = (a, b) => Math.hypot(...a.map((part, i) => part - b[i]));
    const eyes = {EYES};
    return far(eyes[0], before) > 0.05 && eyes.every((eye) => far(eye, eyes[0]) < 1e-4);
}}"""
TOP = f"{EYES}.every(([x, y, z]) => Math.hypot(x, y) < 0.05 && z > 1.5)"

GROWN = f"document.querySelector('{SCENE}')?._fullData[0].z[0][0] > 2.5"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of small scenes that stands by itself."""
    with serve(tmp_path_factory.mktemp("small"), "tests/browser/scenes_page.py") as address:
        yield address


def scenes(page: Page, count: int) -> Locator:
    """Wait until so many scenes are drawn, and return them."""
    found = page.locator(SCENE)
    expect(found).to_have_count(count)
    return found


def eyes(page: Page) -> list[list[float]]:
    found: list[list[float]] = page.evaluate(EYES)
    return found


def marks(found: Locator) -> Locator:
    """Return what lies on a chart."""
    return found.locator("xpath=..").locator("svg.viz3d-marks")


def button(page: Page, name: str, which: int = 0) -> Locator:
    return page.locator(".viz3d-camera").nth(which).get_by_role("button", name=name)


def test_scenes_of_compare_turn_together_while_the_mouse_is_down(page: Page, server: str) -> None:
    """The other scenes follow before the mouse is let go, and stay when it is."""
    runs = "run=gpt-lr-0.003-seed-0&run=gpt-lr-0.01-seed-0"
    page.goto(f"{server}/Compare?kind=Gradient+flow&{runs}")
    first = scenes(page, 2).first
    before = eyes(page)[0]
    hold(page, first)
    page.wait_for_function(AGREE, arg=before)
    let_go(page, first)
    page.wait_for_function(AGREE, arg=before)
    keys = page.evaluate("[...window.viz3d.cameras.keys()].sort()")
    assert keys == ["gradient-flow-0/scene", "gradient-flow-1/scene"]


def test_unlinked_scenes_turn_alone_and_the_switch_is_remembered(page: Page, small: str) -> None:
    """With the switch off only one scene moves; a reload keeps both the switch and the cameras."""
    page.goto(small)
    first = scenes(page, 2).first
    expect(page.get_by_role("switch")).to_have_count(1)
    switch = page.get_by_role("switch", name="Link cameras")
    expect(switch).to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    before = eyes(page)
    hold(page, first)
    let_go(page, first)
    assert page.evaluate("window.viz3d.cameras.has('small-0/scene')")
    assert eyes(page)[0] != pytest.approx(before[0], abs=0.05)
    assert eyes(page)[1] == pytest.approx(before[1])
    page.reload()
    scenes(page, 2)
    expect(switch).not_to_be_checked()
    after = eyes(page)
    assert after[0] != pytest.approx(before[0], abs=0.05)
    assert after[1] == pytest.approx(before[1])
    switch.check()
    page.wait_for_function(AGREE, arg=before[0])


def test_new_data_leave_a_drag_alone(page: Page, small: str) -> None:
    """The scene is not set up anew under the mouse, and a drag after that is not lost either."""
    page.goto(f"{small}/?scenes=1")
    first = scenes(page, 1)
    canvas = first.locator("canvas").first
    canvas.evaluate("(canvas) => canvas.setAttribute('data-mark', 'first')")
    before = eyes(page)[0]
    hold(page, first)
    page.get_by_role("button", name="Grow").evaluate("(button) => button.click()")
    page.wait_for_function(GROWN)
    scenes(page, 1)
    assert eyes(page)[0] != pytest.approx(before, abs=0.05)
    let_go(page, first)
    assert canvas.get_attribute("data-mark") == "first"
    # Now the layout is another than that of the scene's beginning.
    hold(page, first)
    let_go(page, first)
    kept = page.evaluate("window.viz3d.cameras.get('small-0/scene').eye")
    assert first.evaluate("(div) => div.layout.scene.camera.eye") == pytest.approx(kept)


def test_one_scene_has_no_switch(page: Page, small: str) -> None:
    """There is nothing to link on a page with one scene."""
    page.goto(f"{small}/?scenes=1")
    scenes(page, 1)
    expect(page.get_by_role("switch")).to_have_count(0)


def test_presets_by_mouse(page: Page, small: str) -> None:
    """Each turns all linked scenes, at once with reduced motion; along an axis the eye is on it."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(small)
    found = scenes(page, 2)
    home = eyes(page)
    button(page, "Top", which=1).click()
    page.wait_for_function(TOP)
    expect(button(page, "Along x")).to_have_attribute("aria-label", "Along x: look along x (step)")
    for name, axis in (("Along x", 0), ("Along y", 1)):
        button(page, name).click()
        page.wait_for_function(
            f"(i) => {EYES}.every((eye) => Math.abs(eye[i]) > 2 && Math.abs(eye[1 - i]) < .05)",
            arg=axis,
        )
    assert found.first.evaluate(POSES, "Isometric") == 2
    page.wait_for_function(f"{EYES}.every(([x, y]) => x < -1 && Math.abs(x - y) < 1e-3)")
    button(page, "Reset").click()
    page.wait_for_function(
        f"(home) => {EYES}.flat().every((part, i) => Math.abs(part - home.flat()[i]) < 1e-3)",
        arg=home,
    )
    page.wait_for_function("window.viz3d.cameras.size === 0")


def test_everything_works_by_keyboard(page: Page, small: str) -> None:
    """Tab goes from the buttons into the scene; keys turn, zoom and choose presets there."""
    page.goto(small)
    scenes(page, 2)
    home = eyes(page)[0]
    button(page, "Isometric").focus()
    for name in ("Top", "Along x", "Along y", "Reset"):
        page.keyboard.press("Tab")
        expect(button(page, name)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    found = page.locator(SCENE).first
    expect(found).to_be_focused()
    assert "Arrow keys turn" in found.get_attribute("aria-description")
    assert found.get_attribute("aria-label").startswith("Scene 0, 3D.")
    outline = found.evaluate("(div) => getComputedStyle(div).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("2")
    page.wait_for_function(TOP)
    page.keyboard.press("0")
    page.wait_for_function(f"(x) => Math.abs({EYES}[1][0] - x) < 1e-3", arg=home[0])
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(AGREE, arg=home)
    page.keyboard.press("0")
    page.wait_for_function(f"(x) => Math.abs({EYES}[0][0] - x) < 1e-3", arg=home[0])
    page.keyboard.press("+")
    page.wait_for_function(f"(x) => Math.abs({EYES}[0][0]) < 0.9 * Math.abs(x)", arg=home[0])


def test_crosshair_marks_the_same_place_elsewhere(page: Page, small: str) -> None:
    """What the pointer is on is marked in the other scene and the twin, and only while it is."""
    page.goto(small)
    first, second = scenes(page, 2).first, page.locator(SCENE).nth(1)
    twin = page.locator(".viz3d-flat[aria-busy=false]")
    expect(twin).to_have_count(1)
    button(page, "Top").click()
    page.wait_for_function(TOP)
    x, y = centre(first)
    page.mouse.move(x - 20, y + 15)
    page.mouse.move(x - 25, y + 10)
    dot = marks(second).locator("circle")
    expect(dot).to_have_count(1)
    assert marks(first).locator("circle").count() == 0, "the pointer is mark enough"
    expect(marks(twin).locator("circle")).to_have_count(1)
    other = centre(second)
    box = dot.bounding_box()
    at = box["x"] + box["width"] / 2 - other[0], box["y"] + box["height"] / 2 - other[1]
    assert at == pytest.approx((-25, 10), abs=12), "the surface has a point every few pixels"
    assert len(second.evaluate("(div) => div.data")) == 1, "the figure itself has no mark"
    page.mouse.move(5, 5)
    expect(page.locator(".viz3d-marks path")).to_have_count(0)


def test_other_axes_get_no_crosshair(page: Page, small: str) -> None:
    """A place means nothing where y is something else."""
    page.goto(f"{small}/?others=batch")
    first, second = scenes(page, 2).first, page.locator(SCENE).nth(1)
    twin = page.locator(".viz3d-flat[aria-busy=false]")
    expect(twin).to_have_count(1)
    x, y = centre(first)
    page.mouse.move(x, y + 5)
    page.mouse.move(x + 3, y + 8)
    expect(marks(twin).locator("circle")).to_have_count(1)
    assert marks(second).locator("path").count() == 0


def test_focus_marks_a_place_and_puts_it_in_the_middle(page: Page, small: str) -> None:
    """The place that the page names is marked, named and in the middle, until it changes."""
    page.goto(small)
    first = scenes(page, 2).first
    mark = marks(first)
    page.get_by_text("point", exact=True).click()
    expect(mark.locator("text")).to_have_text("spike of <b>a</b>")
    at_place = """(div) => {
        const { l, t, w, h } = div._fullLayout._size;
        const dot = div.parentElement.querySelector('.viz3d-marks circle');
        if (!dot) return Infinity;
        const [x, y] = [dot.cx.baseVal.value, dot.cy.baseVal.value];
        return Math.hypot(x - l - w / 2, y - t - h / 2);
    }"""
    page.wait_for_function(f"({at_place})(document.querySelector('{SCENE}')) < 1")
    centred = first.evaluate("(div) => div._fullLayout.scene._scene.getCamera().center")
    assert centred == pytest.approx({"x": -1.25 / 6, "y": -1.1 / 6, "z": 0.0}, abs=1e-4)
    button(page, "Top").click()
    page.get_by_role("button", name="Grow").click()
    page.wait_for_function(GROWN)
    page.wait_for_function(TOP.replace("0.05", "0.5"))
    expect(mark.locator("circle")).to_have_count(1)
    page.get_by_text("plane", exact=True).click()
    expect(mark.locator("text")).to_have_text("step 60")
    assert "Marked: step 60." in first.get_attribute("aria-label")
    assert mark.locator("circle").count() == 0, "a step is a plane, not a point"
    page.get_by_text("none", exact=True).click()
    expect(mark.locator("path")).to_have_count(0)
    page.get_by_text("outside", exact=True).click()
    expect(page.get_by_text("later lies outside the axes.")).to_be_visible()
    assert mark.locator("path").count() == 0


def test_focus_brings_its_scene_into_view_once(page: Page, small: str) -> None:
    """A scene below the window comes up; who scrolls away again is left alone."""
    page.set_viewport_size({"width": 1280, "height": 640})
    page.goto(small)
    first = scenes(page, 2).first
    expect(first).not_to_be_in_viewport(ratio=0.99)
    page.get_by_text("point", exact=True).click()
    expect(first).to_be_in_viewport(ratio=0.99)
    up = "document.querySelector('[data-testid=stMain]').scrollTo(0, 0)"
    page.evaluate(up)
    page.get_by_role("button", name="Grow").click()
    page.wait_for_function(GROWN)
    expect(first).not_to_be_in_viewport(ratio=0.99)


def test_camera_survives_new_data_while_linked(page: Page, small: str) -> None:
    """New data, and a scene that comes back, keep the view that all scenes share."""
    page.goto(small)
    scenes(page, 2)
    button(page, "Top").click()
    page.wait_for_function(TOP)
    page.get_by_text("Fewer").click()
    scenes(page, 1)
    button(page, "Along x").click()
    page.wait_for_function(f"Math.abs({EYES}[0][0]) > 2")
    page.get_by_role("button", name="Grow").evaluate("(button) => button.click()")
    page.wait_for_function(GROWN)
    expect(button(page, "Along x")).to_be_focused()
    page.get_by_text("Fewer").click()
    scenes(page, 2)
    page.wait_for_function(f"{EYES}.every((eye) => Math.abs(eye[0]) > 2)")


def test_a_move_is_known_by_where_the_camera_comes_to_rest(page: Page, small: str) -> None:
    """plotly.js tells of it before it has made it; of one that is made from here there is no news.

    What the viewer turns meanwhile is news all the same.
    """
    page.goto(f"{small}/?scenes=1")
    scene = scenes(page, 1)
    finished(page)
    scene.evaluate(
        """(div) => {
            const { camera, _scene } = div._fullLayout.scene;
            div.emit("plotly_relayouting", { "scene.camera": camera });
            _scene.camera.lookAt([0.5, -2, 1], [0, 0, 0], [0, 0, 1]);
        }"""
    )
    page.wait_for_function("window.viz3d.cameras.get('small-0/scene')?.eye.y < -1.9")
    told = scene.evaluate(
        """(div) => {
            const { group } = window.viz3d;
            const [view] = group.of(div);
            const told = (camera) => {
                view.settling = 0;
                div.emit("plotly_relayouting", { "scene.camera": camera });
                return view.settling > 0;
            };
            const other = { ...view.camera, eye: { x: 1, y: -2, z: 1 } };
            group.busy.add(div);
            try {
                return [told(view.camera), told(other), view.camera.eye.x];
            } finally {
                group.busy.delete(div);
            }
        }"""
    )
    assert told == [False, True, 1]


def test_a_turn_since_the_last_frame_survives_new_data(page: Page, small: str) -> None:
    """The camera is read when the scene is drawn anew, not at each frame alone."""
    page.goto(small)
    second = scenes(page, 2).nth(1)  # no twin is drawn before it, which would take frames
    finished(page)
    second.evaluate(
        """(div) => {
            const { camera, _scene } = div._fullLayout.scene;
            div.emit("plotly_relayouting", { "scene.camera": camera });
            _scene.camera.lookAt([0.5, -2, 1], [0, 0, 0], [0, 0, 1]);
            [...window.viz3d.charts].find((chart) => chart.plots.get("figure") === div).redraw();
        }"""
    )
    expect(page.locator(SCENE)).to_have_count(2)
    finished(page)
    assert eyes(page)[1] == pytest.approx([0.5, -2, 1], abs=1e-6)


def test_cameras_are_read_again_when_a_link_has_set_them(page: Page, small: str) -> None:
    """Who sets cameras from elsewhere says so with an event; each scene takes its own."""
    page.goto(small)
    scenes(page, 2)
    page.evaluate(
        """() => {
            const [center, up] = [{ x: 0, y: 0, z: 0 }, { x: 0, y: 0, z: 1 }];
            window.viz3d.linked = false;
            window.viz3d.cameras.set('small-0/scene', { eye: { x: 2, y: 1, z: 1 }, center, up });
            window.viz3d.cameras.set('small-1/scene', { eye: { x: 1, y: 2, z: 1 }, center, up });
            window.dispatchEvent(new Event('viz3d:cameras'));
        }"""
    )
    page.wait_for_function(f"{EYES}[0][0] > 1.9 && {EYES}[1][1] > 1.9")
    expect(page.get_by_role("switch")).not_to_be_checked()
    assert eyes(page) == [pytest.approx([2, 1, 1]), pytest.approx([1, 2, 1])]


def test_ninth_scene_is_flat_until_there_is_room(page: Page, small: str) -> None:
    """Eight scenes take the WebGL contexts there are; the ninth says so and shows its twin."""
    page.goto(f"{small}/?scenes=10")
    scenes(page, 8)
    said = page.get_by_text("A browser draws no more than 8 scenes on one page")
    expect(said).to_have_count(2)
    # The one whose twin stands beside its scene gives way first.
    expect(page.locator(".viz3d-flat[aria-busy=false]")).to_have_count(2)
    expect(page.get_by_label("Scene 0, 3D")).to_have_count(0)
    page.get_by_text("Fewer").click()
    expect(said).to_have_count(1)
    expect(page.locator(".viz3d-flat[aria-busy=false]")).to_have_count(1)
    scenes(page, 8)


def test_scene_that_is_asked_for_takes_the_place_of_the_farthest(page: Page, small: str) -> None:
    """It is drawn, has the focus, and the one that became flat can be asked for likewise."""
    page.goto(f"{small}/?scenes=9")
    scenes(page, 8)
    ask = page.get_by_role("button", name="Draw this one in 3D")
    ask.click()
    expect(page.get_by_label("Scene 0, 3D")).to_be_focused()
    expect(page.get_by_label("Scene 8, 3D")).to_have_count(0)
    scenes(page, 8)
    ask.click()
    expect(page.get_by_label("Scene 8, 3D")).to_be_focused()
    scenes(page, 8)


def test_compare_without_webgl_shows_the_twins(page: Page, server: str) -> None:
    """Panels that have scenes alone fall back on their twins, one sentence each."""
    page.add_init_script(
        "const real = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  return kind.includes('webgl') ? null : real.call(this, kind, ...rest); };"
    )
    runs = "run=gpt-lr-0.003-seed-0&run=gpt-lr-0.01-seed-0"
    page.goto(f"{server}/Compare?kind=Gradient+flow&{runs}")
    expect(page.locator(".viz3d-flat[aria-busy=false]")).to_have_count(2)
    expect(page.get_by_text("WebGL switched off")).to_have_count(2)
    expect(page.locator(".viz3d-camera")).to_have_count(0)
