"""README.md: its lines of Python that read runs do so, whatever a folder holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from tests.conftest import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)


def test_the_lines_that_read_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one with a log of two runs in it, and a file that nothing can be read from."""
    (lines,) = [block for block in BLOCKS if "path/to/runs" in block]
    for name, rate in (("a", 1e-3), ("b", 1e-2)):
        rows = [{"step": s, "loss": 3 - s / 10, "learning_rate": rate} for s in range(20)]
        folder = tmp_path / name
        folder.mkdir()
        folder.joinpath("metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    log = "".join(f"step:{s}/3 train_loss:{9 - s}.5 train_time:{s}ms\n" for s in (1, 2, 3, 1, 2, 3))
    tmp_path.joinpath("two.log").write_text(log)
    tmp_path.joinpath("none.csv").write_text("one\n1\n")
    shown: list[go.Figure] = []

    def show(figure: go.Figure) -> None:
        shown.append(figure)

    monkeypatch.setattr(go.Figure, "show", show)
    found: dict[str, Any] = {}
    exec(lines.replace("path/to/runs", str(tmp_path)), found)
    names = {run.name for run in found["runs"]}
    assert {"a", "b"} < names
    assert len([name for name in names if name.startswith("two.log::")]) == 2
    assert len(shown) == 1
