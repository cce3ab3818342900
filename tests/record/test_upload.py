"""viz3d.Recorder(upload=...): every row is in the bucket once, whatever happens on the way."""

from __future__ import annotations

import json

from tests.record.bucket import ADDRESS, created, objects, sent_steps
from tests.record.waiting import until
from viz3d.load import load_run
from viz3d.record.recorder import Recorder

ROW = {"layer": 0, "name": "h.0", "grad_norm": 0.5}


def test_a_run_is_in_the_bucket_when_it_is_closed_each_part_sent_once(server, tmp_path):
    """Rows, layers and description, and what is read from there is what was logged."""
    with Recorder(tmp_path / "run", config={"lr": 0.1}, upload=ADDRESS) as rec:
        for step in range(30):
            rec.log(step, loss=1.0 / (step + 1))
            rec.log_layers(step, [ROW])
            if step % 10 == 9:
                until(lambda step=step: sent_steps(server)[-1:] == [step])
    assert rec.failures == 0
    assert sent_steps(server) == sent_steps(server, "layers") == list(range(30))
    parts = {name: n for name, n in created(server).items() if "/part-" in name}
    assert len(parts) >= 4
    assert set(parts.values()) == {1}
    kept = objects(server)
    assert json.loads(kept["run.json"])["status"] == "finished"
    assert (
        b"".join(kept[n] for n in kept if n.startswith("metrics/"))
        == (tmp_path / "run" / "metrics.jsonl").read_bytes()
    )
    run = load_run(ADDRESS, "run")
    assert run.history["loss"].tolist() == [1.0 / (step + 1) for step in range(30)]
    assert len(run.layers) == 30
    assert run.config == {"lr": 0.1}
