"""viz3d.record: nothing but the row's own write holds the loop."""

from __future__ import annotations

import itertools
import json
import logging
import threading
import time
from collections.abc import Mapping

import pytest

from viz3d.record import append, config, failures, folder, limit, recorder, values
from viz3d.record.recorder import Recorder


def steps(path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text().splitlines() if line]


@pytest.fixture
def release(monkeypatch):
    """An event that all that hangs waits for, at most 20 seconds; a helper of the test's own."""
    monkeypatch.setattr(values, "_helper", limit.Helper())
    event = threading.Event()
    late = threading.Timer(20, event.set)  # or a test that is held would be so for ever
    late.start()
    yield event
    late.cancel()
    event.set()


class Slow:
    """A value that is not there before the event is set."""

    def __init__(self, event):
        self.event = event

    def item(self):
        """Wait, as a tensor does for a GPU that has stopped."""
        self.event.wait()
        return 7.0


class SlowMapping(Mapping):
    """A mapping that cannot be gone through before the event is set."""

    def __init__(self, event):
        self.event = event

    def __getitem__(self, key):
        return 1.0

    def __len__(self):
        return 1

    def __iter__(self):
        self.event.wait()
        return iter(["loss"])


CALLS = {
    "log": lambda rec, event: rec.log(Slow(event), {"a": 1.0}, odd=Slow(event), even=Slow(event)),
    "mapping": lambda rec, event: rec.log(0, SlowMapping(event), odd=Slow(event)),
    "values": lambda rec, event: rec.log(0, **{f"slow/{i}": Slow(event) for i in range(20)}),
    "layers": lambda rec, event: rec.log_layers(
        0, [{"layer": 0, "name": "h.0", "grad_norm": Slow(event), "weight_norm": Slow(event)}] * 5
    ),
    "rows": lambda rec, event: rec.log_layers(0, (Slow(event).item() for _ in range(5))),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_all_that_a_call_waits_for_shares_one_limit(tmp_path, monkeypatch, release, call):
    """Once it is used up nothing is waited for, whatever hangs and however often."""
    rec = Recorder(tmp_path)
    monkeypatch.setattr(recorder, "soon", lambda: time.monotonic() - 1)
    asked = []
    real = threading.Condition.wait

    def wait(self, timeout=None):
        if threading.current_thread() is threading.main_thread():
            asked.append(timeout)
        return real(self, timeout)

    monkeypatch.setattr(threading.Condition, "wait", wait)
    call(rec, release)
    assert {timeout for timeout in asked if timeout is not None} == {0.0}  # None: a thread begins


def test_the_limits_of_a_call_are_50_ms():
    """The promise, as a number of the code."""
    assert limit.LOOP_LIMIT + limit.WARNING_LIMIT <= 0.05


def test_layers_of_an_iterable_that_hangs_are_recorded_as_far_as_they_came(
    tmp_path, release, monkeypatch, caplog
):
    """It goes on by itself, and what it gives then is dropped."""
    rec = Recorder(tmp_path)
    ended = threading.Event()

    def rows():
        yield {"layer": 0, "name": "h.0", "grad_norm": 1.0}
        release.wait()
        try:
            yield {"layer": 1, "name": "h.1", "grad_norm": 1.0}
        finally:
            ended.set()

    monkeypatch.setattr(limit, "LOOP_LIMIT", 0.5)
    rec.log_layers(0, rows())
    release.set()
    assert ended.wait(30)
    (row,) = [json.loads(line) for line in (tmp_path / "layers.jsonl").read_text().splitlines()]
    assert row["name"] == "h.0"
    assert rec.failures == 1
    assert "give a list" in caplog.text


def test_layers_without_end_are_cut_off_and_counted(tmp_path, monkeypatch):
    """What came until then is recorded."""
    monkeypatch.setattr(values, "_helper", limit.Helper())
    monkeypatch.setattr(limit, "LOOP_LIMIT", 1.0)  # on a busy machine none may come in less
    rec = Recorder(tmp_path)
    rec.log_layers(0, ({"layer": i, "name": "h", "grad_norm": 1.0} for i in itertools.count()))
    assert len(steps(tmp_path / "layers.jsonl")) > 0
    assert rec.failures == 1


def test_a_bad_row_of_layers_costs_no_other(tmp_path, monkeypatch, caplog):
    """Whether it raises when it comes, or is none."""
    monkeypatch.setattr(values, "_helper", limit.Helper())
    monkeypatch.setattr(limit, "LOOP_LIMIT", 30.0)
    rec = Recorder(tmp_path)

    def rows():
        yield {"layer": 0, "name": "h.0", "grad_norm": 1.0}
        yield {"layer": 1.5, "name": "h.1", "grad_norm": 1.0}
        yield {"layer": 2, "name": 2, 3: 1.0}
        raise SystemExit

    rec.log_layers(0, rows())
    read = [json.loads(line) for line in (tmp_path / "layers.jsonl").read_text().splitlines()]
    assert read == [
        {"step": 0, "layer": 0, "name": "h.0", "grad_norm": 1.0},
        {"step": 0, "layer": 2, "name": "2", "3": 1.0},
    ]
    assert rec.failures == 2
    rec.log_layers(0, [{"layer": 1.5, "name": "h.1"}])
    assert rec.failures == 3


class Broken(Mapping):
    """A mapping that raises when it is gone through."""

    def __getitem__(self, key):
        raise RuntimeError

    def __len__(self):
        return 1

    def __iter__(self):
        raise SystemExit


class Evil(Exception):
    """An exception that raises when it is shown."""

    def __repr__(self):
        raise RuntimeError

    __str__ = __repr__


class Raising:
    """A value that raises at whatever is asked of it."""

    def __getattr__(self, name):
        raise Evil

    def __str__(self):
        raise Evil

    __repr__ = __str__


def test_what_raises_at_every_touch_is_counted(tmp_path):
    """Mappings, values, steps and configs of strangers cost the training loop nothing."""
    rec = Recorder(tmp_path, config={"bad": Raising(), "worse": Broken(), "good": 1})
    assert rec.failures == 2
    rec.log(0, Broken())
    rec.log(Raising(), loss=1.0)
    rec.log(1, loss=1.0, odd=Raising())
    rec.close()
    assert rec.failures == 5
    assert steps(tmp_path / "metrics.jsonl") == [1]
    assert json.loads((tmp_path / "run.json").read_text())["config"] == {"good": 1}


def test_an_error_is_shown_without_running_code_of_a_stranger():
    """What stands in it may raise, or take for ever, when it is made a text."""
    assert failures._reason(ValueError(Raising())) == "ValueError"
    assert failures._reason(Evil()) == "Evil"
    assert failures._reason(OSError(28, "No space left")) == "OSError: [Errno 28] No space left"


def test_a_config_that_is_no_mapping_or_goes_in_circles_costs_nothing_else(tmp_path):
    """What is left of it is recorded, and the run is."""
    circle: dict = {"a": 1}
    circle.update({f"again{i}": circle for i in range(9)})
    many: list = [1]
    for _ in range(9):
        many = [many] * 10  # small in memory, 10^9 entries when it is written out
    with Recorder(tmp_path / "a", config={"circle": circle, "many": many, "lr": 0.1}) as rec:
        rec.log(0, loss=1.0)
    assert rec.failures == 2
    assert json.loads((tmp_path / "a" / "run.json").read_text())["config"] == {"lr": 0.1}
    with Recorder(tmp_path / "b", config=7) as rec:
        rec.log(0, loss=1.0)
    assert rec.failures == 1
    assert steps(tmp_path / "b" / "metrics.jsonl") == [0]


def test_a_config_that_hangs_is_left_behind(tmp_path, release, monkeypatch):
    """Whatever was read of it until then is recorded."""
    monkeypatch.setattr(config, "LIMIT", 0.5)

    class Slow:
        def __str__(self):
            release.wait()
            return "late"

    with Recorder(tmp_path, config={"lr": 0.1, "slow": Slow()}) as rec:
        rec.log(0, loss=1.0)
    assert rec.failures == 1
    assert json.loads((tmp_path / "run.json").read_text())["config"] == {"lr": 0.1}


def test_a_warning_that_raises_or_hangs_does_not_hold_the_loop(tmp_path, release, monkeypatch):
    """Handlers are the user's."""
    monkeypatch.setattr(failures, "WARNING_LIMIT", limit.WARNING_LIMIT)
    hung = threading.Event()

    class Handler(logging.Handler):
        def emit(self, record):
            hung.set()
            release.wait()
            raise RuntimeError

    logger, handler = logging.getLogger("viz3d.record.recorder"), Handler()
    logger.addHandler(handler)
    try:
        rec = Recorder(tmp_path)
        rec.log(0, loss="text")
        assert hung.wait(10)
        rec.log(1, loss=1.0)
        release.set()
        failures.Failures("run")._warn("the handler raises now")
    finally:
        release.set()
        logger.removeHandler(handler)
    assert steps(tmp_path / "metrics.jsonl") == [0, 1]


def test_a_disk_that_hangs_holds_neither_the_loop_nor_the_end_for_ever(
    tmp_path, release, monkeypatch
):
    """While a sync hangs rows are written; `close` waits as long as it says."""
    hung = threading.Event()

    def sync(_):
        hung.set()
        release.wait()

    monkeypatch.setattr(append, "_flush", sync)
    monkeypatch.setattr("viz3d.record.sync.INTERVAL", 0.01)
    monkeypatch.setattr(recorder, "CLOSE_LIMIT", 0.2)
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0)
    assert hung.wait(10)
    rec.log(1, loss=1.0)
    assert steps(tmp_path / "metrics.jsonl") == [0, 1]
    rec.close()
    assert rec.failures >= 1


def test_a_disk_that_hangs_when_the_run_begins_holds_no_rows(tmp_path, release, monkeypatch):
    """The description comes late; the rows do not wait for it."""
    monkeypatch.setattr(folder.About, "begin", lambda *_: release.wait())
    monkeypatch.setattr(recorder, "OPEN_LIMIT", 0.1)
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0)
    assert steps(tmp_path / "metrics.jsonl") == [0]
    assert rec.failures == 1
