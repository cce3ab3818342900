"""What goes over a cap on a whole run is left out and told with its setting; nothing else goes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.bad_inputs.case import lines, write
from tests.formats.wandb_file import row, run, wandb_file
from viz3d.errors import NotMine
from viz3d.formats import jsonl, limits, table_builder
from viz3d.formats.joining import join_rows
from viz3d.formats.room import beside
from viz3d.formats.rows import Cells, Rows
from viz3d.formats.tally import Tally
from viz3d.load import load_run, load_runs
from viz3d.run import Run

Capped = Callable[..., Run]


def told(*runs: Run) -> str:
    return "\n".join(str(problem) for each in runs for problem in each.problems)


@pytest.fixture
def capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Capped:
    """Write lines of JSON, and load them under a cap."""

    def capped(cap: str, value: int, *rows: str) -> Run:
        monkeypatch.setattr(limits, cap, value)
        lines(tmp_path, *rows)
        return load_run(tmp_path)

    return capped


def test_a_sparse_log_keeps_the_first_steps(capped: Capped) -> None:
    """Each row logs another metric: of 100 cells 10 are logged, and 40 may be."""
    rows = [json.dumps({"step": at, f"m{at}": at}) for at in range(10)]
    found = capped("HISTORY_CELLS", 40, *rows)
    assert found.history.index.tolist() == [0, 1, 2, 3]
    assert list(found.history) == ["m0", "m1", "m2", "m3"]
    assert "The last 6 steps were left out" in told(found)
    assert "at most 40 cells" in told(found)
    assert "Set VIZ3D_MAX_HISTORY_CELLS to more" in told(found)


def test_what_a_restart_superseded_has_the_room_that_the_history_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    step = np.array([0, 1, 2, 3, 4, 5, 0, 1])
    rows = Rows(step, {"loss": Cells(np.arange(8), np.arange(8.0))})
    monkeypatch.setattr(limits, "HISTORY_CELLS", 5)
    joined = join_rows(rows)
    assert joined.history["loss"].tolist() == [6, 7]
    assert joined.attempts["loss"].tolist() == [0, 1, 2]
    tally = Tally("f")
    joined.tell(tally)
    assert "3 superseded rows were left out" in " ".join(map(str, tally.problems()))


def test_rows_that_are_given_up_are_joined_as_they_are_else() -> None:
    step = np.array([0, 1, 2, 1, 2, 3])
    columns = {"a": Cells(np.arange(6), np.arange(6.0)), "b": Cells(np.array([2]), np.array([1.0]))}
    kept, spent = join_rows(Rows(step, dict(columns))), Rows(step, dict(columns))
    again = join_rows(spent, spend=True)
    assert kept.history.equals(again.history)
    assert kept.attempts.equals(again.attempts)
    assert [len(cells.row) for cells in spent.columns.values()] == [0, 0]


def test_files_of_one_run_share_the_room_for_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten values of a column of their own and ten steps, four numbers for each row: 60 a file."""
    lines(tmp_path, *[f'{{"step": {at}, "a": {at}}}' for at in range(10)], name="run/metrics.jsonl")
    table_of = "step,b\n" + "".join(f"{at},{at}\n" for at in range(10))
    write(tmp_path, "run/log.csv", table_of)
    assert list(load_run(tmp_path).history) == ["a", "b"]
    monkeypatch.setattr(limits, "NUMBERS", 100)
    found = load_run(tmp_path)
    assert list(found.history) == ["a"]
    assert "with what was read before it, the run holds more than 100 numbers" in told(found)
    assert "Set VIZ3D_MAX_NUMBERS to more" in told(found).replace("; set", ". Set")


@pytest.mark.parametrize(
    ("name", "head", "row"),
    [("a.csv", "step,a\n", "{0},{0}\n"), ("a.jsonl", "", '{{"step": {0}, "a": {0}}}\n')],
)
def test_rows_that_fit_into_the_room_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, head: str, row: str
) -> None:
    monkeypatch.setattr("viz3d.formats.text.BLOCK_BYTES", 64)
    monkeypatch.setattr("viz3d.formats.delimited.SMALL_BLOCK", 64)
    write(tmp_path, name, head + "".join(row.format(at) for at in range(200)))
    assert len(load_run(tmp_path).history) == 200
    monkeypatch.setattr(limits, "NUMBERS", 500)
    found = load_run(tmp_path)
    kept = len(found.history)
    assert found.history["a"].to_dict() == {at: at for at in range(kept)}
    assert 0 < kept < 84  # six numbers a row
    assert f"The last {200 - kept} rows were left out: the run has more than 500" in told(found)
    assert "Set VIZ3D_MAX_NUMBERS to more" in told(found)


def test_parts_of_one_run_share_the_room_for_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viz3d.formats.text.BLOCK_BYTES", 64)
    for part in range(50):
        rows = [f'{{"step": {at}, "a": {at}}}' for at in range(4 * part, 4 * part + 4)]
        lines(tmp_path, *rows, name=f"run/metrics/part-{part:05}.jsonl")
    monkeypatch.setattr(limits, "NUMBERS", 60)
    found = load_run(tmp_path / "run")
    assert found.history.index.tolist() == list(range(len(found.history)))
    assert 0 < len(found.history) < 200
    assert f"The last {200 - len(found.history)} rows were left out" in told(found)


def test_segments_of_a_wandb_run_share_the_room_for_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_builder, "PIECE", 4)
    for at in range(2):
        place = tmp_path / f"wandb/offline-run-2025010{at + 1}_000000-abc/run-abc.wandb"
        place.parent.mkdir(parents=True)
        rows = [row(call, loss=call / 3) for call in range(10 * at, 10 * at + 10)]
        place.write_bytes(wandb_file(run("abc", started=at + 1), *rows))
    assert len(load_run(tmp_path).history) == 20
    monkeypatch.setattr(limits, "NUMBERS", 80)
    found = load_run(tmp_path)
    assert found.history.index.tolist() == list(range(len(found.history)))
    assert 10 < len(found.history) < 20
    assert "were left out: the run has more than 80 numbers" in told(found)


def test_the_first_to_ask_is_declined_where_there_is_no_room(tmp_path: Path) -> None:
    write(tmp_path, "log.jsonl", '{"step": 0, "loss": 1}\n')
    with beside(limits.NUMBERS - 5), pytest.raises(NotMine, match="what was read before"):
        jsonl.read({"log.jsonl": tmp_path / "log.jsonl"})


def test_a_console_that_begins_again_and_again_has_so_many_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RUNS", 3)
    write(tmp_path, "log.txt", "iter 0: loss 1\n" * 5)
    runs = load_runs(tmp_path)
    assert [len(each.history) for each in runs] == [1, 1, 1]
    assert "2 rows of runs behind the first 3 were left out" in told(*runs)
    assert "Set VIZ3D_MAX_RUNS to more" in told(*runs)


@pytest.mark.parametrize("kind", ["wide", "long"])
def test_layers_have_a_cap_on_their_rows(capped: Capped, kind: str) -> None:
    wide = [
        json.dumps({"step": at, "loss": 1} | {f"grad_norm/h.{n}": n for n in range(2)})
        for at in range(5)
    ]
    long = [
        json.dumps({"step": at, "layer": f"h.{n}", "grad_norm": n})
        for at in range(5)
        for n in range(2)
    ]
    found = capped("LAYER_ROWS", 6, *(wide if kind == "wide" else long))
    assert found.layers is not None
    assert found.layers["step"].tolist() == [0, 0, 1, 1, 2, 2]
    assert found.layers["grad_norm"].tolist() == [0, 1] * 3
    assert "The last 4 values of layers were left out" in told(found)
    assert "Set VIZ3D_MAX_LAYER_ROWS to more" in told(found)


def test_names_of_layers_without_end_are_told(capped: Capped) -> None:
    rows = [json.dumps({"step": 0, "layer": f"h.{n}", "grad_norm": n}) for n in range(5)]
    long = json.dumps({"step": 0, "layer": "x" * 201, "grad_norm": 1})
    found = capped("METRICS", 3, *rows, long)
    assert found.layers is not None
    assert found.layers["name"].tolist() == ["h.0", "h.1", "h.2"]
    assert "2 rows of layers beyond the first 3 were left out" in told(found)
    assert "1 value that was no number was left out (layer)" in told(found)


def test_values_that_are_not_finite_are_listed_up_to_a_cap(capped: Capped) -> None:
    found = capped("NONFINITE", 2, *[f'{{"step": {at}, "loss": NaN, "lr": 1}}' for at in range(5)])
    assert found.nonfinite["step"].tolist() == [0, 1]
    assert "3 values that are not finite are shown as missing" in told(found)


SPARSE = """
import json, resource, sys
from pathlib import Path
from viz3d.load import load_run
load_run(sys.argv[1])
status = Path("/proc/self/status").read_text()
size = int(status.split("VmSize:")[1].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (size + int(sys.argv[3]), -1))
run = load_run(sys.argv[2])
print(json.dumps([run.history.shape, [str(problem) for problem in run.problems]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the address space is bounded on Linux alone")
def test_a_small_sparse_log_does_not_fill_the_machine(tmp_path: Path) -> None:
    """2,000 metrics at 60,000 steps, one at each: 2 MB that would unfold to 960."""
    lines(tmp_path, '{"step": 0, "m": 1}', name="small/log.jsonl")
    rows = [f'{{"step": {at}, "m{at % 2000}": 1}}' for at in range(60_000)]
    lines(tmp_path, *rows, name="sparse/log.jsonl")
    done = subprocess.run(
        [sys.executable, "-c", SPARSE, tmp_path / "small", tmp_path / "sparse", str(640 << 20)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (rows_kept, metrics), said = json.loads(done.stdout)
    assert rows_kept == limits.HISTORY_CELLS // metrics
    assert any("steps were left out, because a history has at most" in each for each in said)
