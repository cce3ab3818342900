"""viz3d.export.wandb.live: whatever the process beside it does, the loop is not held."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

import pytest

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
