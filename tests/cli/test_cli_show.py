"""The command line says what was read: list and show."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.team_bucket import run
from viz3d.load import list_runs, open_source

SAMPLE_SWEEP_SIZE = 6  # at least this many learning rates are bundled

LINES = [f"step:{s}/3 train_loss:{9 - s}.5 train_time:{s}ms step_avg:1ms\n" for s in range(1, 4)]
TWO_RUNS = "".join(LINES * 2)


def test_list_json_is_one_document(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`list --json` prints an array with the promised keys and nothing else."""
    status, out, _ = run(capsys, "list", str(sweep), "--json")
    runs = json.loads(out)
    assert status == 0
    assert {run["name"] for run in runs} == {"lr-0.0001", "lr-0.001", "lr-0.01"}
    assert all({"name", "source", "changed", "size"} <= run.keys() for run in runs)


def test_files_known_by_what_they_hold_are_listed_as_in_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Parquet file whose name tells nothing has a column of steps."""
    pq.write_table(pa.table({"step": [0, 1], "loss": [3.0, 2.0]}), tmp_path / "b.parquet")
    status, out, _ = run(capsys, "list", str(tmp_path), "--json")
    assert status == 0
    assert [one["name"] for one in json.loads(out)] == [
        one.name for one in list_runs(open_source(tmp_path))
    ]
    status, out, _ = run(capsys, "show", "b.parquet", "--source", str(tmp_path), "--json")
    assert json.loads(out)["steps"] == 2


def test_list_sample_needs_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """The bundled runs are listed by name."""
    status, out, _ = run(capsys, "list", "sample", "--json")
    assert status == 0
    assert len(json.loads(out)) > SAMPLE_SWEEP_SIZE


def test_show_json_has_the_promised_keys(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`show --json` tells what was read; the torn line is told on standard error too."""
    status, out, err = run(capsys, "show", "lr-0.01", "--source", str(sweep), "--json")
    shown = json.loads(out)
    assert status == 0
    assert (shown["steps"], shown["first_step"], shown["last_step"]) == (50, 0, 49)
    assert shown["metrics"] == ["loss", "lr", "custom"]
    assert shown["roles"]["loss"] == "loss"
    assert shown["roles"]["learning_rate"] == "lr"
    assert shown["config"]["learning_rate"] == 0.01
    assert shown["layers"] is None
    assert shown["report"] is None
    (problem,) = shown["problems"]
    assert set(problem) == {"file", "line", "what", "remedy"}
    assert problem["line"] == 51
    assert "metrics.jsonl:51" in err
    rows = {tuple(origin["files"]): origin["rows"] for origin in shown["origins"]}
    assert rows[("lr-0.01/metrics.jsonl",)] == shown["steps"]


def test_show_takes_a_path_and_roles(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path opens without `--source`, and `--role` overrides what was recognised."""
    words = ("show", str(sweep / "lr-0.001"), "--role", "loss=custom", "--json")
    status, out, _ = run(capsys, *words)
    assert status == 0
    assert json.loads(out)["roles"]["loss"] == "custom"


def test_show_of_a_file_with_several_runs_is_an_array(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A console log with two runs shows both, and either by `PATH::NAME`."""
    log = tmp_path / "two.log"
    log.write_text(TWO_RUNS)
    _, out, _ = run(capsys, "show", str(log), "--json")
    both = json.loads(out)
    assert [run["steps"] for run in both] == [3, 3]
    _, out, _ = run(capsys, "show", f"{log}::{both[1]['name'].partition('::')[2]}", "--json")
    assert json.loads(out)["name"] == both[1]["name"]


def test_show_json_lists_the_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Kind, metric, step and size of each; what was not finite is null."""
    rows = ['{"step": 0, "loss": 2.5}', *(f'{{"step": {i}, "loss": NaN}}' for i in (1, 2))]
    (tmp_path / "metrics.jsonl").write_text("\n".join(rows) + "\n")
    _, out, _ = run(capsys, "show", str(tmp_path), "--json")
    assert json.loads(out)["events"] == [
        {
            "kind": "NaN",
            "metric": "loss",
            "step": 1,
            "last_step": 2,
            "rows": 2,
            "size": 2.0,
            "value": None,
        }
    ]


def test_show_of_a_path_tells_what_its_list_tells(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the listing left out is told once, whether all or one run of a folder is shown."""
    folder = sweep / "two"
    folder.mkdir()
    folder.joinpath("two.log").write_text(TWO_RUNS)
    folder.joinpath("all.zip").touch()
    _, out, _ = run(capsys, "show", str(folder), "--json")
    named = json.loads(out)[1]["name"].partition("::")[2]
    for place in (sweep, folder, f"{folder}::{named}"):
        status, _, err = run(capsys, "show", str(place))
        assert status == 0
        assert err.count("all.zip: An archive was not opened.") == 1


def test_list_tells_what_was_left_out(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link out of the folder is told on standard error; the document stays a document."""
    (sweep / "elsewhere.jsonl").symlink_to(sweep.parent)
    status, out, err = run(capsys, "list", str(sweep), "--json")
    assert status == 0
    assert len(json.loads(out)) == 3
    assert "elsewhere.jsonl: It is a link that leads out of the folder, so it was left out." in err
