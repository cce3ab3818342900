"""One server and one Chromium for all browser tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60  # seconds until what does not come is a failure


def find_chromium() -> str | None:
    """Return the path of a Chromium on this machine."""
    places = [os.environ.get("CHROMIUM_PATH"), *(shutil.which(name) for name in NAMES)]
    return next((place for place in places if place), None)


def launch(playwright: Playwright) -> Browser:
    """Start Chromium, installing one first where there is none."""
    chromium = find_chromium()
    if chromium is None:
        return launch_installed(playwright)
    return playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


def launch_installed(playwright: Playwright) -> Browser:
    """Install Playwright's own Chromium, or else that of the system, and start it."""
    _try([sys.executable, "-m", "playwright", "install", "chromium"])
    try:
        return playwright.chromium.launch(args=["--no-sandbox"])
    except Error:
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            _try(["apt-get", "install", "-y", "chromium"])
    chromium = find_chromium()
    if chromium is None:
        pytest.fail(
            "These tests need Chromium and none could be installed; install it, or name one with "
            "the environment variable CHROMIUM_PATH.",
            pytrace=False,
        )
    return playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


def _try(command: list[str]) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, check=False, timeout=600, capture_output=True)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as a user starts it, on a port of its own and without anyone's settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hidden = {"VIZ3D_SOURCE", "GCS_BUCKET", "GOOGLE_APPLICATION_CREDENTIALS"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    log = tmp_path_factory.mktemp("server") / "log.txt"
    command = ["streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_until_healthy(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


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
def browser() -> Iterator[Browser]:
    """A headless Chromium with its software WebGL."""
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor: no cookies, no storage, nothing cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE * 1000)
    yield context.new_page()
    context.close()
