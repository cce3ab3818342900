"""viz3d.record.late: the end of a run, a process or a recorder with numbers still to come."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

from tests.record.late_values import Number, rows
from tests.record.waiting import until
from viz3d.record import recorder
from viz3d.record.recorder import Recorder


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
