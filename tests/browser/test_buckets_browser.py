"""Buckets and growing runs in a real browser, against a storage server that fails as it is told."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, serve
from tests.browser.mouse import hold, let_go
from tests.browser.test_app_browser import (
    address,
    camera,
    expect_in_address,
    go_to,
    scene,
)  # fmt: skip
from tests.storage.server import Fault, StorageServer

pytestmark = pytest.mark.browser

BUCKET = "our-runs"
SWEEP = {f"sweep-{rate}": rate for rate in (1e-4, 1e-3, 1e-2)}
STRANGE = "run ?#&%+= 50%"


def rows(rate: float, first: int, last: int) -> bytes:
    """Return some rows of a run as JSON lines."""
    off = math.log10(rate / 1e-3)
    lines = [
        {
            "step": step,
            "loss": 2 + 3 * math.exp(-step / 20) + 0.3 * off**2 + 0.02 * math.sin(7 * step),
            "learning_rate": rate,
        }
        for step in range(first, last)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.fixture(scope="module")
def storage() -> Iterator[StorageServer]:
    """The service with a sweep and a run of a strange name."""
    with StorageServer() as service:
        for name, rate in {**SWEEP, STRANGE: 1e-3}.items():
            service.put(BUCKET, f"runs/{name}/metrics.jsonl", rows(rate, 0, 60))
        yield service


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of verified copies, empty at first."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def app(
    storage: StorageServer, cache: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The app, its buckets on that service."""
    settings = {"STORAGE_EMULATOR_HOST": storage.url, "VIZ3D_CACHE_DIR": cache}
    with serve(tmp_path_factory.mktemp("app"), **settings) as url:
        yield url


@contextmanager
def failing(storage: StorageServer, *faults: Fault) -> Iterator[None]:
    """Let the service fail."""
    storage.faults[:] = faults
    try:
        yield
    finally:
        storage.faults.clear()


def bucket(name: str) -> str:
    """Return the address of a bucket for a link."""
    return f"source={quote(f'gs://{name}', safe='')}"


def drag(page: Page) -> dict[str, float]:
    """Turn the scene with the mouse and return where the camera then stands."""
    hold(page, scene(page))
    let_go(page, scene(page))
    return camera(page)


LAST_STEP = """() => Math.max(
    ...[...(document.querySelector('.viz3d-scene[aria-busy=false]')?.data ?? [])]
    .filter((trace) => trace.type === 'scatter3d' && trace.mode?.includes('lines'))
    .flatMap((trace) => Array.from(trace.x?._inputArray ?? trace.x ?? []))
    .filter(Number.isFinite))"""


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_growing_run_is_drawn_anew_and_the_view_stays(
    page: Page, app: str, storage: StorageServer, tmp_path: Path, where: str
) -> None:
    """A run that is being written grows on the screen by itself; camera and selection stay."""

    def write(last: int) -> None:
        for name, rate in SWEEP.items():
            data = rows(rate, 0, last)
            if where == "bucket":
                storage.put("growing", f"{name}/metrics.jsonl", data)
            else:
                (tmp_path / name).mkdir(exist_ok=True)
                (tmp_path / name / "metrics.jsonl").write_bytes(data)

    write(60)
    source = bucket("growing") if where == "bucket" else f"source={quote(str(tmp_path))}"
    page.goto(f"{app}/Loss_landscape?{source}")
    scene(page)
    assert page.evaluate(LAST_STEP) == 59
    expect(page.get_by_test_id("stSidebar").get_by_text("Last change")).to_be_visible()
    turned = drag(page)
    scene(page).evaluate("div => div.setAttribute('data-mark', 'first')")
    chosen = address(page)["run"]
    write(90)
    page.wait_for_function(f"({LAST_STEP})() === 89")
    assert camera(page) == pytest.approx(turned)
    assert scene(page).get_attribute("data-mark") == "first", "the same scene took the new data"
    assert address(page)["run"] == chosen


def test_folders_are_shown_until_the_runs_are_listed(
    page: Page, app: str, storage: StorageServer
) -> None:
    """A listing that takes long shows at once what is there, then the table in its place."""
    for name, rate in SWEEP.items():
        storage.put("slow-listing", f"runs/{name}/metrics.jsonl", rows(rate, 0, 60))
    gate = Event()
    slow = Fault(
        "pass", on="list", bucket="slow-listing", then=lambda: gate.wait(PATIENCE), times=1,
        when=lambda request: "matchGlob" in request.query,
    )  # fmt: skip
    with failing(storage, slow):
        page.goto(f"{app}/?{bucket('slow-listing')}")
        expect(page.get_by_text("3 folders found")).to_be_visible()
        expect(page.get_by_role("heading", name="All runs")).to_have_count(0)
        gate.set()
        expect(page.get_by_role("heading", name="All runs")).to_be_visible()
        expect(page.get_by_text("folders found")).to_have_count(0)


def test_download_is_stopped_and_goes_on(page: Page, app: str, storage: StorageServer) -> None:
    """Stop ends the requests and shows what came; Continue fetches the rest, and only the rest."""
    padding = b'{"step": 0, "note": "' + b"x" * 8_000_000 + b'"}\n'
    small, large, _ = SWEEP
    storage.put("large", f"{small}/metrics.jsonl", rows(1e-4, 0, 60))
    storage.put("large", f"{large}/metrics.jsonl", padding + rows(1e-3, 0, 60))
    slowly = Fault("drip", bucket="large", name=f"{large}*", rate=100_000, times=None)
    with failing(storage, slowly):
        page.goto(f"{app}/Loss_landscape?{bucket('large')}&run={small}&run={large}")
        expect(page.get_by_text(re.compile(r"Downloading: (?!0\.0 )"))).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("1 of 2 chosen runs can be shown")).to_be_visible()
        scene(page)
        names = "div => div.layout.meta.viz3d.runs.map(run => run.name)"
        assert scene(page).evaluate(names) == [small]
    before = len(storage.requests)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.wait_for_function(
        "document.querySelector('.viz3d-scene[aria-busy=false]')"
        "?.layout?.meta?.viz3d?.runs?.length === 2"
    )
    media = [found for found in storage.requests[before:] if found.kind == "media"]
    assert {found.name for found in media} == {f"{large}/metrics.jsonl"}
    assert media[0].range, "it goes on where it stopped"


def test_other_choice_ends_a_download(page: Page, app: str, storage: StorageServer) -> None:
    """Who deselects the large run waits for it no longer, and nothing is locked."""
    small, large, _ = SWEEP
    padding = b'{"step": 0, "note": "' + b"x" * 20_000_000 + b'"}\n'
    storage.put("huge", f"{small}/metrics.jsonl", rows(1e-4, 0, 60))
    storage.put("huge", f"{large}/metrics.jsonl", padding + rows(1e-3, 0, 60))
    slowly = Fault("drip", bucket="huge", name=f"{large}*", rate=100_000, times=None)
    with failing(storage, slowly):
        page.goto(f"{app}/Loss_landscape?{bucket('huge')}&run={small}&run={large}")
        expect(page.get_by_text("Downloading:")).to_be_visible()
        chip = page.get_by_test_id("stMultiSelect").get_by_text(large, exact=True)
        chip.locator("xpath=..").get_by_role("button").or_(
            chip.locator("xpath=..").locator("svg")
        ).first.click()
        scene(page)
        expect(page.get_by_text("Downloading:")).to_have_count(0)


def test_fault_is_shown_and_passes(page: Page, app: str, storage: StorageServer) -> None:
    """An unreadable bucket: one box, and after a click on Try again the runs of the link."""
    storage.put("closed", "a-1/metrics.jsonl", rows(1e-3, 0, 60))
    with failing(storage, Fault("status", on="*", bucket="closed", status=403, times=None)):
        page.goto(f"{app}/Loss_landscape?{bucket('closed')}&run=a-1&strictness=Strict")
        expect(page.get_by_test_id("stMain").get_by_test_id("stAlert")).to_be_visible()
        expect(page.get_by_text("not open to everyone")).to_be_visible()
        expect(page.get_by_text("No runs")).to_have_count(0)
    page.get_by_role("button", name="Try again", exact=True).click()
    scene(page)
    assert address(page)["run"] == ["a-1"]
    assert address(page)["strictness"] == ["Strict"]


def test_bucket_that_goes_away_keeps_its_runs(
    page: Page, app: str, storage: StorageServer, cache: str, tmp_path: Path
) -> None:
    """Without the bucket the runs that are here are drawn, as of when they were listed."""
    for name, rate in SWEEP.items():
        storage.put("leaving", f"{name}/metrics.jsonl", rows(rate, 0, 60))
    page.goto(f"{app}/Loss_landscape?{bucket('leaving')}")
    scene(page)
    away = Fault("status", on="*", status=503, times=None)
    settings = {"STORAGE_EMULATOR_HOST": storage.url, "VIZ3D_CACHE_DIR": cache}
    with failing(storage, away), serve(tmp_path, **settings) as later:
        page.goto(f"{later}/Loss_landscape?{bucket('leaving')}")
        scene(page)
        expect(page.get_by_text("Shown is what was there as of")).to_be_visible()
        expect(page.get_by_test_id("stSidebar").get_by_text("As of 2")).to_be_visible()


def test_strange_names_round_trip_through_the_address(
    page: Page, app: str, storage: StorageServer
) -> None:
    """Names that mean something in an address are kept, on every page and in a copied link."""
    page.goto(f"{app}/?{bucket(BUCKET)}&run={quote(STRANGE, safe='')}")
    expect(page.get_by_role("heading", name="Selected")).to_be_visible()
    go_to(page, "Loss landscape")
    scene(page)
    expect_in_address(page, "run", STRANGE)
    expect_in_address(page, "source", f"gs://{BUCKET}")
    copied = page.url
    page.goto("about:blank")
    page.goto(copied)
    names: Any = scene(page).evaluate("div => div.layout.meta.viz3d.runs.map(run => run.name)")
    assert names == [STRANGE]
