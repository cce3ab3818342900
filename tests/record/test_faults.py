"""viz3d.record: disks that fail, folders that go, rows from several threads, starts anew."""

from __future__ import annotations

import json
import os
import resource
import shutil
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.record.waiting import until
from viz3d.load import load_run
from viz3d.record import append
from viz3d.record.recorder import Recorder
from viz3d.sources.local import LocalSource


def read(path) -> list[int]:
    """Return the steps of the whole lines."""
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line)["step"])
        except ValueError:
            found.append(-1)
    return found


@contextmanager
def files_of_at_most(size):
    """Let this process write no file beyond `size` bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_writing_goes_on_when_the_disk_has_room_again(tmp_path, caplog):
    """The line that was cut is closed, every lost row is counted, one warning is given."""
    rec = Recorder(tmp_path)
    rec.log(0, loss=1.0)
    size = (tmp_path / "metrics.jsonl").stat().st_size
    with files_of_at_most(size + 10):
        for step in range(1, 6):
            rec.log(step, loss=1.0)
    assert rec.failures == 5
    rec.log(6, loss=1.0)
    assert read(tmp_path / "metrics.jsonl") == [0, -1, 6]
    assert len(caplog.records) == 1
    rec.close()
    assert rec.failures == 5


@contextmanager
def ordinary_user():
    """Drop the rights of root, to whom no folder is read-only."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_written_as_soon_as_it_can_be(caplog):
    """Rows that could not be written are counted, not kept; later ones stand, and run.json."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is its user's alone
        Path(folder).chmod(0o755)
        run = Path(folder, "run")
        run.mkdir()
        run.chmod(0o555)
        with ordinary_user():
            rec = Recorder(run)
            rec.log(0, loss=1.0)
        assert rec.failures == 2
        run.chmod(0o777)
        with ordinary_user():
            rec.log(1, loss=1.0)
            rec.close()
        assert read(run / "metrics.jsonl") == [1]
        assert json.loads((run / "run.json").read_text())["status"] == "finished"
        assert rec.failures == 2
    assert len([r for r in caplog.records if "training goes on" in r.message]) == 1


def test_a_folder_that_was_removed_is_begun_anew_and_told(tmp_path, monkeypatch, caplog):
    """Rows do not go into a file that has no name any more."""
    monkeypatch.setattr("viz3d.record.sync.INTERVAL", 0.01)
    run = tmp_path / "run"
    rec = Recorder(run, config={"lr": 0.1})
    rec.log(0, loss=1.0)
    shutil.rmtree(run)
    until((run / "run.json").exists)
    rec.log(1, loss=1.0)
    assert read(run / "metrics.jsonl") == [1]
    assert json.loads((run / "run.json").read_text())["config"] == {"lr": 0.1}
    assert rec.failures == 1
    assert "removed" in caplog.text
    rec.close()


def test_a_record_that_was_removed_just_before_the_end_is_told(tmp_path, monkeypatch, caplog):
    """Nobody looks again before `close`."""
    monkeypatch.setattr("viz3d.record.sync.INTERVAL", 60.0)
    rec = Recorder(tmp_path / "run")
    rec.log(0, loss=1.0)
    shutil.rmtree(tmp_path / "run")
    rec._folder.stop(time.monotonic() + 30)  # as the end of the process does
    assert not (tmp_path / "run").exists()
    rec.close()
    assert rec.failures == 1
    assert "removed" in caplog.text


def test_a_sync_that_fails_is_counted_and_the_rows_go_on(tmp_path, monkeypatch):
    """A disk that breaks under the rows is told."""

    def broken(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(append, "_flush", broken)
    monkeypatch.setattr("viz3d.record.sync.INTERVAL", 60.0)
    with Recorder(tmp_path) as rec:
        rec.log(0, loss=1.0)
    assert rec.failures == 1
    assert read(tmp_path / "metrics.jsonl") == [0]


def test_ctrl_c_is_the_users(tmp_path, monkeypatch):
    """KeyboardInterrupt alone passes through."""
    rec = Recorder(tmp_path)

    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", press)
    with pytest.raises(KeyboardInterrupt):
        rec.log(0, loss=1.0)


def test_rows_of_several_threads_are_whole_and_in_order(tmp_path, monkeypatch):
    """Also where the system takes a line in pieces."""
    write = os.write

    def pieces(descriptor, data):
        n = write(descriptor, data[:40])
        time.sleep(0)  # lets another thread in
        return n

    monkeypatch.setattr(os, "write", pieces)
    rec = Recorder(tmp_path)

    def work(who):
        for step in range(100):
            rec.log(step, who=who, loss=1.0 / (step + 1), reward=step / 7)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    for who in range(4):
        assert [row["step"] for row in rows if row["who"] == who] == list(range(100))
    assert rec.failures == 0


def test_a_signal_handler_may_log_while_a_row_is_written(tmp_path, monkeypatch):
    """A job that is told to end says so in its record; the same thread holds the lock already."""
    rec = Recorder(tmp_path)
    write = os.write

    def interrupted(descriptor, data):
        monkeypatch.setattr(os, "write", write)
        rec.log(9, ended=1)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", interrupted)
    finished = threading.Thread(target=rec.log, args=(0,), kwargs={"loss": 1.0}, daemon=True)
    finished.start()
    finished.join(10)
    assert sorted(read(tmp_path / "metrics.jsonl")) == [0, 9]


def test_each_start_is_noted_and_agrees_with_what_the_reader_finds(tmp_path):
    """A run that went back to its checkpoint has as many attempts in both."""
    for first, last in ((0, 60), (40, 90), (80, 120)):
        with Recorder(tmp_path / "run", config={"lr": 0.1}) as rec:
            for step in range(first, last):
                rec.log(step, loss=1.0 / (step + 1))
    starts = json.loads((tmp_path / "run" / "run.json").read_text())["attempts"]
    assert [start["started"] for start in starts] == sorted(start["started"] for start in starts)
    run = load_run(LocalSource(tmp_path), "run")
    assert list(run.history.index) == list(range(120))
    superseded = {int(number) for number in run.attempts["attempt"]}
    assert len(starts) == len(superseded) + 1 == 3
