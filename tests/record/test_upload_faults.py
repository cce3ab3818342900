"""viz3d.Recorder(upload=...): what goes wrong is told once and costs no memory."""

from __future__ import annotations

import gc
import json
import shlex
import sys
import time
import tracemalloc

import pytest

from tests.record.bucket import ADDRESS, objects, sent, sent_steps
from tests.record.waiting import until
from tests.storage.server import Fault, service_account_key
from viz3d.record import upload
from viz3d.record.recorder import Recorder
from viz3d.record.upload import stop_all
from viz3d.sources import login, sending, sending_lines


def lines(path) -> int:
    return path.read_bytes().count(b"\n")


@pytest.mark.usefixtures("impatient")
def test_an_outage_costs_one_failure_and_no_memory(server, tmp_path, monkeypatch, caplog):
    """Ten thousand rows later it holds the part that it tries; afterwards all come, in parts."""
    monkeypatch.setattr(upload, "PASSING", 0.05)
    monkeypatch.setattr(sending_lines, "PART_BYTES", 100_000)
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=0.0)
    until(lambda: sent_steps(server) == [0])
    rounds, row = [], {f"metric/{i}": i / 7 for i in range(8)}
    real = upload.Uploader._round
    monkeypatch.setattr(upload.Uploader, "_round", lambda self: rounds.append(1) or real(self))
    with server.down():
        rec.log(1, loss=1.0)
        until(lambda: rec.failures)
        gc.collect()
        gc.disable()  # as training loops do
        tracemalloc.start()
        try:
            for step in range(2, 10_001):
                rec.log(step, row)
            tried = len(rounds)
            until(lambda: len(rounds) > tried + 5)
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
            gc.enable()
        size = (tmp_path / "run" / "metrics.jsonl").stat().st_size
        assert size > 2_500_000
        assert held < 600_000
    until(lambda: sent_steps(server)[-1:] == [10_000])
    rec.close()
    assert rec.failures == 1
    assert caplog.text.count("not sent to the bucket") == 1
    assert "cannot be reached" in caplog.text
    assert sent(server) == (tmp_path / "run" / "metrics.jsonl").read_bytes()
    sizes = [len(data) for name, data in objects(server).items() if name.startswith("metrics/")]
    assert len(sizes) >= size // 100_000
    assert max(sizes) < 101_000


@pytest.mark.usefixtures("impatient")
def test_the_next_outage_is_counted_again(server, tmp_path, monkeypatch):
    """One that passed is over."""
    monkeypatch.setattr(upload, "PASSING", 0.02)
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    for outage in range(2):
        with server.down():
            rec.log(outage, loss=1.0)
            until(lambda outage=outage: rec.failures > outage)
        until(lambda outage=outage: sent_steps(server)[-1:] == [outage])
        until(lambda: not rec._folder._uploader._failing)
    rec.close()
    assert rec.failures == 2


def end_of(rec: Recorder, caplog: pytest.LogCaptureFixture) -> str:
    """Log a row, wait for a failure, close, and return what was said."""
    rec.log(0, loss=1.0)
    until(lambda: rec.failures)
    rec.log(1, loss=1.0)
    rec.close()
    assert rec.failures == 1
    assert lines(rec.path / "metrics.jsonl") == 2
    assert "2 rows are not known to be in" in caplog.text
    return caplog.text


def test_no_permission_names_the_role(server, tmp_path, monkeypatch, caplog):
    """And who lacks it; the login asks for the right to write."""
    server.open = False
    server.token("elsewhere", "other")
    key = service_account_key(server.url)
    (tmp_path / "key.json").write_text(json.dumps(key))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    said = end_of(Recorder(tmp_path / "run", upload=ADDRESS), caplog)
    assert f"{key['client_email']} may not write to gs://bucket/team" in said
    assert "roles/storage.objectUser" in said


def test_a_login_that_comes_later_is_found(server, tmp_path, monkeypatch):
    """Whoever mends it need not start the training again."""
    monkeypatch.setattr(upload, "STAYING", 0.05)
    key, scopes = tmp_path / "key.json", []
    real = login.credentials

    def credentials(access, **wanted):
        found = real(access, **wanted) if key.exists() else (login.anonymous(), None)
        scopes.extend(getattr(found[0], "scopes", None) or ())
        return found

    monkeypatch.setattr(login, "credentials", credentials)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    server.open = False
    server.token("good", "bucket")
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=1.0)
    until(lambda: rec.failures)
    key.write_text(json.dumps(service_account_key(server.url)))
    until(lambda: sent_steps(server) == [0])
    rec.close()
    assert rec.failures == 1
    assert scopes == ["https://www.googleapis.com/auth/devstorage.read_write"]


def test_no_bucket_and_no_login_are_told(server, tmp_path, caplog):
    """Each in its own sentence."""
    said = end_of(Recorder(tmp_path / "a", upload="gs://missing/team"), caplog)
    assert "There is no bucket missing" in said
    server.open = False
    said = end_of(Recorder(tmp_path / "b", upload=ADDRESS), caplog)
    assert "There is no Google login here" in said


def test_what_a_forgotten_recorder_could_not_send_is_told_at_the_end(server, tmp_path, caplog):
    """Its thread has ended by then."""
    rec = Recorder(tmp_path / "run", upload="gs://missing/team")
    rec.log(0, loss=1.0)
    uploader = rec._folder._uploader
    until(lambda: uploader._failing)
    thread = uploader._thread
    del rec
    thread.join(30)
    assert "not known" not in caplog.text
    stop_all(time.monotonic() + 1)
    assert caplog.text.count("1 row is not known to be in gs://missing/team") == 1


@pytest.mark.usefixtures("impatient")
def test_a_network_that_is_not_there(server, tmp_path, caplog):
    """The run is recorded, and what to do later is said."""
    server.stop()
    assert "cannot be reached" in end_of(Recorder(tmp_path / "run", upload=ADDRESS), caplog)


@pytest.mark.parametrize("address", ["runs/here", "gs://No Bucket", "", 7])
def test_an_address_that_is_none_costs_the_loop_nothing(tmp_path, caplog, address):
    """It is said like any other failure."""
    rec = Recorder(tmp_path / "run", upload=address)
    rec.log(0, loss=1.0)
    if address:
        until(lambda: "gs://" in caplog.text)
        assert rec.failures == 1
    rec.close()
    assert lines(tmp_path / "run" / "metrics.jsonl") == 1


@pytest.mark.parametrize("address", ["gs://me:pass-word@bucket/x", "s3://me:pass-word@bucket/x"])
def test_a_login_in_an_address_is_not_repeated(tmp_path, caplog, address):
    """Nor is it a command to be copied."""
    rec = Recorder(tmp_path / "run", upload=address)
    rec.log(0, loss=1.0)
    rec.close()
    assert "the run is not known to be in a bucket" in caplog.text
    assert "gs://BUCKET/FOLDER` sends it" in caplog.text
    assert "pass-word" not in caplog.text


def test_the_command_that_sends_what_is_left_can_be_copied(tmp_path, monkeypatch, server, caplog):
    """Also where a name holds what a shell reads."""
    run = tmp_path / "it's $HOME"
    rec = Recorder(run, upload="gs://missing/a b")
    rec.log(0, loss=1.0)
    rec.close()
    assert "1 row is not known to be in gs://missing/a b" in caplog.text
    command = shlex.split(caplog.text.rpartition("`python ")[2].partition("` sends")[0])
    assert command == ["-m", "viz3d", "upload", str(run), "gs://missing/a b"]


def test_a_run_that_no_object_can_be_called_by_is_told(server, tmp_path, caplog):
    """It is no fault of the bucket, and passes by no waiting."""
    Recorder(tmp_path / "a\udce9", upload=ADDRESS).close()
    assert "half a character" in caplog.text


def test_a_description_that_another_recorder_writes_is_told_as_that(server, tmp_path, caplog):
    """Each look at it is overtaken; the rows are sent all the same."""
    server.faults.append(Fault("status", on="upload", name="*/run.json", status=412, times=None))
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=1.0)
    until(lambda: rec.failures)
    rec.close()
    assert "team/run/run.json in gs://bucket is written by another recorder too" in caplog.text
    assert sent_steps(server) == [0]


def test_a_missing_client_is_named(server, tmp_path, monkeypatch, caplog):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    said = end_of(Recorder(tmp_path / "run", upload=ADDRESS), caplog)
    assert "pip install google-cloud-storage" in said


def test_whatever_raises_in_the_thread_is_counted(server, tmp_path, monkeypatch, caplog):
    """An error of our own is no end of the upload either."""
    real, times = sending.Sending.send, []

    def send(self):
        times.append(1)
        if len(times) == 1:
            raise ZeroDivisionError("odd")
        real(self)

    monkeypatch.setattr(sending.Sending, "send", send)
    monkeypatch.setattr(upload, "STAYING", 0.02)
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=1.0)
    until(lambda: sent_steps(server) == [0])
    rec.close()
    assert rec.failures == 1
    assert "ZeroDivisionError" in caplog.text
