"""viz3d.record.late: numbers that come after their row, in order, bounded, and given up."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import weakref

import pytest
import torch
from torch import nn

from tests.record.waiting import until
from viz3d.load import load_run
from viz3d.record import late, limit, recorder, values
from viz3d.record.layers import Reading
from viz3d.record.recorder import Recorder
from viz3d.record.rows import line
from viz3d.sources.local import LocalSource


def rows(path) -> list[dict]:
    """Return the rows without their times."""
    read = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "time"} for row in read]


@pytest.fixture
def events(monkeypatch):
    """Make events that are all set in the end; nothing is waited for in the loop."""
    monkeypatch.setattr(limit, "LOOP_LIMIT", 0.0)
    made = []

    def make():
        made.append(threading.Event())
        return made[-1]

    yield make
    for event in made:
        event.set()


def waits(thread) -> bool:
    """Say whether the thread waits for the lock of `Late`."""
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code.co_name in ("overtake", "__enter__")


class Number:
    """A number that is there when the event is set."""

    def __init__(self, number, event):
        self.number, self.event = number, event

    def item(self):
        """Wait, as a tensor does for its GPU."""
        assert self.event.wait(30)
        return self.number


class Fault(Number):
    """A number that does not come, but an error."""

    def item(self):
        """Wait, then raise."""
        super().item()
        raise RuntimeError("the device has failed")


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


def test_a_number_that_never_comes_is_told_at_the_end(tmp_path, monkeypatch, events, caplog):
    """`close` waits within its limit; each value counts once, and does not come afterwards."""
    monkeypatch.setattr(recorder, "CLOSE_LIMIT", 4.0)
    event = events()
    rec = Recorder(tmp_path)
    rec.log(0, loss=Number(1.0, event), grad=Number(2.0, event))
    rec.close()
    assert rec.failures == 2
    assert "loss of step 0 never came" in caplog.text
    reading = rec._folder._late._reading
    rec.log(1, loss=Number(3.0, event))
    event.set()
    until(lambda: rec._folder._late._reading is not reading)
    rec.close()
    assert rows(tmp_path / "metrics.jsonl") == [{"step": 0}, {"step": 1}, {"step": 1, "loss": 3.0}]
    assert rec.failures == 2
    assert json.loads((tmp_path / "run.json").read_text())["status"] == "finished"


def test_the_end_of_the_process_waits_for_late_numbers(tmp_path):
    """Also where nobody says `close`, and no thread begins any more, as from Python 3.12 on."""
    code = (
        "import atexit, sys, threading, time\n"
        "from viz3d.record.recorder import Recorder\n"
        "class Number:\n"
        "    def item(self):\n"
        "        time.sleep(0.3)\n"
        "        return 7.0\n"
        "rec = Recorder(sys.argv[1])\n"
        "rec.log(0, loss=Number())\n"
        "def start(thread): raise RuntimeError('at interpreter shutdown')\n"
        "atexit.register(setattr, threading.Thread, 'start', start)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert rows(tmp_path / "metrics.jsonl") == [{"step": 0}, {"step": 0, "loss": 7.0}]


def test_a_recorder_that_is_forgotten_still_writes_what_comes(tmp_path, events):
    """And closes the file again."""
    event = events()
    rec = Recorder(tmp_path)
    rec.log(0, loss=Number(1.0, event))
    syncer, awaited = rec._folder._syncer, rec._folder._late
    del rec
    gc.collect()
    until(lambda: not syncer._thread.is_alive())
    event.set()
    until(lambda: not awaited._queue)
    until(lambda: not syncer._thread.is_alive())
    assert rows(tmp_path / "metrics.jsonl") == [{"step": 0}, {"step": 0, "loss": 1.0}]
    assert syncer.files[0]._descriptor is None


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


FORKED = """
import os, sys, threading
from viz3d.record import limit
from viz3d.record.recorder import Recorder
from viz3d.record.rows import line
limit.LOOP_LIMIT = 0.0
event = threading.Event()
class Number:
    def item(self):
        event.wait()
        return 7.0
rec = Recorder(sys.argv[1])
rec.log(0, loss=Number())
held, forked = threading.Event(), threading.Event()
def hold():
    with rec._folder._late._changed:
        held.set()
        forked.wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
child = os.fork()
if not child:
    event.set()
    limit.LOOP_LIMIT = 30.0
    mine = Recorder(sys.argv[1] + "/child")
    mine.log(5, loss=Number())
    assert not rec._folder._late._queue
    rec.log(6, loss=Number())
    rec.close()
    assert rec.failures == 1  # the row, which is not this process's
    mine.close()
    sys.exit(mine.failures)
forked.set()
assert os.waitpid(child, 0)[1] == 0
event.set()
rec.close()
print(rec.failures)
"""


def test_a_forked_child_leaves_late_numbers_to_its_parent(tmp_path):
    """And waits with a thread and a lock of its own, although the parent's lock is held."""
    code = [sys.executable, "-c", FORKED, str(tmp_path)]
    out = subprocess.run(code, capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout.split() == ["0"]
    assert rows(tmp_path / "metrics.jsonl") == [{"step": 0}, {"step": 0, "loss": 7.0}]
    assert rows(tmp_path / "child" / "metrics.jsonl") == [{"step": 5, "loss": 7.0}]


@pytest.fixture
def on_a_device(monkeypatch):
    """Take tensors of the CPU for those of a device."""
    monkeypatch.setattr(values, "is_known", lambda value: type(value) in (int, float))
    monkeypatch.setattr(Reading, "is_on_host", False)


class Activations:
    """What a graph holds."""


class Holding(torch.autograd.Function):
    """The identity, with a graph that holds something."""

    @staticmethod
    def forward(ctx, value, held):
        """Hold it."""
        ctx.held = held
        return value.clone()


def test_a_tensor_that_waits_is_recorded_as_it_was_and_keeps_no_graph(
    tmp_path, events, on_a_device, monkeypatch
):
    """A loop adds to its sums in place, and its activations are large."""
    monkeypatch.setattr("viz3d.record.rows.is_known", values.is_known)
    event = events()
    rec = Recorder(tmp_path)
    rec.log(0, first=Number(0.0, event))
    activations = Activations()
    loss = Holding.apply(torch.tensor(6.0, requires_grad=True), activations)
    graph = weakref.ref(activations)
    total = torch.tensor(1.0)
    rec.log(0, loss=loss, total=total)
    total.zero_()
    del loss, activations
    gc.collect()
    assert graph() is None
    event.set()
    rec.close()
    assert rows(tmp_path / "metrics.jsonl")[-2:] == [
        {"step": 0, "loss": 6.0},
        {"step": 0, "total": 1.0},
    ]


def test_layers_of_a_device_that_is_behind_come_late(tmp_path, events, on_a_device):
    """As they were when they were asked for, and in order."""
    event = events()
    rec = Recorder(tmp_path)
    model = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(1, 1))
    nn.init.ones_(model[0].weight)
    rec.watch(model, every=1, updates=False)
    rec.log(0, first=Number(0.0, event))
    rec.log_layers(0)
    nn.init.zeros_(model[0].weight)
    rec.log_layers(1)
    assert not (tmp_path / "layers.jsonl").exists()
    event.set()
    rec.close()
    written = rows(tmp_path / "layers.jsonl")
    assert [(row["step"], row["name"]) for row in written] == [
        (0, "0"), (0, "1"), (1, "0"), (1, "1"),
    ]  # fmt: skip
    assert written[0]["weight_norm"] == pytest.approx(2**0.5)
    assert written[2]["weight_norm"] == 0.0
    assert rec.failures == 0
