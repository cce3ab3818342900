"""Runs in a local folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import IO, Any

import pytest

from viz3d import load_entries
from viz3d.errors import SourceError
from viz3d.load import load_runs
from viz3d.run import FileInfo
from viz3d.sources.base import Source
from viz3d.sources.local import MAX_DEPTH, LocalSource
from viz3d.sources.progress import Progress
from viz3d.sources.skipping import skipped


def write(root: Path, *paths: str) -> None:
    """Write a small file at each path."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")


def paths(source: LocalSource) -> list[str]:
    return [file.path for file in source.files()]


def test_a_folder_is_searched_to_the_bottom(tmp_path: Path) -> None:
    """Paths are relative, with slashes, in order, with size and time."""
    write(tmp_path / "top", "b/c/metrics.jsonl", "a.csv")
    source = LocalSource(tmp_path / "top")
    first, second = source.files()
    assert (first.path, second.path) == ("a.csv", "b/c/metrics.jsonl")
    assert (first.size, source.name) == (1, "top")
    assert first.changed == (tmp_path / "top" / "a.csv").stat().st_mtime
    assert source.fetch(second).read_text() == "x"


def test_folders_without_histories_are_not_entered(tmp_path: Path) -> None:
    """Hidden folders, weights, code and caches are skipped; a trainer's checkpoints are not."""
    skipped = (".git", ".cache", "base_checkpoints", "checkpoints", "tokenizer", "eval_bundle",
               "node_modules", "__pycache__")  # fmt: skip
    write(tmp_path, *(f"{name}/a.csv" for name in skipped), ".env", "checkpoint-5/a.csv")
    assert paths(LocalSource(tmp_path)) == ["checkpoint-5/a.csv"]


def found(source: LocalSource, pattern: str) -> list[str]:
    return [file.path for file in source.find(pattern)]


def test_what_a_listing_leaves_out_can_be_asked_for_by_name(tmp_path: Path) -> None:
    """Weights, hidden files and any other are found by a pattern of their path, in order."""
    write(tmp_path, "r/checkpoints/meta_1.json", "r/checkpoints/model_1.pt", "r/.env", "r/a.csv")
    source = LocalSource(tmp_path)
    assert found(source, "**") == [
        "r/.env", "r/a.csv", "r/checkpoints/meta_1.json", "r/checkpoints/model_1.pt"
    ]  # fmt: skip
    assert found(source, "r/*") == ["r/.env", "r/a.csv"]
    assert found(source, "**/*.{pt,csv}") == ["r/a.csv", "r/checkpoints/model_1.pt"]
    assert source.find("a.csv") == []
    assert paths(source) == ["r/a.csv"]


def test_a_pattern_leads_out_of_no_folder(tmp_path: Path) -> None:
    """Links to outside are not followed, and looking for files does not change what was told."""
    write(tmp_path, "top/a.csv", "secret.csv")
    (tmp_path / "top" / "out.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "top" / "away").symlink_to(tmp_path)
    source = LocalSource(tmp_path / "top")
    assert found(source, "**") == ["a.csv"]
    assert found(source, "../*") == []
    assert source.problems() == ()


def test_a_folder_has_nothing_to_wait_for(tmp_path: Path) -> None:
    """Files that are here need no download, have no older copy and are of now."""
    write(tmp_path, "a.csv")
    source: Source = LocalSource(tmp_path)
    moments: list[Progress] = []
    (file,) = source.files()
    source.prepare([file, FileInfo("gone.csv", 1)], moments.append)
    assert (source.as_of, source.names(), source.remarks(file), moments) == (None, [], (), [])


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("a/b.csv", False),
        ("checkpoint-5/b.csv", False),
        ("checkpoints", False),
        ("a/.b.csv", True),
        (".a/b.csv", True),
        ("a/base_checkpoints/d20/b.csv", True),
        ("a/venv/", True),
        ("tokenizer/b.json", True),
        ("", False),
    ],
)
def test_a_path_alone_tells_what_is_left_out(path: str, left_out: bool) -> None:
    """A folder without histories counts at any depth; a file may be called like one."""
    assert skipped(path) is left_out


def test_a_file_is_a_source_of_itself(tmp_path: Path) -> None:
    """One file works, and its folder is not walked."""
    write(tmp_path, "a.csv", "b.csv")
    source = LocalSource(tmp_path / "a.csv")
    (file,) = source.files()
    assert (file.path, source.name) == ("a.csv", "a.csv")
    assert source.fetch(file) == (tmp_path / "a.csv").resolve()
    assert (found(source, "*.csv"), found(source, "b*")) == (["a.csv"], [])


def test_links_out_of_the_folder_are_told_and_not_followed(tmp_path: Path) -> None:
    """A link to a secret beside the folder is not read; one inside it is."""
    write(tmp_path, "top/a.csv", "secret.csv", "other/b.csv")
    top = tmp_path / "top"
    (top / "out.csv").symlink_to(tmp_path / "secret.csv")
    (top / "in.csv").symlink_to(top / "a.csv")
    (top / "loop").symlink_to(top)
    (top / "away").symlink_to(tmp_path / "other")
    (top / "broken.csv").symlink_to(top / "nothing")
    (top / "gone.csv").symlink_to(tmp_path / "nothing")
    (top / "device.csv").symlink_to(os.devnull)
    source = LocalSource(top)
    assert paths(source) == ["a.csv", "in.csv"]
    told = {problem.file: problem.what for problem in source.problems()}
    assert set(told) == {"out.csv", "loop", "away", "broken.csv", "gone.csv", "device.csv"}
    assert "leads out of the folder" in told["out.csv"]
    assert "leads out of the folder" in told["away"]
    assert "leads nowhere" in told["broken.csv"]
    assert "leads nowhere" in told["gone.csv"]
    assert "a device" in told["device.csv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_is_told_and_not_opened(tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to would never return."""
    os.mkfifo(tmp_path / "pipe.csv")
    source = LocalSource(tmp_path)
    assert paths(source) == []
    assert source.problems()[0].file == "pipe.csv"
    with pytest.raises(SourceError, match=r"^'pipe\.csv' is a pipe, .*; name a folder or a file"):
        LocalSource(tmp_path / "pipe.csv").files()


def test_folders_that_lie_too_deep_are_told(tmp_path: Path) -> None:
    """What is above them is read; they are named, so that they can be opened by themselves."""
    inside = "/".join(["d"] * MAX_DEPTH)
    write(tmp_path, f"{inside}/a.csv", f"{inside}/e/b.csv", f"{inside}/.hidden/c.csv")
    source = LocalSource(tmp_path)
    assert paths(source) == [f"{inside}/a.csv"]
    (problem,) = source.problems()
    assert (problem.file, "not searched" in problem.what) == (f"{inside}/e/", True)
    assert paths(LocalSource(tmp_path / problem.file)) == ["b.csv"]


def forbid(monkeypatch: pytest.MonkeyPatch, forbidden: Path) -> None:
    """Forbid to look below a folder; who runs the tests may be allowed everything."""
    real = os.stat

    def stat(path: Path, **words: bool) -> os.stat_result:
        if forbidden in Path(path).parents:
            raise PermissionError(13, "Permission denied")
        return real(path, **words)

    monkeypatch.setattr(os, "stat", stat)


def test_what_lies_in_a_forbidden_folder_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can know whether it is there."""
    write(tmp_path, "closed/a.csv")
    source = LocalSource(tmp_path)
    (file,) = source.files()
    forbid(monkeypatch, tmp_path / "closed")
    with pytest.raises(SourceError, match=r"no right to read 'closed/a\.csv'"):
        source.fetch(file)
    with pytest.raises(
        SourceError, match=r"^'a\.csv' cannot be listed: .*; give yourself the right"
    ):
        LocalSource(tmp_path / "closed" / "a.csv").files()


def test_a_file_that_may_not_be_read_costs_the_run_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its right is what is missing: neither its format nor what is in it is at fault."""
    rows = "".join(f'{{"step": {step}, "loss": 1}}\n' for step in range(3))
    write(tmp_path, "r/run.json", "r/metrics.jsonl")
    (tmp_path / "r" / "metrics.jsonl").write_text(rows)
    real = Path.open

    def opened(path: Path, *words: Any, **more: Any) -> IO[Any]:
        if path.name == "run.json":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *words, **more)

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr(load_entries, "WORTH", 1)  # as of a long run, which is kept when read
    (run,) = load_runs(tmp_path)
    assert len(run.history) == 3
    assert [str(problem) for problem in run.problems] == [
        "r/run.json: You have no right to read 'r/run.json'; give yourself that right if it is "
        "wanted."
    ]
    with pytest.raises(SourceError, match=r"no right to read 'run\.json'"):
        load_runs(tmp_path / "r" / "run.json")


def test_a_path_that_leads_out_is_not_fetched(tmp_path: Path) -> None:
    """Whoever makes up a path gets an error, not a file."""
    write(tmp_path, "top/a.csv", "secret.csv")
    with pytest.raises(SourceError, match="no longer in 'top'"):
        LocalSource(tmp_path / "top").fetch(FileInfo("../secret.csv", 1))


def test_a_file_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    """A file deleted since the listing is named, with what to do."""
    write(tmp_path, "a.csv")
    source = LocalSource(tmp_path)
    (file,) = source.files()
    (tmp_path / "a.csv").unlink()
    with pytest.raises(SourceError, match=r"'a\.csv' is no longer in .*; list the runs again"):
        source.fetch(file)


@pytest.mark.parametrize("gone", ["a.csv", "."])
def test_a_place_that_is_gone_is_one_sentence(tmp_path: Path, gone: str) -> None:
    """A folder or file that was deleted after it was opened is named without its path."""
    write(tmp_path / "top", "a.csv")
    source = LocalSource(tmp_path / "top" / gone)
    shutil.rmtree(tmp_path / "top")
    for ask in (source.files, lambda: source.find("**")):
        with pytest.raises(SourceError, match=r"^'(a\.csv|top)' cannot be listed: "):
            ask()


@pytest.mark.parametrize("path", ["nothing/here", "a\0b", "x" * 5000])
def test_a_place_that_is_not_there_is_one_sentence(tmp_path: Path, path: str) -> None:
    """A missing folder is named by its last part, without a trace of the others."""
    with pytest.raises(SourceError, match="There is no folder or file") as caught:
        LocalSource(tmp_path / path)
    assert str(tmp_path) not in str(caught.value)


def test_the_generation_changes_with_the_content(tmp_path: Path) -> None:
    """A grown file is told from the one that was read before."""
    write(tmp_path, "a.csv")
    source = LocalSource(tmp_path)
    before = source.files()[0].generation
    (tmp_path / "a.csv").write_text("longer")
    assert source.files()[0].generation != before
