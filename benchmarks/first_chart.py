"""Time from asking for the page to the first 3D chart, as ratios to a bare Plotly page.

    python benchmarks/first_chart.py [--rounds 3]

Every figure is the median over the rounds. *Cold* is a browser with an empty cache, *warm* the same
browser again. The bare page is one HTML file with plotly.js and one 96 x 96 surface; nothing that
draws with plotly.js can be faster. `words` is when the chart's paragraph stands on the page.

Workloads, as Parquet run folders of 12 metrics with one single-step spike:
W1 is one run of 10,000 steps, W2 20 of those, W3 one run of 1,000,000 steps, W4 200 runs of 2,000.
`samples` is the bundled learning-rate sweep.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import plotly
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
WORKLOADS = {"W1": (1, 10_000), "W2": (20, 10_000), "W3": (1, 1_000_000), "W4": (200, 2_000)}
DRAWN = '.viz3d-scene[aria-busy="false"] canvas'
BARE = """<!doctype html><meta charset="utf-8"><script src="plotly.min.js"></script>
<div id="chart" style="height:600px"></div><script>
const z = Array.from({length: 96}, (_, i) => Array.from({length: 96}, (_, j) =>
  Math.sin(i / 15) * Math.cos(j / 15)));
Plotly.newPlot("chart", [{type: "surface", z}]).then(() => document.body.dataset.drawn = "1");
</script>"""


def write_runs(folder: Path, n_runs: int, n_steps: int) -> None:
    """Write runs of 12 metrics; their shape does not matter, only their size."""
    rng = np.random.default_rng(0)
    steps = np.arange(n_steps, dtype=np.int64)
    for i in range(n_runs):
        loss = 2 + 6 / np.sqrt(1 + steps / 50) + 0.05 * rng.standard_normal(n_steps)
        loss[n_steps // 3] += 3
        rate = 10 ** -rng.uniform(2, 4)
        columns = {"step": steps, "loss": loss, "lr": rate * (1 - 0.9 * steps / n_steps)}
        columns |= {f"metric_{k}": rng.standard_normal(n_steps) for k in range(10)}
        run = folder / f"run-{i:03d}"
        (run / "metrics").mkdir(parents=True)
        pd.DataFrame(columns).to_parquet(run / "metrics" / "part-00001.parquet", index=False)
        (run / "run.json").write_text(json.dumps({"config": {"learning_rate": rate}}))


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files and print nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def bare_server(folder: Path) -> Iterator[str]:
    """Serve the bare page."""
    folder.joinpath("index.html").write_text(BARE)
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", folder)
    handler = functools.partial(QuietHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@contextmanager
def app_server() -> Iterator[str]:
    """Start the app and wait until it says that it is well."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(url + "_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        app.terminate()
        app.wait()


def visit(browser: Browser, url: str, drawn: str, words: str) -> list[tuple[float, float]]:
    """Open a page cold, then warm: seconds until the words and until the chart."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    times = []
    for _ in range(2):
        page = context.new_page()
        start = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.wait_for_selector(words, timeout=120_000, state="attached")
        first = time.perf_counter() - start
        page.wait_for_selector(drawn, timeout=120_000, state="attached")
        times.append((first, time.perf_counter() - start))
        page.close()
    context.close()
    return times


def main() -> None:
    """Print one row per workload."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workloads", nargs="*", default=["samples", *WORKLOADS])
    args = parser.parse_args()
    executable = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as temp, sync_playwright() as playwright:
        folder = Path(temp)
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        urls = {}
        for name in args.workloads:
            if name == "samples":
                urls[name] = "Loss_landscape"
                continue
            write_runs(folder / name, *WORKLOADS[name])
            runs = [("run", f"run-{i:03d}") for i in range(min(WORKLOADS[name][0], 200))]
            query = urlencode([("source", str(folder / name)), *runs])
            urls[name] = f"Loss_landscape?{query}"
        (folder / "bare").mkdir()
        with bare_server(folder / "bare") as bare, app_server() as app:
            visit(browser, bare, "body[data-drawn]", "body")  # the browser's own start
            results: dict[str, list[list[tuple[float, float]]]] = {}
            for _ in range(args.rounds):
                results.setdefault("bare", []).append(
                    visit(browser, bare, "body[data-drawn]", "body")
                )
                for name, path in urls.items():
                    times = visit(browser, app + path, DRAWN, '[data-testid="stMarkdown"] p')
                    results.setdefault(name, []).append(times)
        browser.close()
    report(results)


def report(results: dict[str, list[list[tuple[float, float]]]]) -> None:
    """Print medians, and ratios to the bare page of the same temperature."""
    middle = {
        name: [[statistics.median(r[t][k] for r in rounds) for k in (0, 1)] for t in (0, 1)]
        for name, rounds in results.items()
    }
    print(f"{'':10}{'first visit':>12}{'cold words':>12}{'cold chart':>12}{'ratio':>8}", end="")
    print(f"{'warm words':>12}{'warm chart':>12}{'ratio':>8}")
    for name, ((cold_words, cold), (warm_words, warm)) in middle.items():
        bare_cold, bare_warm = middle["bare"][0][1], middle["bare"][1][1]
        print(f"{name:10}{results[name][0][0][1]:12.2f}{cold_words:12.2f}{cold:12.2f}", end="")
        print(f"{cold / bare_cold:8.2f}{warm_words:12.2f}{warm:12.2f}{warm / bare_warm:8.2f}")


if __name__ == "__main__":
    main()
