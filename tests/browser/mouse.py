"""Turning a scene with the mouse, as a person does: when the page stands, until it follows."""

from __future__ import annotations

import math

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import wait_until

WAYS = 20  # short ways of the mouse until a scene that does not follow is a failure

EYE = """(div) => {
    const { x, y, z } = div._fullLayout.scene._scene.getCamera().eye;
    return [x, y, z];
}"""
# Where the middle of a scene's own part of its panel is, once it has stood for several frames.
MIDDLE = """(div) => new Promise((done) => {
    let last = [];
    let stood = 0;
    const look = () => {
        const { l, t, w, h } = div._fullLayout._size;
        const { left, top } = div.getBoundingClientRect();
        const now = [left + l + w / 2, top + t + h / 2];
        stood = now.every((part, i) => part === last[i]) ? stood + 1 : 0;
        last = now;
        if (stood > 5) done(now);
        else requestAnimationFrame(look);
    };
    look();
})"""
FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# plotly.js leaves moves alone until half a second after it drew a scene.
HEEDS = "(div) => div._fullLayout.scene._scene.camera.view.lastT() <= performance.now()"
# The layout, whence a resize and a picture take the camera, has it as it is drawn, and still has it
# after the frames in which plotly.js may carry a move on.
RESTS = """(div) => {
    const { eye } = div._fullLayout.scene._scene.getCamera();
    const kept = div.layout.scene.camera.eye;
    const same = ["x", "y", "z"].every((side) => Math.abs(eye[side] - kept[side]) < 1e-6);
    div.viz3dStood = same ? (div.viz3dStood ?? 0) + 1 : 0;
    return div.viz3dStood > 10;
}"""


def centre(scene: Locator) -> tuple[float, float]:
    """Bring a scene into view and return its middle, in pixels of the window."""
    scene.scroll_into_view_if_needed()
    x, y = scene.evaluate(MIDDLE)
    return x, y


def hold(page: Page, scene: Locator) -> None:
    """Turn a scene by the mouse and keep the button down.

    A script that still runs may move the scene away from under the mouse or draw it anew: so wait
    for that, and go on until the scene has followed. Sideways only: plotly.js carries a move on
    until the next frame, and where that is late, a move up or down ends at the pole, whence
    sideways leads nowhere.
    """
    expect(page.locator("[data-testid=stApp][data-test-script-state=running]")).to_have_count(0)
    x, y = centre(scene)
    page.mouse.move(x, y)
    wait_until(page, HEEDS, scene.element_handle())
    before = scene.evaluate(EYE)
    page.mouse.down()
    for _ in range(WAYS):
        x += 20
        page.mouse.move(x, y, steps=2)
        scene.evaluate(FRAME)
        if math.dist(scene.evaluate(EYE), before) > 0.3:
            return
    raise AssertionError("the scene does not follow the mouse")


def let_go(page: Page, scene: Locator) -> None:
    """Release the button and wait until the scene rests and the page knows where."""
    page.mouse.up()
    scene.evaluate("(div) => { div.viz3dStood = 0; }")
    wait_until(page, RESTS, scene.element_handle())
