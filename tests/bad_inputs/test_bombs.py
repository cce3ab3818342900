"""What would fill the machine is refused or read within bounds of processor time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bad_inputs.bombs import BOMBS
from tests.bad_inputs.case import lines

ROOT = Path(__file__).resolve().parents[2]
CPU = 2.0
# The time of a processor varies with what runs beside it; a promise that is broken is so by far.
BUSY = 2


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of lines, of a table and of a Parquet part, which loads what reading needs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = tmp_path_factory.mktemp("good")
    rows = [f'{{"step": {step}, "loss": {step / 3}}}' for step in range(20_000)]
    lines(root, *rows, name="run/metrics.jsonl")
    lines(root, *rows, "bad", name="careful/log.jsonl")
    lines(root, "step,loss", "0,1", name="table/log.csv")
    lines(root, "a: 1", name="careful/config.yaml")
    (root / "run" / "metrics").mkdir()
    pq.write_table(pa.table({"step": [0], "x": [1.0]}), root / "run/metrics/part-00001.parquet")
    return root


@pytest.fixture(scope="session")
def came(good: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What came of each bomb."""
    root = tmp_path_factory.mktemp("bombs")
    folders = [root / str(at) / "bomb" for at in range(len(BOMBS))]
    for bomb, folder in zip(BOMBS, folders, strict=True):
        folder.mkdir(parents=True)
        bomb.make(folder)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bad_inputs.child", good, *(one.parent for one in folders)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="what a process cost is not known here")
@pytest.mark.parametrize("at", range(len(BOMBS)), ids=[f"{b.id}-{b.make.__name__}" for b in BOMBS])
def test_it_is_refused_or_read_within_bounds(at: int, came: list[dict[str, Any]]) -> None:
    bomb, got = BOMBS[at], came[at]
    assert "died" not in got
    print(f"{bomb.make.__name__:26} {got['cpu']:6.2f} s {got['mib']:8.1f} MiB")
    assert any(bomb.told in said for said in got["told"]), got["told"]
    assert got["steps"] == bomb.steps
    assert got["mib"] <= bomb.mib, got
    assert got["cpu"] <= BUSY * CPU, got
