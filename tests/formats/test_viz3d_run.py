"""viz3d's own run folder."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from viz3d.errors import NotMine
from viz3d.formats import limits, viz3d_run

from .conftest import Reader, joined, said

METRICS = '{"step": 0, "loss": 3}\n{"step": 1, "loss": 2}\n'
LAYERS = (
    '{"step": 1, "layer": 1, "name": "h.1", "grad_norm": 0.2}\n'
    '{"step": 1, "layer": 0, "name": "h.0", "grad_norm": 0.1}\n'
)


def test_a_folder_is_read_whole(read: Reader) -> None:
    """Rows, layers and config of one folder are claimed for it and read together."""
    files = {
        "r/run.json": json.dumps({"name": "r", "config": {"lr": 0.1}}),
        "r/metrics.jsonl": METRICS,
        "r/layers.jsonl": LAYERS,
    }
    assert {viz3d_run.claim(name).run for name in files} == {"r"}  # type: ignore[union-attr]
    metrics, layers, notes = read(viz3d_run, files)
    assert joined(metrics).history["loss"].tolist() == [3.0, 2.0]
    assert layers.layers is not None
    assert layers.layers.to_dict("records") == [
        {"step": 1, "layer": 0, "name": "h.0", "grad_norm": 0.1},
        {"step": 1, "layer": 1, "name": "h.1", "grad_norm": 0.2},
    ]
    assert dict(notes.config) == {"lr": 0.1}


def test_parts_come_before_the_lines_logged_since(tmp_path: Path) -> None:
    """Parquet parts are read in the order of their numbers, then the open file; NaN is no gap."""
    (tmp_path / "metrics").mkdir()
    for part, steps in ((2, [2, 3]), (1, [0, 1])):
        losses = pa.array([None, float("nan")] if part == 1 else [0.5, 0.25], pa.float32())
        table = pa.table({"step": steps, "loss": losses})
        pq.write_table(table, tmp_path / "metrics" / f"part-{part:05d}.parquet")
    names = ["metrics/part-00002.parquet", "metrics.jsonl", "metrics/part-00001.parquet"]
    (tmp_path / "metrics.jsonl").write_text('{"step": 4, "loss": 0.125}\n')
    (parsed,) = viz3d_run.read({name: tmp_path / name for name in names})
    found = joined(parsed)
    assert found.history.index.tolist() == [0, 1, 2, 3, 4]
    assert found.history["loss"].dropna().to_dict() == {2: 0.5, 3: 0.25, 4: 0.125}
    assert found.nonfinite["step"].tolist() == [1]
    assert found.restarts == 0


def test_a_broken_part_costs_only_itself(read: Reader) -> None:
    """A part that was cut while it was written is left out and told."""
    files = {"metrics/part-00001.parquet": b"PAR1cut", "metrics.jsonl": METRICS}
    (parsed,) = read(viz3d_run, files)
    assert len(joined(parsed).history) == 2
    assert "no complete Parquet file" in said(parsed)


def test_a_part_that_claims_too_much_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a Parquet file says that it holds is checked before it is read."""
    monkeypatch.setattr(limits, "CELLS", 10)
    (tmp_path / "metrics").mkdir()
    path = tmp_path / "metrics" / "part-00001.parquet"
    pq.write_table(pa.table({"step": range(20), "loss": [1.0] * 20}), path)
    (parsed,) = viz3d_run.read({"metrics/part-00001.parquet": path})
    assert "20 rows of 2 columns" in said(parsed)


def test_a_run_without_a_readable_run_json_is_a_run(read: Reader) -> None:
    """A torn run.json costs the config, not the history."""
    files = {"run.json": '{"name": "r", "conf', "metrics.jsonl": METRICS}
    metrics, notes = read(viz3d_run, files)
    assert len(joined(metrics).history) == 2
    assert dict(notes.config) == {}
    assert "the run has none" in said(notes)


def test_a_run_json_that_is_not_read_is_told_with_its_reason(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was never looked at is not said to be no JSON."""
    monkeypatch.setattr(limits, "CONFIG_BYTES", 10)
    files = {"run.json": json.dumps({"config": {"lr": 0.1}}), "metrics.jsonl": METRICS}
    _, notes = read(viz3d_run, files)
    assert "The run has no config: it is larger" in said(notes)
    assert "JSON" not in said(notes)


def test_a_run_that_has_just_begun_has_no_rows(read: Reader) -> None:
    """An empty metrics.jsonl is a run without rows."""
    (parsed,) = read(viz3d_run, {"metrics.jsonl": ""})
    assert len(joined(parsed).history) == 0
    assert "no rows in it yet" in said(parsed)


@pytest.mark.parametrize("content", ["[1]", "5", "nothing"])
def test_it_declines_with_a_reason(read: Reader, content: str) -> None:
    """Another program's run.json is declined in words."""
    with pytest.raises(NotMine, match="does not hold a run of viz3d"):
        read(viz3d_run, {"run.json": content})
