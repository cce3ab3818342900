"""I82 and I84: reports full of markup or far too long, and landscapes that are hardly any."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.bad_inputs.case import GOOD, LOSS, bad, lines, write

REPORT = """\
# nanochat training report <script>alert(1)</script>

## Base model evaluation
- <img src=x onerror=alert(1)>: 0.5
- [click](javascript:alert(1)): 0.25
- ![x](https://evil.example/beacon.png): 0.125

## Summary

| Metric | BASE | SFT |
|--------|------|-----|
| <svg onload=alert(1)> $\\latex{bomb}$ | 0.5 | 0.75 |
"""


@bad("I82")
def report_full_of_markup(folder: Path) -> None:
    write(folder, "report/report.md", REPORT)


@bad("I82", r"report.md: Only the first 1 MiB were read.*VIZ3D_MAX_REPORT_MIB")
def long_report(folder: Path) -> None:
    write(folder, "report/report.md", REPORT + "- - - " * 400_000)


def landscape(folder: Path, alpha: np.ndarray, beta: np.ndarray, loss: np.ndarray) -> None:
    lines(folder, *GOOD, name="metrics.jsonl")
    (folder / "landscape").mkdir()
    np.savez(folder / "landscape" / "plane.npz", alpha=alpha, beta=beta, loss=loss)


LINE = np.linspace(-1, 1, 5)


@bad("I84", r"25 of 25 nodes of plane have no loss", read=LOSS)
def landscape_of_nothing(folder: Path) -> None:
    landscape(folder, LINE, LINE, np.full((5, 5), np.nan))


@bad("I84", read=LOSS)
def landscape_of_one_point(folder: Path) -> None:
    landscape(folder, LINE[:1], LINE[:1], np.ones((1, 1)))


@bad("I84", read=LOSS)
def landscape_of_one_row(folder: Path) -> None:
    landscape(folder, LINE, LINE[:1], np.ones((1, 5)))


@bad("I84", read=LOSS)
def flat_landscape(folder: Path) -> None:
    landscape(folder, LINE, LINE, np.ones((5, 5)))


@bad(
    "I84",
    r"plane.npz: .*more than 1,000,000 nodes",
    read=LOSS,
)
def endless_landscape(folder: Path) -> None:
    axis = np.arange(2000, dtype=np.float32)
    landscape(folder, axis, axis, np.zeros((2000, 2000), np.float32))
