"""viz3d.packing: new parts and a manifest; nothing is deleted, and every row is read once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from tests.record.bucket import ADDRESS, BUCKET, created, objects, sent_steps
from tests.record.waiting import until
from tests.storage.server import Fault
from viz3d.errors import BucketError, FormatError, SourceError
from viz3d.load import load_run
from viz3d.packing import pack
from viz3d.record.recorder import Recorder

ROW = {"layer": 0, "name": "h.0", "grad_norm": 0.5}
RUN = f"{ADDRESS}/run"


def record(path: Path, steps: range, **where: str) -> None:
    with Recorder(path, **where) as rec:
        for step in steps:
            rec.log(step, loss=1.0 / (step + 1))
            rec.log_layers(step, [ROW])
    assert rec.failures == 0


def check(source: Path | str, steps: int) -> None:
    """Fail where a row is not read, or twice."""
    run = load_run(source, "run") if source == ADDRESS else load_run(source)
    assert run.history["loss"].tolist() == [1.0 / (step + 1) for step in range(steps)]
    assert run.layers["step"].tolist() == list(range(steps))
    assert run.attempts is None
    assert run.problems == ()


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_is_packed_while_it_grows(tmp_path):
    """Each packing takes what came since the last one, and every file stays as it was."""
    run = tmp_path / "run"
    for life in range(3):
        record(run, range(10 * life, 10 * life + 10))
        before = files(run)
        done = pack(run)
        assert (done.metric_rows, done.layer_rows, done.unreadable) == (10, 10, 0)
        after = files(run)
        assert {name: after[name] for name in before if name != "manifest.json"} == {
            name: data for name, data in before.items() if name != "manifest.json"
        }
        check(run, 10 * life + 10)
    assert pack(run).metric_rows == 0
    assert len([name for name in files(run) if "packed-" in name]) == 6
    record(run, range(30, 35))
    check(run, 35)


def test_a_bucket_is_packed_while_it_grows(server, tmp_path, monkeypatch):
    """Packed parts are read in the place of the others, which are not even fetched."""
    record(tmp_path / "run", range(10), upload=ADDRESS)
    with Recorder(tmp_path / "run", upload=ADDRESS) as rec:
        for step in range(10, 20):
            rec.log(step, loss=1.0 / (step + 1))
            rec.log_layers(step, [ROW])
        until(lambda: sent_steps(server, "layers")[-1:] == [19])
        before = objects(server)
        assert pack(RUN).metric_rows == 20
        assert pack(RUN).metric_rows == 0
        rec.log(20, loss=1.0 / 21)
        rec.log_layers(20, [ROW])
    kept = objects(server)
    assert {name: kept[name] for name in before if name != "run.json"} == {
        name: data for name, data in before.items() if name != "run.json"
    }
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "empty"))
    server.clear()
    check(ADDRESS, 21)
    fetched = {request.name for request in server.requests if request.kind == "media"}
    assert len([name for name in fetched if "/part-" in name]) == 2
    assert pack(RUN).metric_rows == 1
    check(ADDRESS, 21)


@pytest.mark.parametrize("stage", range(3))
def test_a_packing_that_is_cut_short_leaves_what_was_there(server, tmp_path, stage):
    """At whichever write; the next one finishes it."""
    record(tmp_path / "run", range(5), upload=ADDRESS)
    server.faults.append(Fault("status", on="upload", status=403, skip=stage, times=None))
    with pytest.raises(BucketError):
        pack(RUN)
    server.clear()
    assert load_run(ADDRESS, "run").history.index.tolist() == [0, 1, 2, 3, 4]
    assert len(load_run(ADDRESS, "run").layers) == 5
    assert pack(RUN).metric_rows == 5
    check(ADDRESS, 5)


KILLED = """
import os, signal, sys
from pathlib import Path
from viz3d.packing import pack
left, real = int(sys.argv[2]), Path.replace
def replace(*paths):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return real(*paths)
Path.replace = replace
pack(sys.argv[1])
"""


@pytest.mark.parametrize("stage", range(3))
def test_a_packing_that_is_killed_leaves_what_was_there(tmp_path, stage):
    """Before the first packed part, before the second, and before the manifest."""
    record(tmp_path / "run", range(5))
    command = [sys.executable, "-c", KILLED, tmp_path / "run", str(stage)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "run" / "manifest.json").exists()
    run = load_run(tmp_path / "run")
    assert run.history.index.tolist() == run.layers["step"].tolist() == [0, 1, 2, 3, 4]
    assert all("does not name" in problem.what for problem in run.problems)
    assert pack(tmp_path / "run").metric_rows == 5
    check(tmp_path / "run", 5)


def test_an_answer_that_is_lost_is_no_conflict(server, tmp_path):
    """What is there is compared with what was to be written."""
    record(tmp_path / "run", range(5), upload=ADDRESS)
    server.clear()
    server.faults.append(Fault("late_status", on="upload", times=3))
    assert pack(RUN).metric_rows == 5
    assert set(created(server).values()) <= {1}
    check(ADDRESS, 5)


def test_another_packing_at_the_same_time_is_told(server, tmp_path):
    """Of two manifests the first stays."""
    record(tmp_path / "run", range(5), upload=ADDRESS)
    theirs = json.dumps({"schema": 1, "metrics": [], "layers": []}).encode()
    server.faults.append(
        Fault(
            "pass", on="upload", name="*packed*", skip=1,
            then=lambda: server.put(BUCKET, "team/run/manifest.json", theirs),
        )
    )  # fmt: skip
    with pytest.raises(FormatError, match="pack it once more"):
        pack(RUN)
    assert objects(server)["manifest.json"] == theirs
    assert pack(RUN).metric_rows == 5
    check(ADDRESS, 5)


def test_rows_of_another_writer_are_packed_as_they_are_read(tmp_path):
    """Truth values, and whole numbers that no integer column holds."""
    (tmp_path / "metrics.jsonl").write_text(
        '{"step": 0, "on": true, "n": 1000000000000000000000}\n{"step": 1, "loss": 1.5}\n'
    )
    before = load_run(tmp_path).history
    assert pack(tmp_path).metric_rows == 2
    assert_frame_equal(load_run(tmp_path).history, before)


@pytest.mark.usefixtures("impatient")
def test_what_cannot_be_packed_is_refused_in_words(server, tmp_path):
    """A folder of runs, lists, a run of Parquet, a manifest that is torn, a bucket that is away."""
    with pytest.raises(FormatError, match="name the folder of one recorded run"):
        pack(tmp_path)
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.jsonl").write_text('{"step": 0, "parts": [1, 2]}\n')
    with pytest.raises(FormatError, match="parts holds more than numbers"):
        pack(run)
    shutil.rmtree(run)
    record(run, range(5), upload=ADDRESS)
    (run / "manifest.json").write_text("{")
    with pytest.raises(FormatError, match=r"Remove it to pack the whole run anew\."):
        pack(run)
    (run / "manifest.json").unlink()
    (run / "metrics").mkdir()
    (run / "metrics" / "part-00001.parquet").write_bytes(b"")
    with pytest.raises(FormatError, match="need no packing"):
        pack(run)
    load_run(RUN)
    with server.down(), pytest.raises(SourceError, match="cannot be"):
        pack(RUN)


def test_rows_that_repeat_and_parts_that_others_wrote_are_packed_all(tmp_path):
    """Equal rows twice, as of layers after a restart, and two parts of one number."""
    run = tmp_path / "run"
    (run / "layers").mkdir(parents=True)
    row = json.dumps({"step": 1, **ROW}) + "\n"
    for number in ("1", "00001"):
        (run / f"layers/part-{number}.jsonl").write_text(row)
    assert pack(run).layer_rows == 2
    for number in (2, 3):
        (run / f"layers/part-{number}.jsonl").write_text(row)
        assert pack(run).layer_rows == 1
    named = json.loads((run / "manifest.json").read_text())["layers"]
    assert len({entry["part"] for entry in named}) == len(named) == 3
    assert load_run(run).layers["step"].tolist() == [1]
    assert not any("not used" in problem.what for problem in load_run(run).problems)
