"""viz3d.Recorder(upload=...): records that go on, or begin anew, where parts were sent."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys

import pandas as pd
import pytest

from tests.record.bucket import ADDRESS, UPLOAD, created, objects, sent, sent_steps
from tests.record.waiting import until
from tests.storage.server import Fault
from viz3d.load import load_run
from viz3d.record.recorder import Recorder
from viz3d.settings import load_settings
from viz3d.sources import sending


def test_parts_of_another_record_stay_as_they_are_and_ours_follow(server, tmp_path, caplog):
    """A computer that lost its disk goes on with the run that its first life began."""
    run = tmp_path / "run"
    with Recorder(run, config={"lr": 0.1}, upload=ADDRESS) as rec:
        for step in range(3):
            rec.log(step, loss=1.0)
    before = objects(server)
    shutil.rmtree(run)
    with Recorder(run, config={"lr": 0.2}, upload=ADDRESS) as rec:
        for step in range(2, 5):
            rec.log(step, loss=2.0)
    assert rec.failures == 0
    assert caplog.text.count("parts of another record") == 1
    assert sent_steps(server) == [0, 1, 2, 2, 3, 4]
    kept = objects(server)
    part = "metrics/part-00001.jsonl"
    assert kept[part] == before[part]
    first, second = (json.loads(files["run.json"]) for files in (before, kept))
    assert second["config"] == {"lr": 0.2}
    assert second["created"] == first["created"]
    assert second["attempts"][0]["started"] == first["created"]
    assert len(second["attempts"]) == 2
    assert load_run(ADDRESS, "run").history["loss"].tolist() == [1.0, 1.0, 2.0, 2.0, 2.0]


def test_a_record_that_goes_on_sends_only_what_is_new(server, tmp_path):
    """What is there is told by its bytes, and the description by its generation."""
    run = tmp_path / "run"
    for life in range(3):
        with Recorder(run, upload=ADDRESS) as rec:
            rec.log(life, loss=1.0)
        assert rec.failures == 0
    assert sent(server) == (run / "metrics.jsonl").read_bytes()
    assert json.loads(objects(server)["run.json"]) == json.loads((run / "run.json").read_text())
    shutil.copytree(run, tmp_path / "copy" / "run")
    with Recorder(tmp_path / "copy" / "run", upload=ADDRESS) as rec:
        rec.log(3, loss=1.0)
    assert sent_steps(server) == [0, 1, 2, 3]
    assert {n for name, n in created(server).items() if "/part-" in name} == {1}


CHILD = """
import sys
import viz3d.record.upload as upload
upload.SOON = 0.005
from viz3d.record.recorder import Recorder
rec = Recorder(sys.argv[1], upload=sys.argv[2])
for step in range(10**9):
    rec.log(step, loss=1.0)
"""


def test_kills_lose_and_double_no_row(server, tmp_path):
    """At random moments, and between the storing of a part and its answer."""
    run, draw = tmp_path / "run", random.Random(0)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for life in range(4):
        child = subprocess.Popen([sys.executable, "-c", CHILD, run, ADDRESS], env=environment)
        kill = lambda child=child: os.kill(child.pid, signal.SIGKILL)  # noqa: E731
        if life % 2:
            server.faults = [Fault("drop", skip=draw.randrange(3), then=kill, **UPLOAD)]
        else:
            n = len(objects(server))
            until(lambda n=n: len(objects(server)) > n + draw.randrange(4))
            kill()
        assert child.wait(30) == -signal.SIGKILL
    server.faults.clear()
    with Recorder(run, upload=ADDRESS) as rec:
        rec.log(0, loss=1.0)
    assert rec.failures == 0
    assert sent(server) == (run / "metrics.jsonl").read_bytes()
    assert {n for name, n in created(server).items() if "/part-" in name} == {1}


def test_a_record_that_was_removed_begins_anew_behind_what_was_sent(server, tmp_path, monkeypatch):
    """Nobody's rows are written over."""
    monkeypatch.setattr("viz3d.record.sync.INTERVAL", 0.01)
    monkeypatch.setattr("viz3d.record.upload.SOON", 60)
    rec = Recorder(tmp_path / "run", upload=ADDRESS)
    for step in range(5):
        rec.log(step, loss=1.0)
    uploader = rec._folder._uploader
    with uploader._turn:
        uploader._round()  # and no other one before the end
    assert sent_steps(server) == [0, 1, 2, 3, 4]
    shutil.rmtree(tmp_path / "run")
    until(lambda: rec.failures)
    for step in range(20, 40):  # more bytes than before
        rec.log(step, loss=1.0)
    rec.close()
    assert sent_steps(server) == [0, 1, 2, 3, 4, *range(20, 40)]


@pytest.mark.parametrize("anew", [range(10, 12), range(10, 15), range(10, 40)])
def test_lines_that_were_replaced_since_the_last_round_are_sent_whole(server, tmp_path, anew):
    """Whether there are fewer bytes than before, as many or more; what was sent stays."""
    run, parts = tmp_path / "run", []
    way = sending.open_sending(run, ADDRESS, load_settings())
    run.mkdir()
    for steps in (range(5), anew):
        text = "".join(f'{{"step":{step:2}}}\n' for step in steps)
        (run / "metrics.jsonl").write_text(text)
        assert way.unsent() == len(steps)
        way.send()
        assert way.unsent() == 0
        parts.append(text.encode())
    assert sent(server) == b"".join(parts)
    assert way.foreign == 1
    resumed = sending.open_sending(run, ADDRESS, load_settings())
    resumed.send()
    (run / "metrics.jsonl").write_text('{"step":99}\n' * 50)
    resumed.send()
    assert sent_steps(server) == [*range(5), *anew, *[99] * 50]


@pytest.mark.parametrize("resumed", [3, 6], ids=["at a checkpoint before", "after what was lost"])
def test_rows_that_a_power_cut_took_are_read_as_of_an_attempt_before(
    server, tmp_path, caplog, resumed
):
    """They stand in the bucket before those that follow, some twice; none is read twice."""
    run = tmp_path / "run"
    file = run / "metrics.jsonl"
    for steps in (range(3), range(3, 6)):  # a part each
        with Recorder(run, upload=ADDRESS) as rec:
            for step in steps:
                rec.log(step, loss=float(step))
    *_, fourth, fifth = file.read_bytes().splitlines(keepends=True)
    os.truncate(file, file.stat().st_size - len(fifth) - len(fourth) // 2)
    with Recorder(run, upload=ADDRESS) as rec:
        for step in range(resumed, 8):
            rec.log(step, loss=10.0 * step)
    assert rec.failures == 0
    assert caplog.text.count("parts of another record") == 1
    seen, here = load_run(ADDRESS, "run"), load_run(run)
    pd.testing.assert_frame_equal(seen.history, here.history)
    assert seen.history.index.tolist() == [*range(4), *range(max(4, resumed), 8)]
    assert seen.history["loss"].tolist()[3:] == [
        10.0 * step if step >= resumed else step for step in seen.history.index[3:]
    ]
    before = seen.attempts[seen.attempts["attempt"] == 1]
    assert before["step"].tolist() == [3, 4, 5]
    assert before["loss"].tolist() == [3.0, 4.0, 5.0]
    torn, restart, *_ = seen.problems
    assert torn.what.startswith("1 line that was no JSON object was left out: '{")
    assert torn.line  # in its part, which begins where the thread last looked
    assert "(a restart): 3 rows of earlier attempts" in restart.what
