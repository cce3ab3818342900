"""viz3d.Recorder(upload=...): whatever the bucket does, neither the loop nor the end is held."""

from __future__ import annotations

import json
import logging
import threading
import time

import pytest

from tests.record.bucket import ADDRESS, objects, sent, sent_steps
from tests.record.waiting import until
from tests.storage.server import Fault
from viz3d.record import recorder, upload
from viz3d.record.recorder import Recorder
from viz3d.sources import gcs, gcs_writing


def lines(path) -> int:
    return path.read_bytes().count(b"\n")


def test_a_bucket_that_never_answers_holds_neither_loop_nor_end(
    server, tmp_path, monkeypatch, caplog
):
    """Rows are recorded meanwhile; `close` waits as long as it says and counts the rest."""
    monkeypatch.setattr(recorder, "CLOSE_LIMIT", 1.5)
    monkeypatch.setenv("VIZ3D_PATIENCE", "100")
    server.faults.append(Fault("hang", on="upload", times=None))
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=1.0)
    until(lambda: server.faults[0].fired)
    for step in range(1, 50):
        rec.log(step, loss=1.0)
    assert lines(tmp_path / "run" / "metrics.jsonl") == 50
    rec.close()
    rec.log(50, loss=1.0)  # a new thread, which waits for the one that hangs
    rec.close()
    rec.close()
    assert caplog.text.count("51 rows are not known to be in") == 1
    assert "50 rows are not known to be in gs://bucket/team" in caplog.text
    assert f"python -m viz3d upload {tmp_path / 'run'} gs://bucket/team" in caplog.text
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "finished"
    assert rec.failures == 0


def test_a_thread_that_hangs_at_the_end_does_not_meet_its_successor(server, tmp_path, monkeypatch):
    """Its answer comes while rows are logged after `close`: each is sent once all the same."""
    stored, release = threading.Event(), threading.Event()
    real = gcs_writing.WritableBucket.write

    def write(*said):
        found = real(*said)
        if "/metrics/" in said[1] and not stored.is_set():
            stored.set()
            assert release.wait(30)
        return found

    monkeypatch.setattr(gcs_writing.WritableBucket, "write", write)
    monkeypatch.setattr(recorder, "CLOSE_LIMIT", 0.5)
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=1.0)
    assert stored.wait(30)
    rec.close()
    rec.log(1, loss=1.0)
    assert rec._folder._uploader._thread.is_alive()
    assert rec._folder._uploader._turn.locked()
    release.set()
    until(lambda: sent_steps(server) == [0, 1])
    rec.log(2, loss=1.0)
    until(lambda: sent_steps(server) == [0, 1, 2])
    rec.close()
    assert sent(server) == (tmp_path / "run" / "metrics.jsonl").read_bytes()


@pytest.mark.deadline
def test_close_keeps_its_limit_while_nothing_answers(server, tmp_path, monkeypatch):
    """The promise of `close` holds with a dead bucket."""
    assert recorder.CLOSE_LIMIT == 5.0
    monkeypatch.setattr(recorder, "CLOSE_LIMIT", 1.0)
    server.faults.append(Fault("hang", on="upload", times=None))
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=1.0)
    began = time.monotonic()
    rec.close()
    assert time.monotonic() - began <= 1.5


def test_the_client_is_loaded_before_the_first_row_but_not_waited_for_for_ever(
    server, tmp_path, monkeypatch
):
    """Loading it beside the loop would hold rows; what hangs holds the constructor shortly."""
    release = threading.Event()
    loaded = []
    monkeypatch.setattr(gcs, "load", lambda: loaded.append(1))
    Recorder(tmp_path / "run", upload=ADDRESS).close()
    assert loaded
    monkeypatch.setattr(gcs, "load", lambda: release.wait(30))
    monkeypatch.setattr(recorder, "LOAD_LIMIT", 0.05)
    rec = Recorder(tmp_path / "other", upload=ADDRESS)
    rec.log(0, loss=1.0)
    assert lines(tmp_path / "other" / "metrics.jsonl") == 1
    assert objects(server, "other") == {}
    release.set()
    rec.close()
    assert sent_steps(server, run="other") == [0]


def test_without_threads_rows_are_recorded(server, tmp_path, monkeypatch, caplog):
    """A process that may start no more threads trains on."""
    real = threading.Thread.start

    def start(self):
        if self.name == "viz3d-upload":
            raise RuntimeError("can't start new thread")
        real(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=1.0)
    rec.close()
    assert lines(tmp_path / "run" / "metrics.jsonl") == 1
    assert rec.failures >= 1
    assert logging.getLogger("viz3d.record.recorder").name in {r.name for r in caplog.records}


def test_rounds_are_soon_at_first_and_rarer_in_a_long_run():
    """A run is seen while it is young, and a day of it is no ten thousand objects."""
    day = 86_400
    assert upload.SOON <= 10
    assert day / upload.LATER < 1500
