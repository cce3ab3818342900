"""viz3d.Recorder(upload=...): every row is in the bucket once, whatever happens on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from tests.record.bucket import ADDRESS, BUCKET, UPLOAD, created, objects, sent, sent_steps
from tests.record.waiting import until
from tests.storage.server import Fault
from viz3d.load import load_run
from viz3d.record.recorder import Recorder
from viz3d.settings import load_settings
from viz3d.sources import sending

ROW = {"layer": 0, "name": "h.0", "grad_norm": 0.5}


def test_a_run_is_in_the_bucket_when_it_is_closed_each_part_sent_once(server, tmp_path):
    """Rows, layers and description; and a reader sees the run while it grows."""
    with Recorder(tmp_path / "run", config={"lr": 0.1}, upload=ADDRESS) as rec:
        for step in range(30):
            rec.log(step, loss=1.0 / (step + 1))
            rec.log_layers(step, [ROW])
            if step % 10 == 9:
                until(lambda step=step: sent_steps(server, "layers")[-1:] == [step])
                seen = load_run(ADDRESS, "run")
                assert list(seen.history.index) == list(range(step + 1))
                assert len(seen.layers) == step + 1
                assert seen.config == {"lr": 0.1}
                assert seen.problems == ()
    assert rec.failures == 0
    parts = {name: n for name, n in created(server).items() if "/part-" in name}
    assert len(parts) >= 6
    assert set(parts.values()) == {1}
    assert sent(server) == (tmp_path / "run" / "metrics.jsonl").read_bytes()
    assert sent(server, "layers") == (tmp_path / "run" / "layers.jsonl").read_bytes()
    assert json.loads(objects(server)["run.json"])["status"] == "finished"


@pytest.mark.parametrize(
    "lost",
    [
        {"kind": "late_status", "status": 503, "times": 1},
        {"kind": "drop", "times": 1},
        {"kind": "late_status", "status": 503, "times": 9},  # more than are tried in one round
    ],
    ids=["503 after it was stored", "broken off after it was stored", "again and again"],
)
@pytest.mark.usefixtures("impatient")
def test_an_answer_that_is_lost_doubles_no_row(server, tmp_path, lost):
    """The part is found again by its bytes, although more lines stand behind them by then."""
    server.faults.append(Fault(**UPLOAD, **lost))
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.log(0, loss=1.0)
    until(lambda: server.faults[0].fired)
    rec.log(1, loss=1.0)
    until(lambda: sent_steps(server) == [0, 1])
    rec.close()
    assert sent(server) == (tmp_path / "run" / "metrics.jsonl").read_bytes()
    assert rec.failures <= 1


def test_a_loop_that_is_faster_than_the_bucket_makes_no_flood_of_parts(server, tmp_path):
    """A round sends what was there, and leaves what comes meanwhile for the next."""
    file = tmp_path / "run" / "metrics.jsonl"
    file.parent.mkdir()
    line = b'{"step": 1}\n'
    file.write_bytes(line)
    way = sending.open_sending(file.parent, ADDRESS, load_settings())
    real = way.lines[0]._bucket.write

    def write(name, *data):
        assert len(created(server)) < 10
        if "metrics" in name:
            with file.open("ab") as more:
                more.write(line)
        return real(name, *data)

    way.lines[0]._bucket.write = write
    for rounds in range(1, 4):
        way.send()
        assert sent(server) == rounds * line
        assert way.unsent() == 1


def test_a_line_that_is_being_written_is_sent_when_it_is_whole(server, tmp_path):
    """No part ends within a row, and no row is in two."""
    file = tmp_path / "run" / "metrics.jsonl"
    file.parent.mkdir()
    way = sending.open_sending(file.parent, ADDRESS, load_settings())
    for text, parts in (("", []), ('{"step": 0', []), ("}\n{", [0]), ('"step": 1}\n', [0, 1])):
        with file.open("a") as more:
            more.write(text)
        way.send()
        assert sent_steps(server) == parts
    assert sent(server) == file.read_bytes()


def test_rows_after_the_end_and_of_a_forgotten_recorder_are_sent(server, tmp_path):
    """`close` is no reason to lose what comes later, nor is its absence."""
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    rec.close()
    rec.log(1, loss=1.0)
    until(lambda: sent_steps(server) == [1])
    thread = rec._folder._uploader._thread
    rec.log(2, loss=1.0)
    del rec
    thread.join(10)
    assert not thread.is_alive()
    assert sent_steps(server) == [1, 2]


def test_a_loop_that_never_says_close_has_sent_its_rows_when_the_process_ends(server, tmp_path):
    """The end of the process waits for them."""
    code = "from viz3d.record.recorder import Recorder; import sys\n"
    code += "rec = Recorder(sys.argv[1], upload=sys.argv[2])\nrec.log(0, loss=1.0)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, tmp_path / "run", ADDRESS]
    subprocess.run(command, env=environment, check=True)
    assert sent_steps(server) == [0]


def test_secrets_stay_here_and_only_a_writer_sends(server, tmp_path, monkeypatch):
    """The bucket gets what stands in the record; other ranks and forked children send nothing."""
    with Recorder(tmp_path / "run", config={"api_key": "sk-abcdefghijklmnop"}, upload=ADDRESS) as r:
        r.log(0, loss=1.0)
        child = os.fork()
        if not child:
            r._folder._uploader.start()
            os._exit(threading.active_count() != 1)
        assert os.waitpid(child, 0)[1] == 0
    assert b"(left out)" in objects(server)["run.json"]
    assert not any(b"sk-abc" in data for data in objects(server).values())
    monkeypatch.setenv("RANK", "1")
    threads = threading.active_count()
    with Recorder(tmp_path / "other", upload=ADDRESS) as rec:
        rec.log(0, loss=1.0)
    assert threading.active_count() == threads
    assert objects(server, "other") == {}


def test_two_recorders_in_one_folder_send_its_lines_once(server, tmp_path):
    """Each finds the other's parts to be its own."""
    both = [Recorder(tmp_path / "run", upload=ADDRESS) for _ in range(2)]
    for step in range(20):
        both[step % 2].log(step, loss=1.0)
        until(lambda step=step: step in sent_steps(server))
    for rec in both:
        rec.close()
    assert sent_steps(server) == list(range(20))
    assert server.get(BUCKET, "team/run/metrics/part-00001.jsonl")
