"""Offline runs of W&B: which files make one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from viz3d.formats import wandb_offline
from viz3d.formats.grouping import group
from viz3d.formats.reading import read_run
from viz3d.load import list_runs, load_run, open_source

from .conftest import Reader, joined, said
from .wandb_file import ended, row, run, wandb_file

ONE = "offline-run-20260102_030405-abc"
TWO = "offline-run-20260102_050607-abc"


def write(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files and return the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


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


@pytest.mark.parametrize(("second", "told"), [(0, True), (4, False)])
def test_a_count_that_begins_anew_is_told(read: Reader, second: int, told: bool) -> None:
    """Resumed offline W&B counts its calls from 0: that is no restart of the training."""
    logs = {
        f"{ONE}/run-abc.wandb": wandb_file(run("abc", 1), *(row(n, loss=1.0) for n in range(6))),
        f"{TWO}/run-abc.wandb": wandb_file(run("abc", 2), row(second, loss=2.0)),
    }
    parsed, _ = read(wandb_offline, logs)
    assert ("count of calls began anew 1 time, as it does" in said(parsed)) == told
    assert joined(parsed).restarts == 1


def test_a_step_that_was_logged_does_not_begin_anew(read: Reader) -> None:
    """Where the program says which step it is, W&B's count is not asked."""
    logs = {
        f"{ONE}/run-abc.wandb": wandb_file(run("abc", 1), row(0, step=0, loss=1.0)),
        f"{TWO}/run-abc.wandb": wandb_file(run("abc", 2), row(0, step=1, loss=2.0)),
    }
    parsed, _ = read(wandb_offline, logs)
    assert "began anew" not in said(parsed)
    assert joined(parsed).history["loss"].tolist() == [1.0, 2.0]


def test_segments_of_one_second_are_one_run(tmp_path: Path) -> None:
    """The folder of the later one has a number more; what lies in it goes with it."""
    logs = {
        f"wandb/{ONE}/run-abc.wandb": wandb_file(run("abc", 1), row(0, iter=0, loss=1.0)),
        f"wandb/{ONE}-1/run-abc.wandb": wandb_file(run("abc", 1), row(0, iter=1, loss=2.0)),
        f"wandb/{ONE}-1/files/config.yaml": b"lr:\n  value: 3\n",
        f"wandb/{ONE}-1/files/output.log": b"step 1 | loss: 3.0\n",
    }
    source = open_source(write(tmp_path, logs))
    (info,) = list_runs(source)
    assert info.name == "wandb/abc"
    loaded = load_run(source, "abc")
    assert loaded.history["loss"].tolist() == [1.0, 2.0]
    assert loaded.config["lr"] == 3


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
        ([f"{ONE}/run-abc.wandb", f"{ONE}-1/run-abc-1.wandb"], ["abc", "abc-1"]),
        ([f"{ONE}-1/run-abc-1.wandb", f"{ONE}-1/files/output.log"], ["abc-1"]),
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


def test_a_segment_that_is_none_is_told(read: Reader) -> None:
    """The other is read."""
    files = {f"{ONE}/run-abc.wandb": wandb_file(row(0, loss=1.0)), f"{TWO}/run-abc.wandb": b"no"}
    first, told = read(wandb_offline, files)
    assert len(joined(first).history) == 1
    assert f"{TWO}/run-abc.wandb: The log was left out: it does not begin" in said(told)
