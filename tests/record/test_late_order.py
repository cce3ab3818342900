"""viz3d.record.late: late numbers never follow newer ones, whoever logs meanwhile."""

from __future__ import annotations

import sys
import threading

from tests.record.late_values import Number, rows
from tests.record.waiting import until
from viz3d.load import load_run
from viz3d.record import limit
from viz3d.record.recorder import Recorder
from viz3d.record.rows import line
from viz3d.sources.local import LocalSource


def waits(thread) -> bool:
    """Say whether the thread waits for the lock of `Late`."""
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code.co_name in ("overtake", "__enter__")


def test_a_newer_number_of_a_metric_is_not_followed_by_an_older_one(tmp_path, events):
    """Its step would go back, which a reader takes for a restart."""
    event = events()
    with Recorder(tmp_path / "run") as rec:
        rec.log(0, loss=Number(1.0, event), grad=Number(2.0, event))
        rec.log(1, loss=0.5)
        event.set()
    assert rec.failures == 1
    assert rows(tmp_path / "run" / "metrics.jsonl") == [
        {"step": 0},
        {"step": 1, "loss": 0.5},
        {"step": 0, "grad": 2.0},
    ]
    assert load_run(LocalSource(tmp_path), "run").problems == ()


def test_a_number_that_another_thread_waits_for_stands_in_its_row(tmp_path, monkeypatch, events):
    """What is logged meanwhile overtakes what is late, and nothing that may come in time."""
    event = events()
    monkeypatch.setattr(limit, "LOOP_LIMIT", 30.0)
    rec = Recorder(tmp_path)
    other = threading.Thread(target=rec.log, args=(0,), kwargs={"loss": Number(1.0, event)})
    other.start()
    until(lambda: rec._folder._late._reading)
    rec.log(1, loss=0.5)
    event.set()
    other.join()
    assert rec.failures == 0
    assert rows(tmp_path / "metrics.jsonl") == [{"step": 1, "loss": 0.5}, {"step": 0, "loss": 1.0}]


def test_a_late_number_that_is_being_written_comes_before_a_newer_one(
    tmp_path, events, monkeypatch
):
    """Whoever logs at that moment waits for the row."""
    event, begun, go_on = events(), events(), events()
    rec = Recorder(tmp_path)

    def slow(row):
        if threading.current_thread().name == "viz3d-late":
            begun.set()
            assert go_on.wait(30)
        return line(row)

    monkeypatch.setattr("viz3d.record.metrics.line", slow)
    rec.log(0, loss=Number(1.0, event))
    event.set()
    assert begun.wait(30)
    other = threading.Thread(target=rec.log, args=(1,), kwargs={"loss": 0.5})
    other.start()
    until(lambda: not other.is_alive() or waits(other))
    go_on.set()
    other.join()
    assert rows(tmp_path / "metrics.jsonl")[1:] == [
        {"step": 0, "loss": 1.0}, {"step": 1, "loss": 0.5},
    ]  # fmt: skip


def test_a_step_that_goes_back_gives_up_what_it_supersedes(tmp_path, events):
    """A loop that returns to its checkpoint logs those steps again."""
    event = events()
    with Recorder(tmp_path) as rec:
        for step in (7, 8, 9, 8):
            rec.log(step, loss=Number(float(step), event))
        event.set()
    assert rec.failures == 1
    late_rows = [row for row in rows(tmp_path / "metrics.jsonl") if "loss" in row]
    assert [row["step"] for row in late_rows] == [7, 8, 8]


def test_a_signal_handler_that_logs_while_late_numbers_are_gone_through(tmp_path, events):
    """It may come at any moment, also when they are compared."""
    event = events()
    rec = Recorder(tmp_path)
    signals = [9, 8]

    class Interrupted(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            if signals:
                rec.log(signals.pop(), handler=Number(0.0, event))
            return str.__eq__(self, other)

    for step in range(3):
        rec.log(step, **{Interrupted("loss"): Number(1.0, event)})
    event.set()
    rec.close()
    assert not signals
    assert rec.failures == 0
    assert sum("loss" in row for row in rows(tmp_path / "metrics.jsonl")) == 3
