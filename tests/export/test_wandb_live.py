"""viz3d.export.wandb.live: whatever the process beside it does, the loop is not held."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path

import pytest
from wandb_charts import KEY
from wandb_log import history

from viz3d.export.wandb import live
from viz3d.export.wandb.live import LiveCharts
from viz3d.settings import Settings


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a script in the place of the process that draws."""

    def put(code: str) -> LiveCharts:
        (tmp_path / "stand_in.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(live, "MODULE", "stand_in")
        return LiveCharts(tmp_path / "run", Settings(), wandb=False)

    return put


def test_a_process_that_reads_nothing_holds_nobody(beside, caplog):
    """A full pipe costs the charts of those steps, which are counted, and closing is bounded."""
    charts = beside("import time\ntime.sleep(600)\n")
    for step in range(5_000):
        charts.draw(step)
    assert len(caplog.records) == 1
    charts.close(0.1)
    [missed] = re.findall(r"no charts of (\d+) steps in all", caplog.text)
    assert 1_000 < int(missed) < 5_000
    assert "given up; its record is whole" in caplog.text
    charts.close()


def test_a_process_that_dies_is_told(beside, caplog):
    """Neither drawing nor closing raises."""
    charts = beside("raise SystemExit(3)\n")
    charts._process.wait()
    charts.draw(1)
    charts.close()
    assert "There are no charts of step 1" in caplog.text
    assert "ended early; its record is whole" in caplog.text


def test_a_process_that_cannot_be_started_is_told(tmp_path, monkeypatch, caplog):
    """The loop goes on without charts."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with LiveCharts(tmp_path / "run", Settings(), wandb=False) as charts:
        charts.draw(1)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


def test_values_that_came_late_reach_their_step_as_far_as_wandb_takes_it(
    tmp_path, monkeypatch, capfd
):
    """A late row has no time; what is late for the charts before it is told and left here."""
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text('{"config": {}}')

    def record(*rows):
        with (run / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    with LiveCharts(run, Settings(wandb_api_key=KEY, wandb_mode="offline")) as charts:
        record(
            {"step": 0, "time": 10.0}, {"step": 1, "time": 11.0, "lr": 0.1}, {"step": 0, "loss": 2}
        )
        charts.draw(1)
        record({"step": 0, "norm": 5}, {"step": 1, "loss": 1}, {"step": 2, "time": 12.0, "loss": 0})
    [log] = tmp_path.glob("wandb/offline-run-*/*.wandb")
    logged = {row["_step"]: row for row in history(log)}
    assert [logged[step]["loss"] for step in (0, 1, 2)] == [2, 1, 0]
    assert [logged[step]["_timestamp"] for step in (0, 1, 2)] == [10.0, 11.0, 12.0]
    assert "norm" not in str(logged)
    assert capfd.readouterr().err.count("W&B takes no value of an earlier step") == 1
