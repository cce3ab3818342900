"""Offline runs of W&B: what is in them, and what is broken."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import limits, wandb_offline
from viz3d.formats.reading import read_run
from viz3d.formats.wandb_records import MESSAGES, record_class
from viz3d.load import load_run

from .conftest import Reader, joined, said
from .wandb_file import config, ended, row, run, wandb_file


def test_rows_are_joined_on_the_logged_step(read: Reader) -> None:
    """Two calls of log() per step are one row; W&B's own counter tells nothing more."""
    rows = []
    for n in range(3):
        rows.append(row(2 * n, step=n * 5, loss=n + 0.5))
        rows.append(row(2 * n + 1, step=n * 5, val=n * 1.0))
    first, _ = read(wandb_offline, {"a.wandb": wandb_file(run("abc"), *rows, ended())})
    found = joined(first)
    assert found.history.index.tolist() == [0, 5, 10]
    assert found.history["loss"].tolist() == [0.5, 1.5, 2.5]
    assert found.history["val"].tolist() == [0, 1, 2]
    assert "_step" not in found.history
    assert (found.replaced, found.restarts) == (0, 0)
    assert said(first) == "a.wandb: W&B calls the run: run_id 'abc', project 'p'."


def test_without_a_logged_step_the_calls_of_log_count(read: Reader) -> None:
    """And an epoch is no step where there is something finer."""
    rows = [row(n, epoch=n // 2, loss=1.0) for n in range(4)]
    first, _ = read(wandb_offline, {"a.wandb": wandb_file(*rows)})
    assert joined(first).history.index.tolist() == [0, 1, 2, 3]
    assert "The run has no end" in said(first)


def test_what_is_no_number_is_told_by_name(read: Reader) -> None:
    """Media in both spellings, text, lists; nested keys are joined; NaN and infinity are kept."""
    values: dict[str, Any] = {
        "step": 1, "a": {"b": {"c": 3}}, "h": {"_type": "histogram", "values": [1]}, "s": "word",
        "list": [1, 2], "nan": math.nan, "inf": -math.inf, "x": {"pic": {"_type": "image-file"}},
    }  # fmt: skip
    old = record_class()()
    old.history.item.add(key="step", value_json="2")
    old.history.item.add(key="old", value_json='{"_type": "table-file", "nrows": 3}')
    old.history.item.add(key="deep", value_json='{"a": 1}')
    old.history.item.add(key="bad", value_json="{")
    log = wandb_file(row(0, **values), old.SerializeToString(), ended(3))
    first, _ = read(wandb_offline, {"a.wandb": log})
    found = joined(first)
    assert set(found.history) == {"a/b/c", "nan", "inf", "deep/a"}
    assert found.history.loc[1, "inf"] == -math.inf
    assert len(found.nonfinite) == 2
    text = said(first)
    assert "3 values of media (images, tables, histograms) were left out (h, x/pic, old)." in text
    assert "2 values that were no number were left out (s, list)." in text
    assert "1 value that is no JSON was left out (bad)." in text
    assert "exit code 3" in text


def test_a_name_that_stands_twice_is_told(read: Reader) -> None:
    """Joined, nested in itself or plainly twice; the later value counts."""
    rows = []
    for n in range(3):
        record = record_class()()
        for names, value in ((["a/b"], 1), (["a", "b"], 2), (["c"], 3), (["c", "d"], 4), (["e"], 5),
                             (["e"], 6), (["_step"], n)):  # fmt: skip
            record.history.item.add(nested_key=names, value_json=str(value))
        rows.append(record.SerializeToString())
    first, _ = read(wandb_offline, {"a.wandb": wandb_file(*rows)})
    found = joined(first).history
    assert found.loc[2].to_dict() == {"a/b": 2, "c/d": 4, "e": 6}
    told = "9 values of a name that stood twice in a row were left out (c, e, a/b)."
    assert told in said(first)


def test_values_that_are_no_json_are_not_taken_for_their_neighbours(read: Reader) -> None:
    """They are parsed together, and still each stands for itself."""
    record = record_class()()
    for name, text in {"a": "1,2", "b": '"x', "c": 'y"', "d": "[1", "e": "2]", "f": "3"}.items():
        record.history.item.add(key=name, value_json=text)
    first, _ = read(wandb_offline, {"a.wandb": wandb_file(record.SerializeToString())})
    assert joined(first).history.loc[0].to_dict() == {"f": 3}
    assert "5 values that are no JSON were left out (a, b, c, d, e)." in said(first)


def test_the_config_is_as_it_was_in_the_end(read: Reader) -> None:
    """Later records override, a nested one sets its part alone, and what is removed is gone."""
    late = record_class()()
    late.config.update.add(nested_key=["opt", "lr"], value_json="0.5")
    late.config.remove.add(key="gone")
    log = wandb_file(
        run("abc", 7, lr=1, opt={"lr": 1, "b": 2}, gone=1, _wandb={}), config(lr=2, new="x"),
        late.SerializeToString(), ended(),
    )  # fmt: skip
    first, _ = read(wandb_offline, {"a.wandb": log})
    own = {"run_id": "abc"}
    assert first.config == {"lr": 2, "opt": {"lr": 0.5, "b": 2}, "new": "x", "_wandb": own}
    assert "run_id 'abc', project 'p', begun 1970-01-01 00:00:07 UTC." in said(first)
    assert "There are no rows in it yet." in said(first)
    assert "twice" not in said(first)


@pytest.mark.parametrize(
    "content", [b"", b":W&B", b":W&B\x00\x00\x00", b"SQLite format 3", b"\0" * 9]
)
def test_it_declines_with_a_reason(read: Reader, content: bytes) -> None:
    """What does not begin as a log of W&B is none."""
    with pytest.raises(NotMine, match="does not begin"):
        read(wandb_offline, {"a.wandb": content})


def test_a_log_over_the_cap_is_declined(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any of it is read."""
    monkeypatch.setattr(limits, "FILE_BYTES", 10)
    with pytest.raises(NotMine, match="larger than 10 bytes; set VIZ3D_MAX_FILE_MIB"):
        read(wandb_offline, {"a.wandb": wandb_file(row(0, loss=1.0))})


@pytest.mark.parametrize("where", ["items", "names", "config"])
def test_a_record_of_very_many_fields_is_left_out(
    read: Reader, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """In two bytes each, as nothing but nothing fits; its neighbours are read."""
    monkeypatch.setattr(limits, "FIELDS", 100)
    record = record_class()()
    if where == "items":
        record.history.item.extend([record.history.item.add() for _ in range(50)])
    elif where == "names":
        record.history.item.add(nested_key=[""] * 100)
    else:
        record.run.config.update.extend([record.run.config.update.add() for _ in range(50)])
    many = record.SerializeToString()
    first, _ = read(
        wandb_offline, {"a.wandb": wandb_file(row(0, loss=1.0), many, row(1, loss=2.0))}
    )
    assert joined(first).history["loss"].tolist() == [1, 2]
    problem = next(p for p in first.problems if "of more than 100 fields was left out" in p.what)
    assert "VIZ3D_MAX_FIELDS" in problem.remedy


def test_items_without_a_value_are_counted(read: Reader) -> None:
    """A row keeps its others."""
    record = record_class()()
    record.history.item.add(key="a", value_json="1")
    record.history.item.add(key="b")
    first, _ = read(wandb_offline, {"a.wandb": wandb_file(record.SerializeToString())})
    assert joined(first).history.loc[0].to_dict() == {"a": 1}
    assert "1 value that is no JSON was left out (b)." in said(first)


def test_a_record_that_is_no_protobuf_is_told(read: Reader) -> None:
    """The sum says that it was written so."""
    first, _ = read(wandb_offline, {"a.wandb": wandb_file(b"\xff\xff\xff", row(0, loss=1.0))})
    assert len(joined(first).history) == 1
    assert "1 record that cannot be decoded" in said(first)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples."""
    return tmp_path_factory.mktemp("logs")


NAMES = st.lists(st.text(max_size=3) | st.sampled_from(["_type", "_step", "step"]), max_size=3)
TEXTS = st.text(max_size=5) | st.sampled_from(
    ["1", "-1e999", "9" * 30, "NaN", "null", '{"a": {"_type": 1}}', "[" * 2000, '"\\ud800"']
)
ITEMS = st.lists(st.tuples(NAMES, TEXTS), max_size=4)


@settings(max_examples=100, deadline=None)
@given(items=ITEMS, noise=st.binary(max_size=30), number=st.integers(-(2**63), 2**63 - 1))
def test_whatever_a_record_says_nothing_is_raised(
    folder: Path, items: list[tuple[list[str], str]], noise: bytes, number: int
) -> None:
    """Rows, configs, the description of the run, and what is no record at all."""
    record, about = record_class()(), record_class()()
    record.history.step.num = about.run.start_time.seconds = number
    for nested, text in items:
        for place in (record.history.item, about.run.config.update, about.run.config.remove):
            place.add(nested_key=nested, value_json=text)
    path = folder / "any.wandb"
    path.write_bytes(wandb_file(about.SerializeToString(), record.SerializeToString(), noise))
    [contents] = read_run("any", {"any.wandb": path})
    assert len(contents.joined.history) <= 1


WRITER = """
import json, sys, wandb
from wandb.proto import wandb_internal_pb2 as pb
run = wandb.init(mode="offline", dir=sys.argv[1], project="p", id="abc", name="a name",
                 config={"lr": 0.1, "opt": {"b": 1}}, settings=wandb.Settings(silent=True))
for n in range(300):
    run.log({"iter": 10 * n, "loss": 1 / (n + 1), "nested": {"x": {"y": n}}})
    run.log({"iter": 10 * n, "val": n, "h": wandb.Histogram([1, 2]), "pad": "x" * 200})
run.config["late"] = 3
run.finish()
names = {"Record": pb.Record, "History": pb.HistoryRecord, "Item": pb.HistoryItem,
         "Config": pb.ConfigRecord, "Run": pb.RunRecord, "Exit": pb.RunExitRecord,
         "Step": pb.HistoryStep}
print(json.dumps({n: {f.name: f.number for f in m.DESCRIPTOR.fields} for n, m in names.items()}))
"""


def test_a_run_that_the_library_wrote_is_read_back(tmp_path: Path) -> None:
    """Every value of every row; and the library numbers its fields as they are read here."""
    made = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path)], capture_output=True, text=True, check=True
    )
    theirs = json.loads(made.stdout.splitlines()[-1])
    for message, fields in theirs.items():
        ours = {name: number for name, (number, _) in MESSAGES[message].items()}
        assert ours.items() <= fields.items(), message
    loaded = load_run(tmp_path)
    n = np.arange(300)
    assert loaded.history.index.tolist() == (10 * n).tolist()
    assert np.array_equal(loaded.history["loss"], 1 / (n + 1))
    assert np.array_equal(loaded.history["val"], n)
    assert np.array_equal(loaded.history["nested/x/y"], n)
    assert loaded.config["opt"] == {"b": 1}
    assert (loaded.config["lr"], loaded.config["late"]) == (0.1, 3)
    text = " ".join(map(str, loaded.problems))
    assert "name 'a name', run_id 'abc', project 'p', begun 20" in text
    assert "300 values of media (images, tables, histograms) were left out (h)." in text
    assert loaded.attempts is None


def test_a_real_run(real_data: Path) -> None:
    """11 rows among thousands of records of console output; the step is nanoGPT's iter."""
    loaded = load_run(real_data / "wandb-offline")
    assert loaded.history.index.tolist() == list(range(0, 2001, 200))
    assert loaded.history["train/loss"].iloc[0] == 4.450099945068359
    assert loaded.config["learning_rate"] == 0.0006
    text = " ".join(map(str, loaded.problems))
    assert "4,367 records of console output" in text
    assert "The run ended with exit code 255." in text
    assert "name 'gpt2', run_id 'jnyhr7aj', project 'owt', begun 2024-10-12 22:33:25 UTC." in text
