"""Offline runs of W&B: what is in them, what is broken, and which files make one run."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import leveldb_log, limits, wandb_offline
from viz3d.formats.grouping import group
from viz3d.formats.reading import read_run
from viz3d.formats.tally import Tally
from viz3d.formats.wandb_records import MESSAGES, record_class
from viz3d.load import list_runs, load_run, open_source

from .conftest import Reader, joined, said
from .wandb_file import (
    BLOCK,
    FIRST,
    LAST,
    MIDDLE,
    config,
    ended,
    framed,
    piece,
    row,
    run,
    wandb_file,
)

ONE = "offline-run-20260102_030405-abc"
TWO = "offline-run-20260102_050607-abc"


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files and return the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_rows_are_joined_on_the_logged_step(read: Reader) -> None:
    """Two calls of log() per step are one row; W&B's own counter is a column that tells nothing."""
    rows = []
    for n in range(3):
        rows.append(row(2 * n, step=n * 5, loss=n + 0.5))
        rows.append(row(2 * n + 1, step=n * 5, val=n * 1.0))
    first, _ = read(wandb_offline, {"a.wandb": wandb_file(run("abc"), *rows, ended())})
    found = joined(first)
    assert found.history.index.tolist() == [0, 5, 10]
    assert found.history["loss"].tolist() == [0.5, 1.5, 2.5]
    assert found.history["val"].tolist() == [0, 1, 2]
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
    assert set(found.history) == {"_step", "a/b/c", "nan", "inf", "deep/a"}
    assert found.history.loc[1, "inf"] == -math.inf
    assert len(found.nonfinite) == 2
    text = said(first)
    assert "3 media entries (h, x/pic, old) were left out." in text
    assert "2 values that were no number were left out (s, list)." in text
    assert "1 value that is no JSON was left out (bad)." in text
    assert "exit code 3" in text


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
    assert first.config == {"lr": 2, "opt": {"lr": 0.5, "b": 2}, "new": "x"}
    assert "run_id 'abc', project 'p', begun 1970-01-01 00:00:07 UTC." in said(first)
    assert "There are no rows in it yet." in said(first)


def test_segments_of_one_run_are_one_run(tmp_path: Path) -> None:
    """``resume`` leaves two folders; the second attempt supersedes what it repeats."""
    first = wandb_file(run("abc", 1, lr=1), *(row(n, iter=n, loss=1.0) for n in range(6)))
    second = wandb_file(
        run("abc", 2, lr=2), *(row(n, iter=n + 4, loss=2.0) for n in range(4)), ended()
    )
    logs = {f"wandb/{TWO}/run-abc.wandb": second, f"wandb/{ONE}/run-abc.wandb": first}
    other = {"wandb/offline-run-20260102_030405-xyz/run-xyz.wandb": wandb_file(row(0, loss=1.0))}
    source = open_source(write(tmp_path, logs | other))
    assert {info.name for info in list_runs(source)} == {"wandb/abc", "wandb/xyz"}
    loaded = load_run(source, "abc")
    assert loaded.history["loss"].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    assert loaded.attempts is not None
    assert loaded.attempts["step"].tolist() == [4, 5]
    assert loaded.config["lr"] == 2
    assert "a restart" in " ".join(map(str, loaded.problems))


def test_logs_of_several_runs_in_one_folder_are_several_runs(tmp_path: Path) -> None:
    """Copied out of their folders they are told apart by what they hold."""
    files = {f"run-{name}.wandb": wandb_file(run(name), row(0, loss=1.0)) for name in ("a", "b")}
    folder = write(tmp_path, files)
    found = read_run("x", {name: folder / name for name in files})
    assert [contents.name for contents in found] == ["a", "b"]


def test_a_folder_of_wandb_is_one_entry(tmp_path: Path) -> None:
    """Config and console output join; what the library notes of itself is no run."""
    printed = b"step 1 | loss: 3.0\nstep 2 | loss: 2.0\n"
    files = {
        "run-abc.wandb": wandb_file(run("abc"), row(0, iter=3, loss=1.0), ended()),
        "files/config.yaml": b"lr:\n  value: 3\n",
        "files/output.log": printed,
        "logs/debug.log": b"x\n",
        "logs/debug-internal.log": b"{}\n",
    }
    for place in ("", f"wandb/{ONE}/"):
        folder = write(tmp_path / f"at{place[:5]}", {place + name: files[name] for name in files})
        [info] = list_runs(open_source(folder))
        loaded = load_run(folder)
        assert loaded.history.index.tolist() == [3]
        assert loaded.config["lr"] == 3
        assert "console output was not read" in " ".join(map(str, loaded.problems))
        assert len(info.files) == 3


def test_console_output_is_read_where_the_log_has_no_history(tmp_path: Path) -> None:
    """Without a row, or without the log, it is all that there is."""
    printed = {f"{ONE}/files/output.log": b"step 1 | loss: 3.0\nstep 2 | loss: 2.0\n"}
    empty = {f"{ONE}/run-abc.wandb": wandb_file(run("abc"))}
    broken = {f"{ONE}/run-abc.wandb": b"nothing"}
    for at, files in enumerate((printed | empty, printed | broken, printed)):
        loaded = load_run(write(tmp_path / str(at), files))
        assert loaded.history["loss"].tolist() == [3, 2]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([f"w/{ONE}/run-abc.wandb", f"w/{TWO}/run-abc.wandb"], ["w/abc"]),
        ([f"{ONE}/run-abc.wandb"], ["abc"]),
        (["x/run-abc.wandb", "x/files/output.log"], ["x"]),
        (["x/best.wandb", "x/other.wandb"], ["x/best.wandb", "x/other.wandb"]),
        (["files/output.log", "run-abc.wandb"], [""]),
        (["x/files/output.log"], ["x/files/output.log"]),
        (["x/files/config.yaml"], []),
        (["output.log", "debug.log"], ["debug.log", "output.log"]),
        (["wandb/debug.log", "a/logs/debug.log", "debug-internal.log"], []),
    ],
)
def test_which_files_are_a_run(paths: list[str], expected: list[str]) -> None:
    """By names alone."""
    assert [found.run for found in group(paths)] == expected


@pytest.mark.parametrize(
    "content", [b"", b":W&B", b":W&B\x00\x00\x00", b"SQLite format 3", b"\0" * 9]
)
def test_it_declines_with_a_reason(read: Reader, content: bytes) -> None:
    """What does not begin as a log of W&B is none."""
    with pytest.raises(NotMine, match="does not begin"):
        read(wandb_offline, {"a.wandb": content})


def test_a_segment_that_is_none_is_told(read: Reader) -> None:
    """The other is read."""
    files = {f"{ONE}/run-abc.wandb": wandb_file(row(0, loss=1.0)), f"{TWO}/run-abc.wandb": b"no"}
    first, told = read(wandb_offline, files)
    assert len(joined(first).history) == 1
    assert f"{TWO}/run-abc.wandb: The log was left out: it does not begin" in said(told)


def test_a_log_over_the_cap_is_declined(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any of it is read."""
    monkeypatch.setattr(limits, "FILE_BYTES", 10)
    with pytest.raises(NotMine, match="larger than 10 bytes; set VIZ3D_MAX_FILE_MIB"):
        read(wandb_offline, {"a.wandb": wandb_file(row(0, loss=1.0))})


def records_of(path: Path, content: bytes) -> tuple[list[bytes], str]:
    """Return the records of a log, and what is told."""
    path.write_bytes(content)
    tally = Tally("log")
    found = list(leveldb_log.records(path, wandb_offline.MAGIC, tally))
    return found, "\n".join(map(str, tally.problems()))


def test_records_of_any_length_come_back(tmp_path: Path) -> None:
    """Over block ends, with padding of every length, and longer than two blocks."""
    sizes = [1, 100, BLOCK - 7, BLOCK - 14, 3 * BLOCK, *range(BLOCK - 40, BLOCK), 5]
    records = [bytes([at % 251]) * size for at, size in enumerate(sizes)]
    assert records_of(tmp_path / "a", framed(records)[0]) == (records, "")


def test_zeros_at_the_end_are_told(tmp_path: Path) -> None:
    """A crash of the machine leaves room that was reserved and not written."""
    log = wandb_file(b"abc")
    found, told = records_of(tmp_path / "a", log + bytes(2 * BLOCK - len(log)))
    assert found == [b"abc"]
    assert "2 blocks of zeros were passed over" in told


def test_after_a_damaged_block_reading_goes_on(tmp_path: Path) -> None:
    """A record whose beginning is lost is not taken for one; those of the next block are."""
    log, _ = framed([b"a" * 100, b"b" * BLOCK, b"c" * 100])
    bad = bytearray(log)
    bad[200] ^= 1
    found, told = records_of(tmp_path / "a", bytes(bad))
    assert found == [b"a" * 100, b"c" * 100]
    assert "1 block of at most 32 KiB is damaged" in told


def test_a_length_that_lies_costs_its_block(tmp_path: Path) -> None:
    """In the middle of a file it cannot be a cut."""
    log, _ = framed([b"a" * 100, b"b" * 100, b"c" * BLOCK, b"d"])
    bad = bytearray(log)
    bad[7 + 107 + 4 : 7 + 107 + 6] = b"\xff\xff"
    found, told = records_of(tmp_path / "a", bytes(bad))
    assert found == [b"a" * 100, b"d"]
    assert "damaged" in told


def test_a_record_without_its_end_or_too_long_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that died and began again; and one that never stops is not held in memory."""
    monkeypatch.setattr(limits, "LINE_BYTES", 100)
    pieces = [
        piece(FIRST, b"torn"), piece(FIRST, b"a"), piece(MIDDLE, b"b"), piece(LAST, b"c"),
        piece(FIRST, b"x" * 90), piece(MIDDLE, b"x" * 90), piece(LAST, b"x"), piece(FIRST, b"cut"),
    ]  # fmt: skip
    found, told = records_of(tmp_path / "a", wandb_offline.MAGIC + b"".join(pieces))
    assert found == [b"abc"]
    assert "1 record of which a piece is missing" in told
    assert "1 record larger than 100 bytes" in told
    assert "The last record is cut" in told


def test_a_record_that_is_no_protobuf_is_told(read: Reader) -> None:
    """The sum says that it was written so."""
    first, _ = read(wandb_offline, {"a.wandb": wandb_file(b"\xff\xff\xff", row(0, loss=1.0))})
    assert len(joined(first).history) == 1
    assert "1 record that cannot be decoded" in said(first)


ROWS = 70
CONTENT, ENDS = framed([row(n, iter=10 * n, loss=n / 7, text="x" * 900) for n in range(ROWS)])
ANYWHERE = st.integers(0, len(CONTENT) - 1)


def survived(folder: Path, content: bytes) -> set[int]:
    """Return which rows are read, after a look at their values."""
    path = folder / "a.wandb"
    path.write_bytes(content)
    first, _ = wandb_offline.read({"a.wandb": path})
    history = joined(first).history
    steps = history.index.to_numpy()
    assert np.array_equal(history["loss"].to_numpy() if len(steps) else [], steps / 10 / 7)
    return set((steps // 10).tolist())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples."""
    return tmp_path_factory.mktemp("logs")


@settings(max_examples=100, deadline=None)
@given(cut=ANYWHERE)
@example(cut=BLOCK)
@example(cut=ENDS[0])
def test_whatever_is_cut_all_before_is_kept(folder: Path, cut: int) -> None:
    """Exactly the records that are there as a whole."""
    if cut < len(wandb_offline.MAGIC):
        with pytest.raises(NotMine):
            survived(folder, CONTENT[:cut])
    else:
        whole = {at for at, end in enumerate(ENDS) if end <= cut}
        assert survived(folder, CONTENT[:cut]) == whole


@settings(max_examples=100, deadline=None)
@given(at=ANYWHERE, flip=st.integers(1, 255))
@example(at=BLOCK + 4, flip=255)
def test_whatever_byte_is_flipped_all_others_are_kept(folder: Path, at: int, flip: int) -> None:
    """All before it, all from the next block on, and nothing with another value."""
    bad = bytearray(CONTENT)
    bad[at] ^= flip
    if at < len(wandb_offline.MAGIC):
        with pytest.raises(NotMine):
            survived(folder, bytes(bad))
        return
    begins = [len(wandb_offline.MAGIC), *ENDS]
    following = at // BLOCK * BLOCK + BLOCK
    safe = {n for n, end in enumerate(ENDS) if end <= at or begins[n] >= following}
    found = survived(folder, bytes(bad))
    assert safe <= found <= set(range(ROWS))
    assert len(found) >= ROWS - 40


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
    assert "300 media entries (h)" in text
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
