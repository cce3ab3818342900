"""One server and one Chromium for all browser tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
# Seconds until what does not come is a failure, and nothing else: no test that passes waits for it.
# It was 60, which tests ran into that draw beside others on two cores, with WebGL in software:
# there the first page alone takes half a minute.
PATIENCE = 120

# Press a button, look at a camera for 20 frames, and count where it stood: a jump has two. Its eye
# is computed anew for each frame, so the last of its digits say nothing.
POSES = """(div, name) => new Promise((done) => {
    const seen = new Set();
    const { _scene } = div._fullLayout.scene;
    const look = () => {
        const { x, y, z } = _scene.getCamera().eye;
        seen.add([x, y, z].map((part) => part.toFixed(12)).join());
        if (++look.frames < 20) requestAnimationFrame(look);
        else done(seen.size);
    };
    look.frames = 0;
    look();
    const buttons = [...document.querySelectorAll(".viz3d-camera button")];
    buttons.find((button) => button.textContent === name).click();
})"""


def wait_until(page: Page, condition: str, arg: object = None) -> None:
    """Wait until a function of JavaScript returns true; it is asked at each frame.

    Playwright's own waiting asks again with `eval`, which the exported page forbids.
    """
    came = page.evaluate(
        f"""(arg) => new Promise((done, fail) => {{
            const condition = {condition};
            const end = performance.now() + {1000 * PATIENCE};
            const look = () => {{
                try {{
                    if (condition(arg)) done(true);
                    else if (performance.now() > end) done(false);
                    else requestAnimationFrame(look);
                }} catch (error) {{
                    fail(error);
                }}
            }};
            look();
        }})""",
        arg,
    )
    assert came, f"this did not come true: {condition}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as a user starts it, on a port of its own and without anyone's settings."""
    with serve(tmp_path_factory.mktemp("server")) as address:
        yield address


@contextmanager
def serve(folder: Path, script: str = "app.py", **settings: str) -> Iterator[str]:
    """Run the app on a free port, with these settings and nobody's; its log goes into `folder`.

    `script` is another script than the app's.
    """
    with started(folder, ["streamlit", "run", script, "--server.port"], **settings) as (address, _):
        yield address


@contextmanager
def started(
    folder: Path, command: list[str], **settings: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a Python module that serves the app on the port behind its last argument.

    Yields its address and its process.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hidden = {"VIZ3D_SOURCE", "GCS_BUCKET", "GOOGLE_APPLICATION_CREDENTIALS"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, str(port)],
            cwd=ROOT, env=environment | settings, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_until_healthy(address, process, log)
            yield address, process
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The app did not start:\n{log.read_text('utf-8')}", pytrace=False)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium with its software WebGL."""
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--process-per-site"]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def regular(browser: Browser, server: str) -> Iterator[BrowserContext]:
    """A visitor who comes again and again, which spares compiling the code at each visit.

    A tab that stays open keeps the process alive that all tabs of the app share.
    """
    with visit(browser) as context:
        context.new_page().goto(f"{server}/_stcore/health")
        yield context


@pytest.fixture
def page(regular: BrowserContext) -> Iterator[Page]:
    """A fresh tab: no cookies, no storage; what was cached and compiled before is still there."""
    origins: set[str] = set()

    def note(request: Request) -> None:
        if request.is_navigation_request():
            place = urlsplit(request.url)
            origins.add(f"{place.scheme}://{place.netloc}")

    regular.on("request", note)
    yield regular.new_page()
    regular.remove_listener("request", note)
    stays, *opened = regular.pages
    for each in opened:
        each.close()
    regular.set_offline(False)
    regular.clear_permissions()
    regular.clear_cookies()
    devtools = regular.new_cdp_session(stays)
    for origin in origins:
        devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    devtools.detach()


@pytest.fixture
def newcomer(browser: Browser) -> Iterator[Page]:
    """A fresh visitor: nothing cached either."""
    with visit(browser) as context:
        yield context.new_page()


@contextmanager
def visit(browser: Browser, **settings: Any) -> Iterator[BrowserContext]:
    """Let another visitor come, as patient as all."""
    window: Any = {"width": 1280, "height": 900}
    context = browser.new_context(**{"viewport": window, **settings})
    context.set_default_timeout(PATIENCE * 1000)
    try:
        yield context
    finally:
        context.close()


def finished(page: Page) -> None:
    """Wait until the script of a page has run to its end and its charts are drawn.

    Until then Streamlit may still replace what is on it, and a click or the focus is lost.
    """
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    expect(page.locator(".viz3d-panel[aria-busy=true]")).to_have_count(0)
