"""Fixtures that every test may use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

try:
    import fcntl
except ImportError:  # on Windows, where tests of deadlines have to be run by themselves
    fcntl = None

ROOT = Path(__file__).resolve().parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the tests of a deadline, in every process: they wait, and may wait side by side.

    Each process gets a run of tests as long as the others' to begin with.
    """
    processes = getattr(config, "workerinput", {}).get("workercount", 1)
    first = [item for item in items if _has_deadline(item)]
    others = iter([item for item in items if not _has_deadline(item)])
    left = len(items)
    items.clear()
    for at in range(processes):
        share = left // (processes - at)
        left -= share
        mine = first[at::processes]
        items += [*mine, *islice(others, share - len(mine))]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Let tests of a promised deadline run beside no others, however many processes run tests."""
    with _turn(*(KINDS if _has_deadline(item) else reversed(KINDS))):
        return (yield)


KINDS = ("deadline", "usual")


def _has_deadline(item: pytest.Item) -> bool:
    return item.get_closest_marker("deadline") is not None


@contextmanager
def _turn(mine: str, other: str) -> Iterator[None]:
    """Wait until no test of the other kind runs, and keep them waiting meanwhile.

    Whoever waits holds a lock that all need to begin, so that nobody is overtaken for ever.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if not run or fcntl is None:
        yield
        return
    stem = Path(tempfile.gettempdir(), f"viz3d-tests-{run}")
    with ExitStack() as opened:
        queue, ours, theirs = (
            opened.enter_context(stem.with_suffix(f".{name}").open("w"))
            for name in ("queue", mine, other)
        )
        fcntl.flock(queue, fcntl.LOCK_EX)
        fcntl.flock(theirs, fcntl.LOCK_EX)
        fcntl.flock(theirs, fcntl.LOCK_UN)
        fcntl.flock(ours, fcntl.LOCK_SH)
        fcntl.flock(queue, fcntl.LOCK_UN)
        yield


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests parse out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIZ3D_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real training logs; tests that need it are skipped where it does not exist."""
    folder = Path(os.environ.get("VIZ3D_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the folder of real training logs is not there")
    return folder


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that has a random plane, a plane with a path, and a line; and one bare.

    The loss is ``1 + 2 alpha² + beta²``; the path's own is higher by its share off the plane.
    """
    root = tmp_path_factory.mktemp("measured")
    alpha, beta = np.linspace(-1, 1, 5), np.linspace(-0.5, 0.5, 3)
    loss = 1 + 2 * alpha**2 + beta[:, None] ** 2
    along, across, off = np.array([0.9, 0.4, 0.0]), np.array([-0.4, 0.2, 0.0]), [0.9, 0.5, 0.0]
    plane = {"alpha": alpha, "beta": beta, "loss": loss, "loss_se": np.full((3, 5), 0.25)}
    path = {
        "path_alpha": along, "path_beta": across, "path_residual": np.array(off),
        "path_step": np.array([0, 10, 20]), "path_loss": 1 + 2 * along**2 + across**2 + off,
    }  # fmt: skip
    line = np.linspace(0, 1, 5)
    bump = 1 + np.sin(np.pi * line)
    about = {"schema": 1, "centre_step": 20, "n_samples": 64, "n_batches": 4}
    for name, kind, arrays in (
        ("random", "random", plane | {"eigenvalues": np.array([4.0, 2.0]),
                                      "eigenvalue_residuals": np.array([1e-3, 2e-3])}),
        ("plane", "pca", plane | path),
        ("along", "line", {"alpha": line, "loss": bump, "loss_se": np.full(5, 0.1)}),
    ):  # fmt: skip
        meta = about | {"kind": kind, "normalisation": "filter" if kind == "random" else "none"}
        meta |= {"explained": [0.7, 0.2]} if kind == "pca" else {}
        file = root / "trained" / "landscape" / f"{name}.npz"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, meta=np.array(json.dumps(meta)), **arrays)
    for name in ("trained", "bare"):
        (root / name).mkdir(exist_ok=True)
        rows = "".join(f'{{"step": {i}, "loss": {3 - i / 10}}}\n' for i in range(20))
        (root / name / "metrics.jsonl").write_text(rows, "utf-8")
    return root


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
