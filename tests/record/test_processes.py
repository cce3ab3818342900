"""viz3d.record: processes beside each other, forked from each other, and ranks of one job."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from viz3d.record.rank import writes_here
from viz3d.record.recorder import Recorder

WRITER = """
import sys
from viz3d.record.recorder import Recorder
rec = Recorder(sys.argv[1])
print(rec.failures, flush=True)
for step in range(1000):
    rec.log(step, who=int(sys.argv[2]), **{f"metric/{i}": step / 7 for i in range(40)})
print(rec.failures, flush=True)
"""


def steps(path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def test_two_processes_in_one_folder_are_told_and_keep_whole_lines(tmp_path, caplog):
    """The second says so once; of the rows of both none is torn."""
    rec = Recorder(tmp_path)
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, str(i)], stdout=subprocess.PIPE, text=True) for i in (1, 2)
    ]
    said = [writer.communicate()[0].split() for writer in writers]
    rec.log(0, who=0)
    assert said == [["1", "1"], ["1", "1"]]
    assert rec.failures == 0
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    for who in (1, 2):
        assert [row["step"] for row in rows if row["who"] == who] == list(range(1000))
    again = Recorder(tmp_path)
    assert again.failures == 1
    assert "another recorder" in caplog.text
    rec.close()
    again.close()
    assert Recorder(tmp_path).failures == 0


FORKED = """
import json, os, sys, time
from collections import UserDict
from viz3d.record import append, limit, sync
from viz3d.record.recorder import Recorder
limit.LOOP_LIMIT = 10.0
rec = Recorder(sys.argv[1])
rec.log(0, UserDict(loss=1.0))  # read on a thread, which the child does not have
def work():
    with rec:
        rec.log(1, loss=2.0)
        rec.log_layers(1, [{"layer": 0, "name": "h.0", "grad_norm": 1.0}])
    assert rec.failures == 2, rec.failures
    Recorder(sys.argv[1] + "/child").log(5, UserDict(loss=1.0))
child = os.fork()
if not child:
    held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")]
    assert not [name for name in held if sys.argv[1] in name], held
    work()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
print(json.load(open(sys.argv[1] + "/run.json"))["status"])
rec.log(2, loss=3.0)
print(rec.failures)
"""


def test_a_forked_child_writes_nothing_by_accident(tmp_path):
    """Neither rows nor the end of the run, and no file of the parent's is open in it."""
    run = tmp_path / "run"
    out = subprocess.run(
        [sys.executable, "-c", FORKED, str(run)], capture_output=True, text=True, check=False
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.split() == ["running", "0"]
    assert "forked" in out.stderr
    assert steps(run / "metrics.jsonl") == [0, 2]
    assert not (run / "layers.jsonl").exists()
    assert steps(run / "child" / "metrics.jsonl") == [5]


def test_a_loop_imports_nothing(tmp_path):
    """It would take its time, and hang in a child forked while another thread imports."""
    code = (
        "import sys\n"
        "from viz3d.record.recorder import Recorder\n"
        "class Number:\n"
        "    def item(self): return 1.0\n"
        "rec = Recorder(sys.argv[1], config={'lr': 0.1})\n"
        "before = set(sys.modules)\n"
        "find = type('Finder', (), {'find_spec': lambda *a: print('looked for', a[1])})()\n"
        "sys.meta_path.insert(0, find)\n"
        "rec.log(Number(), {'a': 1.0}, loss=Number(), bad='text')\n"
        "rec.log_layers(0, ({'layer': i, 'name': 'h', 'grad_norm': Number()} for i in range(2)))\n"
        "sys.meta_path.remove(find)\n"
        "print(sorted(set(sys.modules) - before), rec.failures)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert out.stdout.splitlines() == ["[] 1"]


def test_a_row_that_is_logged_while_the_interpreter_ends_is_written(tmp_path):
    """No thread begins then, and none is waited for."""
    code = (
        "import sys\n"
        "from viz3d.record.recorder import Recorder\n"
        "class Number:\n"
        "    def item(self): return 1.0\n"
        "class Trainer:\n"
        "    def __init__(self): self.rec = Recorder(sys.argv[1])\n"
        "    def __del__(self):\n"
        "        self.rec.log(0, {}, a=1.0, b=Number())\n"
        "        self.rec.close()\n"
        "trainer = Trainer()\n"
        "trainer.itself = trainer\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    (row,) = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert (row["step"], row["a"]) == (0, 1.0)
    assert json.loads((tmp_path / "run.json").read_text())["status"] == "finished"
    assert "2 failures" in out.stderr  # the sync, and the number that a thread would have read


@pytest.mark.parametrize(
    ("environment", "writes"),
    [
        ({}, True),
        ({"RANK": "0", "WORLD_SIZE": "8"}, True),
        ({"RANK": "3", "WORLD_SIZE": "8"}, False),
        ({"SLURM_PROCID": "2", "SLURM_NTASKS": "4"}, False),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, True),
        ({"SLURM_PROCID": "2", "SLURM_NTASKS": "1"}, True),
        ({"SLURM_PROCID": "2"}, True),
        ({"RANK": "0", "SLURM_PROCID": "2", "SLURM_NTASKS": "4"}, True),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}, False),
        ({"RANK": "none"}, True),
    ],
)
def test_one_process_of_a_job_writes(environment, writes):
    """The rank of torchrun first, then Slurm's or Open MPI's where there are several tasks."""
    assert writes_here(environment) is writes


def test_the_recorder_of_another_rank_does_nothing(tmp_path, monkeypatch):
    """No folder, no thread, no failure."""
    monkeypatch.setenv("RANK", "1")
    threads = threading.active_count()
    with Recorder(tmp_path / "run", config={"lr": 0.1}) as rec:
        assert rec.watch("anything") == ()
        rec.log(0, loss="text")
        rec.log_layers(0)
    assert not (tmp_path / "run").exists()
    assert threading.active_count() == threads
    assert rec.failures == 0
