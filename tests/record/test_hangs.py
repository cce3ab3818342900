"""viz3d.record: nothing but the row's own write holds the loop."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from tests.record.waiting import until
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


class Hanging:
    """A value whose number comes when the event is set."""

    def __init__(self, event):
        self.event, self.asked = event, 0

    def item(self):
        """Wait, as a tensor does for a GPU that has stopped."""
        self.asked += 1
        self.event.wait()
        return 7.0


def test_a_value_that_hangs_is_left_out_and_not_waited_for_again(tmp_path, release, caplog):
    """The row is written without it; once it has come, others are asked again."""
    value = Hanging(release)
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0, odd=value, other=value)
    helper, free = values._helper, values._helper._free
    helper._free = SimpleNamespace(release=free.release)  # nobody can ask for it now
    for step in range(1, 20):
        rec.log(step, loss=1.0, odd=value, other=value)
    helper._free = free
    assert steps(tmp_path / "metrics.jsonl") == list(range(20))
    assert rec.failures == 40
    assert value.asked == 1
    assert "50 ms" in caplog.text
    release.set()
    until(helper._overdue.is_set)
    helper._limit = 10.0
    rec.log(20, odd=value)
    assert json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])["odd"] == 7.0


def test_all_values_of_a_row_share_one_limit(monkeypatch, release):
    """Twenty values that each take nearly the limit do not hold the loop twenty times."""
    waits = []
    real = threading.Event.wait

    def wait(self, timeout=None):
        if timeout is not None and timeout <= limit.LOOP_LIMIT:
            waits.append(timeout)
        return real(self, timeout)

    monkeypatch.setattr(threading.Event, "wait", wait)
    assert values.foreign([Hanging(release)] * 20) == [None] * 20
    assert len(waits) == 1


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
    monkeypatch.setattr(failures, "LOOP_LIMIT", limit.LOOP_LIMIT)
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
