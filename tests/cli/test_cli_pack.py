"""The command ``pack``: what was recorded or sent in parts is packed, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.team_bucket import run
from tests.storage.server import StorageServer
from viz3d.record.recorder import Recorder

ADDRESS = "gs://team-runs/packed"


def test_a_folder_and_a_run_in_a_bucket(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time nothing is left to pack; a torn line stays where it is."""
    with Recorder(place / "mine", upload=ADDRESS) as rec:
        for step in range(5):
            rec.log(step, loss=1.0)
        rec.log_layers(0, [{"layer": 0, "name": "h.0", "grad_norm": 0.5}])
    with (place / "mine" / "layers.jsonl").open("a") as file:
        file.write("{torn\n")
    for where, torn in (("mine", "1 line"), (f"{ADDRESS}/mine", "")):
        status, out, err = run(capsys, "pack", where)
        assert (status, out) == (0, "packed 5 rows of metrics and 1 row of layers\n")
        assert err.startswith(torn)
        assert bool(err) == bool(torn)
        again = run(capsys, "pack", where)
        assert again == (0, "packed 0 rows of metrics and 0 rows of layers\n", "")
    assert server.get("team-runs", "packed/mine/manifest.json") is not None


def test_what_cannot_be_packed_is_one_sentence(
    server: StorageServer, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No run, and rows that nobody may read."""
    with Recorder(place / "mine") as rec:
        rec.log(0, loss=1.0)
    rows = place / "mine" / "metrics.jsonl"
    for where, said in ((".", "name the folder of one recorded run"), ("away", "away")):
        status, _, err = run(capsys, "pack", where)
        assert (status, err.count("\n")) == (1, 1)
        assert said in err
    rows.unlink()
    rows.mkdir()
    status, _, err = run(capsys, "pack", "mine")
    assert (status, err.count("\n")) == (1, 1)
