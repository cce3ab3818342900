"""viz3d.record.hooks: what the callbacks of all frameworks share."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

from tests.conftest import ROOT
from tests.record.bucket import ADDRESS, objects
from viz3d.record import layers
from viz3d.record.hooks import Hook, quiet
from viz3d.record.layers import Reading
from viz3d.record.norms import fetch

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


def test_that_an_unended_run_failed_is_known_in_its_bucket(server, tmp_path):
    """Also where a package has asked to be called at the end before, as PyTorch does."""
    script = "import sys, weakref\nasked = weakref.finalize(sys, print)\n" + SCRIPT
    script = script.replace('Hook("run")', f'Hook("run", upload="{ADDRESS}")')
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)
    assert json.loads(objects(server)["run.json"])["status"] == "failed"
    assert json.loads((tmp_path / "run/run.json").read_text("utf-8"))["status"] == "failed"


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


def test_two_readings_of_a_step_are_recorded_as_one(tmp_path, monkeypatch, caplog):
    """In one transfer; the same layer that both leave out is counted once."""
    fetched = []
    monkeypatch.setattr(layers, "fetch", lambda norms: fetched.append(norms) or fetch(norms))
    hook = Hook(tmp_path / "run")
    hook.begin(hook.path, {})
    one = {"a": 0, "b": 1}
    before = Reading(
        {("a", "weight_norm"): [torch.tensor(9.0)], ("a", "update"): [torch.tensor(1.0)],
         ("b", "update"): [torch.tensor(1.0)]}, one, ("head is spread",),
    )  # fmt: skip
    now = Reading(
        {("a", "weight_norm"): [torch.tensor(2.0)], ("a", "update"): [torch.tensor(7.0)]},
        one, ("head is spread",),
    )  # fmt: skip
    hook.write_layers(1, now.after(before))
    hook.end("finished")
    assert len(fetched) == 1
    assert json.loads((tmp_path / "run/layers.jsonl").read_text("utf-8")) == {
        "step": 1, "layer": 0, "name": "a", "weight_norm": 2.0, "update_ratio": 0.5,
    }  # fmt: skip
    assert hook.recorder.failures == 1
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
