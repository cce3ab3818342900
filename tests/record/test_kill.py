"""viz3d.record: what stands on the disk after the process was killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# Each child is forked from a process that has everything imported, logs as fast as it can and
# notes in shared memory each step whose `log` has returned. It is killed at a random moment.
KILLS = """
import json, mmap, os, random, signal, sys, time
from viz3d.record.recorder import Recorder
folder, kills = sys.argv[1], int(sys.argv[2])
draw = random.Random(0)
for i in range(kills):
    said = mmap.mmap(-1, 8)
    child = os.fork()
    if child == 0:
        recorder = Recorder(f"{folder}/{i}")
        for step in range(1, 10**9):
            recorder.log(step, loss=1.0 / step)
            recorder.log_layers(step, [{"layer": 0, "name": "h.0", "grad_norm": 1.0}])
            said[:] = step.to_bytes(8, "little")
    while not any(said[:]):
        time.sleep(0.001)
    time.sleep(draw.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(int.from_bytes(said[:], "little"))
"""


def acknowledged_and_kept(folder: Path, kills: int) -> int:
    """Kill `kills` children, look at what each left, and return the number of rows."""
    out = subprocess.run(
        [sys.executable, "-c", KILLS, str(folder), str(kills)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    acknowledged = [int(word) for word in out.stdout.split()]
    assert len(acknowledged) == kills
    for i, last in enumerate(acknowledged):
        for name in ("metrics.jsonl", "layers.jsonl"):
            # The row that was being written may be cut short; nobody was told it was recorded.
            whole, _, _ = (folder / str(i) / name).read_text().rpartition("\n")
            steps = [json.loads(line)["step"] for line in whole.splitlines()]
            assert steps == list(range(1, len(steps) + 1))
            assert len(steps) >= last > 0
    return sum(acknowledged)


def test_a_hundred_kills_lose_no_acknowledged_row(tmp_path):
    """Every step that the loop told of is on the disk after SIGKILL."""
    assert acknowledged_and_kept(tmp_path, 100) > 1000


@pytest.mark.slow
def test_a_thousand_kills_lose_no_acknowledged_row(tmp_path):
    """The same, 1,000 times."""
    assert acknowledged_and_kept(tmp_path, 1000) > 10_000
