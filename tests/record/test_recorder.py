"""viz3d.record.recorder: what stands on the disk, and that nothing is raised into the loop."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from viz3d.formats import limits
from viz3d.record import limit
from viz3d.record.recorder import Recorder
from viz3d.record.rows import NAME_CHARS


def rows(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def test_a_row_is_on_disk_when_log_returns(tmp_path):
    """Nothing waits in a buffer that a killed process would take along."""
    recorder = Recorder(tmp_path / "run")
    recorder.log(3, loss=2.5, learning_rate=1e-3)
    (row,) = rows(tmp_path / "run" / "metrics.jsonl")
    assert row.pop("time") > 1.7e9
    assert row == {"step": 3, "loss": 2.5, "learning_rate": 1e-3}
    assert recorder.failures == 0


def test_run_json_says_what_the_run_is_and_how_it_ended(tmp_path):
    """The description follows the run: running, then finished or failed."""
    with Recorder(tmp_path / "first", config={"learning_rate": 0.1}, tags=["a"]):
        about = json.loads((tmp_path / "first" / "run.json").read_text())
        created = about.pop("created")
        assert created.endswith("+00:00")
        assert about == {
            "schema": 1,
            "name": "first",
            "status": "running",
            "config": {"learning_rate": 0.1},
            "tags": ["a"],
            "attempts": [{"started": created}],
        }
    assert json.loads((tmp_path / "first" / "run.json").read_text())["status"] == "finished"
    with pytest.raises(KeyError), Recorder(tmp_path / "second"):
        raise KeyError
    assert json.loads((tmp_path / "second" / "run.json").read_text())["status"] == "failed"


def test_a_config_of_anything_is_recorded(tmp_path):
    """Numbers of NumPy stay numbers; what JSON cannot hold becomes text, nested or as a key."""
    config = {
        "lr": np.float32(0.5),
        "betas": (0.9, 0.95),
        ("a", 1): {"path": Path("x")},
        "no": None,
    }
    recorder = Recorder(tmp_path, config=config)
    assert json.loads((tmp_path / "run.json").read_text())["config"] == {
        "lr": 0.5, "betas": [0.9, 0.95], "('a', 1)": {"path": "x"}, "no": None,
    }  # fmt: skip
    assert recorder.failures == 0


def test_a_namespace_is_a_config_and_a_word_is_a_tag(tmp_path):
    """As training scripts have them: what argparse returns, a dataclass, one tag."""
    Recorder(tmp_path, config=argparse.Namespace(lr=0.1, name="x"), tags="baseline").close()
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["config"] == {"lr": 0.1, "name": "x"}
    assert about["tags"] == ["baseline"]


@pytest.mark.parametrize(("code", "status"), [(0, "finished"), (None, "finished"), (1, "failed")])
def test_a_script_that_exits_without_an_error_has_finished(tmp_path, code, status):
    """`sys.exit()` at the end is an exception by its kind alone."""
    with pytest.raises(SystemExit), Recorder(tmp_path):
        sys.exit(code)
    assert json.loads((tmp_path / "run.json").read_text())["status"] == status


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_written_as_such(tmp_path, value):
    """Divergence is a fact of the run, not an error of the record."""
    recorder = Recorder(tmp_path)
    recorder.log(0, loss=value)
    (row,) = rows(tmp_path / "metrics.jsonl")
    assert row["loss"] == value or (math.isnan(row["loss"]) and math.isnan(value))
    assert recorder.failures == 0


class Hostile:
    """A tensor-like value whose number cannot be had."""

    def item(self):
        """Fail, as a tensor without storage does."""
        raise RuntimeError("no storage")


@pytest.mark.parametrize(
    "value",
    [
        "text",
        [1, 2],
        {"a": 1},
        np.zeros(3),
        object(),
        Hostile(),
        10**400,
        b"x",
        1j,
        np.ma.masked,
        np.ma.array([1.0], mask=[True]),
        np.datetime64("2020-01-01"),
        np.str_("3"),
        np.complex64(1),
        Decimal("sNaN"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_is_left_out_and_counted(tmp_path, value, caplog):
    """One bad value costs neither the rest of its row nor the training run."""
    recorder = Recorder(tmp_path)
    recorder.log(0, loss=1.5, odd=value)
    recorder.log(1, loss=1.25, odd=value)
    assert [(row["step"], row["loss"], "odd" in row) for row in rows(tmp_path / "metrics.jsonl")] \
        == [(0, 1.5, False), (1, 1.25, False)]  # fmt: skip
    assert recorder.failures == 2
    assert len(caplog.records) == 1
    assert "'odd'" in caplog.text


def test_numbers_of_every_library_are_kept_exactly(tmp_path, monkeypatch):
    """NumPy and PyTorch scalars, booleans and large integers read back as the same numbers."""
    import torch

    monkeypatch.setattr(limit, "LOOP_LIMIT", 30.0)  # all in one row, however busy the machine is
    recorder = Recorder(tmp_path)
    recorder.log(
        np.int64(7),
        a=np.float32(0.1),
        b=torch.tensor(0.1, requires_grad=True),
        c=torch.tensor(0.5, dtype=torch.bfloat16),
        d=True,
        e=2**62 + 1,
        f=10**30,
        g=np.array(3.0),
        h=None,
        i=Decimal("0.25"),
        j=Fraction(1, 4),
        k=np.longdouble(0.25),
    )
    (row,) = rows(tmp_path / "metrics.jsonl")
    del row["time"]
    tenth = float(np.float32(0.1))
    assert row == {
        "step": 7, "a": tenth, "b": tenth, "c": 0.5, "d": 1, "e": 2**62 + 1, "f": 1e30, "g": 3.0,
        "i": 0.25, "j": 0.25, "k": 0.25,
    }  # fmt: skip
    assert recorder.failures == 0


def test_names_of_every_kind_are_kept(tmp_path):
    """Slashes, quotes, other scripts, lone surrogates and long names are names."""
    names = ["train/loss", 'a"b\n', "损失", "\ud800", "x" * NAME_CHARS, "self", "step ", "null"]
    recorder = Recorder(tmp_path)
    recorder.log(0, **dict.fromkeys(names, 1.0))
    (row,) = rows(tmp_path / "metrics.jsonl")
    assert set(row) == {"step", "time", *names}


def test_a_name_that_no_reader_takes_is_left_out_and_told(tmp_path, caplog):
    """A name of 10^5 characters in every row would fill the disk with what no chart shows."""
    assert NAME_CHARS == limits.NAME_CHARS
    recorder = Recorder(tmp_path)
    recorder.log(0, {"x" * 10**5: 1.0, "loss": 2.0})
    (row,) = rows(tmp_path / "metrics.jsonl")
    assert set(row) == {"step", "time", "loss"}
    assert recorder.failures == 1
    assert "longer than 200 characters" in caplog.text
    assert len(caplog.text) < 1000


def test_the_step_may_come_by_name_or_inside_a_dictionary(tmp_path):
    """`log(**metrics)` works where the dictionary already holds the step, as W&B loops have it."""
    recorder = Recorder(tmp_path)
    recorder.log(**{"step": 4, "loss": 1.0})
    recorder.log(5, **{"step": 99, "loss": 1.0})
    assert [row["step"] for row in rows(tmp_path / "metrics.jsonl")] == [4, 5]


@pytest.mark.parametrize("step", [None, "3", 1.5, math.nan, math.inf, 2**63, [1]])
def test_a_row_without_a_whole_step_is_counted_not_written(tmp_path, step):
    """A row that cannot be placed is told, never placed somewhere."""
    recorder = Recorder(tmp_path)
    recorder.log(step, loss=1.0)
    assert not (tmp_path / "metrics.jsonl").exists()
    assert recorder.failures == 1


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300], ids=["null", "surrogate", "long"])
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_path_that_no_folder_can_have_does_not_stop_training(tmp_path, name, caplog):
    """It is counted like a disk that fails, and told in text that any handler can write."""
    with Recorder(tmp_path / name) as recorder:
        recorder.log(0, loss=1.0)
    assert recorder.failures == 2  # the description and the row
    assert caplog.text.encode()


def test_a_folder_that_cannot_be_made_does_not_stop_training(tmp_path, caplog):
    """Training goes on without a record: one warning, every lost row counted."""
    (tmp_path / "file").write_text("in the way")
    with Recorder(tmp_path / "file" / "run") as recorder:
        for step in range(5):
            recorder.log(step, loss=1.0)
            recorder.log_layers(step, [{"layer": 0, "name": "h.0", "grad_norm": 1.0}])
    assert recorder.failures == 1 + 10 + 1  # the description, the rows, the end
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "12 failures in all" in caplog.records[-1].message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_does_not_stop_training(tmp_path, caplog):
    """What the operating system refuses is counted."""
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    with Recorder(tmp_path) as recorder:
        recorder.log(0, loss=1.0)
        recorder.log(1, loss=1.0)
    assert recorder.failures >= 2
    assert "No space left" in caplog.records[0].message


def test_a_line_cut_by_a_full_disk_does_not_swallow_the_next(tmp_path, monkeypatch):
    """After a partial write the record goes on in a line of its own."""
    recorder = Recorder(tmp_path)
    recorder.log(0, loss=1.0)
    write = os.write

    def cut(descriptor, data):
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:10])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", cut)
        recorder.log(1, loss=1.0)
    recorder.log(2, loss=1.0)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["step"] == 0
    assert json.loads(lines[-1])["step"] == 2
    assert recorder.failures == 1


def test_a_script_that_changes_its_working_folder_writes_one_run(tmp_path, monkeypatch):
    """The path is that of the moment when the recorder was opened."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    recorder = Recorder("run")
    monkeypatch.chdir(tmp_path / "elsewhere")
    recorder.log(0, loss=1.0)
    recorder.close()
    assert len(rows(tmp_path / "run" / "metrics.jsonl")) == 1
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "finished"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_resuming_appends_and_keeps_what_the_run_was(tmp_path):
    """A second recorder on the folder adds rows; creation time and config stay."""
    with Recorder(tmp_path, config={"seed": 1}, tags=["a"]) as recorder:
        recorder.log(0, loss=1.0)
    created = json.loads((tmp_path / "run.json").read_text())["created"]
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 1, "lo')  # a power cut came here
    with Recorder(tmp_path, tags=["b"]) as recorder:
        recorder.log(1, loss=0.5)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in (lines[0], lines[2])] == [0, 1]
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["created"] == created
    assert about["config"] == {"seed": 1}
    assert about["tags"] == ["a", "b"]


def test_a_description_that_cannot_be_read_does_not_stop_the_rows(tmp_path):
    """A damaged run.json is left alone for a person to look at, and the rows are recorded."""
    (tmp_path / "run.json").write_text("{")
    with Recorder(tmp_path) as recorder:
        recorder.log(0, loss=1.0)
    assert len(rows(tmp_path / "metrics.jsonl")) == 1
    assert (tmp_path / "run.json").read_text() == "{"
    assert recorder.failures == 1


def test_layers_are_rows_of_their_own(tmp_path):
    """A layer row carries step, position, name and its numbers, in the order given."""
    recorder = Recorder(tmp_path)
    recorder.log_layers(
        2,
        [
            {"layer": 0, "name": "wte", "grad_norm": np.float32(0.5), "weight_norm": 2.0},
            {"layer": 1, "name": "h.0", "grad_norm": math.inf},
        ],
    )
    assert rows(tmp_path / "layers.jsonl") == [
        {"step": 2, "layer": 0, "name": "wte", "grad_norm": 0.5, "weight_norm": 2.0},
        {"step": 2, "layer": 1, "name": "h.0", "grad_norm": math.inf},
    ]


def test_a_layer_value_that_is_no_number_is_left_out_and_counted(tmp_path):
    """As for metrics: the rest of the row is recorded."""
    recorder = Recorder(tmp_path)
    recorder.log_layers(0, [{"layer": 0, "name": "h.0", "grad_norm": "big", "weight_norm": 1.0}])
    (row,) = rows(tmp_path / "layers.jsonl")
    assert row == {"step": 0, "layer": 0, "name": "h.0", "weight_norm": 1.0}
    assert recorder.failures == 1


def test_layers_without_a_watched_model_are_a_counted_failure(tmp_path, caplog):
    """The message says which call is missing."""
    recorder = Recorder(tmp_path)
    recorder.log_layers(0)
    assert recorder.failures == 1
    assert "watch(model)" in caplog.text


def test_importing_the_recorder_costs_the_standard_library_alone():
    """A training job does not pay for charts."""
    code = (
        "import sys; before = set(sys.modules); import viz3d.record.recorder; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "['viz3d']"
