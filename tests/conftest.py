"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

try:
    import fcntl
except ImportError:  # on Windows, where tests of deadlines have to be run by themselves
    fcntl = None

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Let a test of a promised deadline run alone, however many processes run tests."""
    with _turn(alone=item.get_closest_marker("deadline") is not None):
        return (yield)


@contextmanager
def _turn(*, alone: bool) -> Iterator[None]:
    """Hold a lock that all tests share, or one has for itself.

    Whoever waits for it holds a second one, so that nobody is overtaken for ever.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if not run or fcntl is None:
        yield
        return
    stem = Path(tempfile.gettempdir(), f"viz3d-tests-{run}")
    with stem.with_suffix(".queue").open("w") as queue, stem.with_suffix(".turn").open("w") as turn:
        fcntl.flock(queue, fcntl.LOCK_EX)
        fcntl.flock(turn, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real training logs; tests that need it are skipped where it does not exist."""
    folder = Path(os.environ.get("VIZ3D_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the folder of real training logs is not there")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium: one that is there, else one that is installed for the tests."""
    found = _find_chromium() or _playwrights_own() or _debians() or ""
    if not found:
        pytest.fail(
            "These tests need Chromium and none could be installed; install it, or name one with "
            "the environment variable CHROMIUM_PATH.",
            pytrace=False,
        )
    return found


def _find_chromium() -> str | None:
    places = [os.environ.get("CHROMIUM_PATH"), *(shutil.which(name) for name in BROWSERS)]
    return next((place for place in places if place), None)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    _try([sys.executable, "-m", "playwright", "install", *_with_libraries(), "chromium"])
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _debians() -> str | None:
    if _is_root():
        _try(["apt-get", "update"])
        _try(["apt-get", "install", "-y", "chromium"])
    return _find_chromium()


def _with_libraries() -> list[str]:
    return ["--with-deps"] if _is_root() else []


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _try(command: list[str]) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, check=False, timeout=600, capture_output=True)
