"""Turning a scene with the mouse, as a person does: when the page stands, until it follows."""

from __future__ import annotations

import math

from playwright.sync_api import Locator, Page, expect

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


def centre(scene: Locator) -> tuple[float, float]:
    """Bring a scene into view and return its middle, in pixels of the window."""
    scene.scroll_into_view_if_needed()
    x, y = scene.evaluate(MIDDLE)
    return x, y


def hold(page: Page, scene: Locator) -> None:
    """Turn a scene by the mouse and keep the button down.

    A script that still runs may move the scene away from under the mouse, and plotly.js leaves
    moves alone until half a second after it set up a scene: so wait for the first, and go on
    until the scene has followed. Sideways only: plotly.js carries a move on until the next frame,
    and where that is late, a move up or down ends at the pole, whence sideways leads nowhere.
    """
    expect(page.locator("[data-testid=stApp][data-test-script-state=running]")).to_have_count(0)
    x, y = centre(scene)
    before = scene.evaluate(EYE)
    page.mouse.move(x, y)
    scene.evaluate(FRAME)
    page.mouse.down()
    for _ in range(WAYS):
        x += 20
        page.mouse.move(x, y, steps=2)
        scene.evaluate(FRAME)
        if math.dist(scene.evaluate(EYE), before) > 0.3:
            return
    raise AssertionError("the scene does not follow the mouse")
