"""viz3d.record.late: numbers that come after their row, bounded, and what is given up."""

from __future__ import annotations

import gc
import json
import os
import threading
import weakref

import pytest

from tests.record.late_values import Fault, Number, rows
from tests.record.waiting import until
from viz3d.load import load_run
from viz3d.record import late, limit
from viz3d.record.recorder import Recorder
from viz3d.sources.local import LocalSource


def test_a_late_number_is_joined_to_its_step(tmp_path, events):
    """The row stands at once with what is there; the rest follows without a time of its own."""
    event = events()
    with Recorder(tmp_path / "run") as rec:
        for step in range(6):
            rec.log(step, lr=0.1, loss=Number(1.0 + step, event), grad=Number(0.5 * step, event))
        assert rows(tmp_path / "run" / "metrics.jsonl") == [
            {"step": step, "lr": 0.1} for step in range(6)
        ]
        event.set()
        until(lambda: not rec._folder._late._queue)
        rec.log(6, lr=0.1)
    assert rec.failures == 0
    written = rows(tmp_path / "run" / "metrics.jsonl")
    assert written[6:8] == [{"step": 0, "loss": 1.0}, {"step": 0, "grad": 0.0}]
    run = load_run(LocalSource(tmp_path), "run")
    assert run.problems == ()
    assert run.history["loss"].tolist()[:6] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert run.history["lr"].tolist() == [0.1] * 7
    assert (run.history["time"].diff().dropna() >= 0).all()


def test_a_number_that_comes_in_time_stands_in_its_row(tmp_path, monkeypatch, events):
    """In the place where it was named."""
    monkeypatch.setattr(limit, "LOOP_LIMIT", 30.0)
    event = events()
    event.set()
    rec = Recorder(tmp_path)
    rec.log(0, a=1.0, b=Number(2.0, event), c=3.0, d=Fault(4.0, event))
    ((step, _, *metrics),) = [
        json.loads(line).items() for line in (tmp_path / "metrics.jsonl").read_text().splitlines()
    ]
    assert [step, *metrics] == [("step", 0), ("a", 1.0), ("b", 2.0), ("c", 3.0)]
    assert rec.failures == 1


def test_a_late_number_that_ends_in_an_error_is_counted_once(tmp_path, events, caplog):
    """Those behind it come all the same."""
    event = events()
    with Recorder(tmp_path) as rec:
        rec.log(0, bad=Fault(1.0, event), good=Number(2.0, event))
        event.set()
    assert rec.failures == 1
    assert "'bad'" in caplog.text
    assert rows(tmp_path / "metrics.jsonl") == [{"step": 0}, {"step": 0, "good": 2.0}]


def test_while_a_number_is_late_no_other_is_waited_for(tmp_path, monkeypatch, events):
    """A loop that is 50 ms ahead of its device is not held 50 ms at each step."""
    stuck, there = events(), events()
    there.set()
    rec = Recorder(tmp_path)
    rec.log(0, loss=Number(1.0, stuck))
    monkeypatch.setattr(limit, "LOOP_LIMIT", 3600.0)
    rec.log(1, loss=Number(2.0, there))
    assert rows(tmp_path / "metrics.jsonl") == [{"step": 0}, {"step": 1}]
    stuck.set()
    until(lambda: not rec._folder._late._queue)
    assert rows(tmp_path / "metrics.jsonl")[2:] == [
        {"step": 0, "loss": 1.0},
        {"step": 1, "loss": 2.0},
    ]
    rec.log(2, loss=Number(3.0, there))
    assert rows(tmp_path / "metrics.jsonl")[4:] == [{"step": 2, "loss": 3.0}]


def test_what_waits_is_bounded_and_what_is_above_is_counted(tmp_path, events, caplog):
    """Also in memory: nothing above the bound is kept, and nothing at all once it was read."""
    event = events()
    rec = Recorder(tmp_path)
    kept = []
    for step in range(late.MOST + 10):
        value = Number(float(step), event)
        kept.append(weakref.ref(value))
        rec.log(step, loss=value)
    del value
    gc.collect()
    assert sum(reference() is not None for reference in kept) == late.MOST
    assert rec.failures == 10
    assert "65th to wait" in caplog.text
    event.set()
    until(lambda: not rec._folder._late._queue)
    until(lambda: not any(reference() is not None for reference in kept))
    found = [row for row in rows(tmp_path / "metrics.jsonl") if "loss" in row]
    assert found == [{"step": step, "loss": float(step)} for step in range(late.MOST)]


def test_any_number_of_values_that_come_in_time_stand_in_their_row(tmp_path, monkeypatch, events):
    """The bound is on what waits."""
    monkeypatch.setattr(limit, "LOOP_LIMIT", 30.0)
    event = events()
    event.set()
    rec = Recorder(tmp_path)
    rec.log(0, {f"metric/{i}": Number(1.0, event) for i in range(2 * late.MOST)})
    (row,) = rows(tmp_path / "metrics.jsonl")
    assert len(row) == 1 + 2 * late.MOST
    assert rec.failures == 0


def test_of_a_row_that_is_late_its_first_values_wait(tmp_path, events):
    """As many as the bound lets."""
    event = events()
    rec = Recorder(tmp_path)
    rec.log(0, {f"metric/{i}": Number(1.0, event) for i in range(2 * late.MOST)})
    event.set()
    rec.close()
    assert rec.failures == late.MOST
    _, *found = rows(tmp_path / "metrics.jsonl")
    assert found == [{"step": 0, f"metric/{i}": 1.0} for i in range(late.MOST)]


def test_ctrl_c_while_a_number_is_waited_for_is_the_users(tmp_path, monkeypatch, events):
    """The number comes all the same, in a row of its own."""
    event = events()
    rec = Recorder(tmp_path)
    wait_for = threading.Condition.wait_for

    def press(self, predicate, timeout=None):
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return wait_for(self, predicate, timeout)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Condition, "wait_for", press)
        with pytest.raises(KeyboardInterrupt):
            rec.log(0, loss=Number(1.0, event))
    event.set()
    rec.close()
    assert rows(tmp_path / "metrics.jsonl") == [{"step": 0, "loss": 1.0}]


def test_a_full_disk_costs_a_late_number_and_is_counted(tmp_path, events, monkeypatch):
    """The thread goes on."""
    event = events()
    rec = Recorder(tmp_path)
    rec.log(0, loss=Number(1.0, event))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        event.set()
        until(lambda: rec.failures)
    rec.log(1, loss=Number(2.0, event))
    rec.close()
    assert rec.failures == 1
    assert rows(tmp_path / "metrics.jsonl")[-1] == {"step": 1, "loss": 2.0}
