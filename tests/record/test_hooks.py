"""viz3d.record.hooks: what the callbacks of all frameworks share."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

import pytest
from torch import nn

from tests.conftest import ROOT
from viz3d.record.hooks import Hook, quiet

SCRIPT = """
import sys
import viz3d.record.huggingface, viz3d.record.lightning
from viz3d.record.hooks import Hook

hook = Hook("run")
hook.begin(hook.path, {})
hook.recorder.log(1, loss=2.0)
print(*{"transformers", "lightning", "pytorch_lightning", "torch"} & sys.modules.keys())
"""


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("raise MemoryError", "failed"),
        ("sys.exit()", "failed"),
        ("hook.end('finished')", "finished"),
    ],
)
def test_a_run_that_nobody_ends_has_failed_when_its_process_ends(tmp_path, ending, status):
    """Also where a framework tells of no exception; and no framework is imported for it."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + ending], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "\n", done.stderr
    assert json.loads((tmp_path / "run/run.json").read_text("utf-8"))["status"] == status
    assert '"loss":2.0' in (tmp_path / "run/metrics.jsonl").read_text("utf-8")


def test_what_an_event_raises_is_counted_and_told_once(caplog):
    """The loop that calls it sees nothing."""

    class Own(Hook):
        @quiet
        def on_step(self):
            raise ValueError("no such thing")

    hook = Own()
    hook.on_step()
    hook.on_step()
    assert hook.trouble.count == 2
    assert caplog.messages == [
        "Own: what on_step tells was not recorded (ValueError: no such thing); training goes on, "
        "further failures are only counted"
    ]


def test_what_cannot_be_read_of_layers_is_counted_once(tmp_path, caplog):
    """Two readings of one step that leave the same layer out left out one layer."""
    hook = Hook(tmp_path / "run")
    hook.begin(hook.path, {})
    hook.watch(nn.Linear(2, 2), 1)
    hook.write_layers(1, [], ["head is spread", "head is spread"])
    hook.end("finished")
    assert hook.trouble.count == 1
    assert "head is spread" in caplog.text


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))]
)
def test_a_copy_has_the_settings_and_not_the_record(tmp_path, copied):
    """Frameworks pickle callbacks for the processes that they spawn."""
    hook = Hook(tmp_path / "run", config={"note": 1}, layers_every=7)
    hook.begin(hook.path, {})
    hook.watch(nn.Linear(2, 2), 1)
    other = copied(hook)
    assert (other.path, other.layers_every, other._config) == (hook.path, 7, {"note": 1})
    assert other.recorder is other.layers is other._unended is None
    other.end("failed")
    del other
    assert json.loads((tmp_path / "run/run.json").read_text("utf-8"))["status"] == "running"
    hook.end("finished")
