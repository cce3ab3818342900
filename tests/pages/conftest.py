"""A small folder of runs, and the app opened on it without a browser."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
STEPS = 60
LAYERS = ("blocks.0", "blocks.1", "blocks.2")
REPORT = """\
# nanochat training report

Generated: 2025-10-23 22:26:55

## Summary

| Metric          | BASE     | MID      | SFT      | RL       |
|-----------------|----------|----------|----------|----------|
| ARC-Easy        | -        | 0.3561   | 0.3876   | -        |
| GSM8K           | -        | 0.0250   | 0.0455   | 0.0758   |
"""

Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs of a sweep with layers, one run with rewards, one with nothing but a report."""
    root = tmp_path_factory.mktemp("runs")
    for rate in RATES:
        _write(root / f"sweep-{rate}", {"learning_rate": rate}, _sweep(rate), _layers())
    rewards = [
        {"step": step, "reward": math.tanh(step / 30), "pg_loss": -0.01 * step, "kl": 0.1}
        for step in range(STEPS)
    ]
    _write(root / "grpo", {}, rewards)
    report = root / "speedrun" / "report" / "report.md"
    report.parent.mkdir(parents=True)
    report.write_text(REPORT, "utf-8")
    return root


def _sweep(rate: float) -> list[dict[str, float]]:
    off = math.log10(rate / 1e-3)
    return [
        {
            "step": step,
            "loss": 2 + 3 * math.exp(-step / 20) + 0.3 * off**2 + 0.02 * math.sin(7 * step),
            "learning_rate": rate,
            "grad_norm": 1 / (1 + step),
            "held": 4.0 - 0.01 * step,
        }
        for step in range(STEPS)
    ]


def _layers() -> list[dict[str, Any]]:
    return [
        {"step": step, "layer": layer, "name": name, "grad_norm": 10.0 ** -(layer + step / 30)}
        for step in range(STEPS)
        for layer, name in enumerate(LAYERS)
    ]


def _write(
    path: Path,
    config: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    layers: Sequence[Mapping[str, Any]] = (),
) -> None:
    path.mkdir()
    about = {"schema": 1, "name": path.name, "status": "finished", "config": config}
    (path / "run.json").write_text(json.dumps(about), "utf-8")
    for name, lines in (("metrics", rows), ("layers", layers)):
        if lines:
            text = "".join(json.dumps(row) + "\n" for row in lines)
            (path / f"{name}.jsonl").write_text(text, "utf-8")


@pytest.fixture
def open_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a page as a link does: its file, and what stands in the address."""
    import streamlit as st

    # Settings and relative paths of the app start where it is started.
    monkeypatch.chdir(ROOT)
    for name in ("VIZ3D_SOURCE", "GCS_BUCKET"):
        monkeypatch.delenv(name, raising=False)

    def open_page(page: str, **address: Any) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        if page != "app.py":
            app.switch_page(page)
        for key, value in {"source": str(folder), **address}.items():
            app.query_params[key] = value
        return app.run()

    yield open_page
    st.cache_resource.clear()


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """The run ``a`` in two folders, with other metrics in each; ``b`` in the first only."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, name, metric, at in (
        (here, "a", "loss", 5),
        (here, "b", "loss", 6),
        (there, "a", "held", 7),
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
        rows = [{"step": s, metric: at - s, "lr": 0.1 * at} for s in range(4)]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / name / "metrics.jsonl").write_text(text, "utf-8")
    return here, there
