"""The command ``upload``: what a recorder could not send is sent later, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.team_bucket import run
from tests.storage.server import StorageServer
from viz3d.record.recorder import Recorder

ADDRESS = "gs://team-runs/later"


@pytest.fixture
def recorded(place: Path) -> Path:
    """A run that was recorded where there was no network."""
    with Recorder(place / "mine", config={"lr": 0.1}) as rec:
        for step in range(5):
            rec.log(step, loss=1.0)
    return place / "mine"


def test_it_sends_what_the_bucket_lacks(
    server: StorageServer, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a second time nothing but what is new."""
    name = "later/mine/metrics/part-00001.jsonl"
    for _ in range(2):
        status, out, err = run(capsys, "upload", str(recorded), ADDRESS)
        assert (status, out, err) == (0, f"{ADDRESS}/mine\n", "")
        assert server.get("team-runs", name).data == (recorded / "metrics.jsonl").read_bytes()
        assert server.get("team-runs", "later/mine/metrics/part-00002.jsonl") is None
    assert run(capsys, "show", "mine", "--source", ADDRESS)[1].splitlines()[1] == "5 steps, 0 to 4"


def test_parts_of_another_record_are_told(
    server: StorageServer, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They stay as they are."""
    server.put("team-runs", "later/mine/metrics/part-00001.jsonl", b"{}\n")
    status, _, err = run(capsys, "upload", str(recorded), ADDRESS)
    assert status == 0
    assert "held 1 part of another record" in err
    assert server.get("team-runs", "later/mine/metrics/part-00001.jsonl").data == b"{}\n"


def test_what_cannot_work_is_one_sentence(
    server: StorageServer, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is no run, an address that is none, a bucket that is not there."""
    status, _, err = run(capsys, "upload", str(recorded.parent), ADDRESS)
    assert (status, "no metrics.jsonl" in err) == (2, True)
    for address, said in (("here", "Write gs://BUCKET/FOLDER"), ("gs://nowhere/x", "no bucket")):
        status, _, err = run(capsys, "upload", str(recorded), address)
        assert status == 1
        assert said in err
        assert err.count("\n") == 1
