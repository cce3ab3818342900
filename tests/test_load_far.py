"""Loading runs that are not on this disk, or only as a copy."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event

import pytest

from viz3d.errors import BucketError, NoFormat, RunNotFound, SourceError
from viz3d.load import is_path, list_runs, load_path, load_run, load_runs, open_source
from viz3d.run import FileInfo, Problem
from viz3d.settings import Settings
from viz3d.sources.address import Address
from viz3d.sources.digest import digest
from viz3d.sources.globs import matches
from viz3d.sources.local import LocalSource
from viz3d.sources.progress import Watch

ROWS = '{"step": 0, "loss": 3}\n{"step": 1, "loss": 2}\n'
TABLE = "step,loss\n0,1\n1,2\n"
LOG = "".join(f"step {step:05d}/00003 (0.00%) | loss: {step}.5\n" for step in [0, 1, 2, 0, 1])


def write(root: Path, files: dict[str, str]) -> None:
    """Write files, all changed at one time, so that runs are listed by name."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
        os.utime(root / name, (1e9, 1e9))


class Near(LocalSource):
    """A folder behind a cache: files are copied near when they are fetched, and may go away there.

    Parameters
    ----------
    root, cache : pathlib.Path
    losses : int
        How many copies go away again, each right after it was handed out or is about to be read.
    """

    def __init__(self, root: Path, cache: Path, losses: int = 0) -> None:
        super().__init__(root)
        self.cache, self.losses = cache, losses
        self.prepared: list[list[str]] = []
        self.faults: dict[str, BucketError] = {}

    def prepare(
        self, files: Sequence[FileInfo], watch: Watch | None = None, cancel: Event | None = None
    ) -> None:
        """Note what was asked for together."""
        self.prepared.append([file.path for file in files])

    def fetch(self, file: FileInfo) -> Path:
        """Return a copy, which may be gone already."""
        if file.path in self.faults:
            raise self.faults[file.path]
        copy = self.cache / file.path.replace("/", "_")
        shutil.copy(super().fetch(file), copy)
        if self.losses > 0:
            self.losses -= 1
            copy.unlink()
        return copy

    def remarks(self, file: FileInfo) -> tuple[Problem, ...]:
        """Say something of every file."""
        return (Problem("Shown is an older copy.", file=file.path),)


@pytest.fixture
def near(tmp_path: Path) -> Near:
    """A source of one run ``a`` of two files and one run ``b.csv``."""
    files = {"a/metrics.jsonl": ROWS, "a/run.json": '{"config": {"lr": 1}}', "b.csv": TABLE}
    write(tmp_path / "top", files)
    (tmp_path / "cache").mkdir()
    return Near(tmp_path / "top", tmp_path / "cache")


def test_files_come_near_together_before_they_are_read(near: Near) -> None:
    """A run of several files is prepared at once, all runs too; one file is just fetched."""
    load_run(near, "a")
    load_run(near, "b.csv")
    load_runs(near, list_runs(near)[0])
    load_runs(near)
    both = ["a/metrics.jsonl", "a/run.json"]
    assert near.prepared == [both, both, [*both, "b.csv"]]


def test_what_the_source_remarks_is_told_with_the_run(near: Near) -> None:
    """A copy that is not the newest is named beside what the formats have to say."""
    told = load_run(near, "a").problems
    assert [(problem.file, problem.what) for problem in told] == [
        ("a/metrics.jsonl", "Shown is an older copy."), ("a/run.json", "Shown is an older copy."),
    ]  # fmt: skip


def test_a_file_that_cannot_be_had_is_told_with_its_remedy(near: Near) -> None:
    """The rest of the run is shown; where nothing is left, the fault itself comes through."""
    near.faults["a/run.json"] = fault = BucketError("stalled", "It stopped.", "Wait.")
    run = load_run(near, "a")
    assert Problem("It stopped.", "Wait.", "a/run.json") in run.problems
    assert len(run.history) == 2
    near.faults["a/metrics.jsonl"] = fault
    with pytest.raises(BucketError) as caught:
        load_run(near, "a")
    assert caught.value is fault
    assert Problem("It stopped.", "Wait.", "a") in load_runs(near)[0].problems


@pytest.mark.parametrize("name", ["a", "b.csv"])
def test_a_copy_that_goes_away_is_fetched_once_more(near: Near, name: str) -> None:
    """A cache that is emptied between fetching and reading costs nothing but the time."""
    near.losses = 1
    run = load_run(near, name)
    assert len(run.history) == 2
    assert all("cannot be read" not in problem.what for problem in run.problems)


def test_a_copy_that_goes_away_again_and_again_is_one_sentence(near: Near) -> None:
    """After the second time it is said, without a path of the disk."""
    near.losses = 99
    for name in ("a", "b.csv"):
        with pytest.raises(SourceError, match=f"^The files of '{name}' cannot be read any more"):
            load_run(near, name)


@pytest.mark.parametrize(("losses", "config"), [(1, {"lr": 1}), (9, {})])
def test_what_is_left_of_a_run_is_shown(
    near: Near, monkeypatch: pytest.MonkeyPatch, losses: int, config: dict[str, int]
) -> None:
    """Where one file of several went away, all are fetched again; if it goes on, it is told."""
    fetch, left = near.fetch, [0] * losses

    def lose(file: FileInfo) -> Path:
        copy = fetch(file)
        if file.path == "a/run.json" and left:
            left.pop()
            copy.unlink()
        return copy

    monkeypatch.setattr(near, "fetch", lose)
    run = load_run(near, "a")
    assert len(run.history) == 2
    assert dict(run.config) == config
    told = [problem.file for problem in run.problems if "older copy" not in problem.what]
    assert told == ([] if config else ["a/run.json"])


@pytest.mark.parametrize("failures", [1, 9])
def test_a_disk_that_fails_while_a_run_is_read_is_no_bare_error(
    near: Near, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """An error of the disk is tried once more and then one sentence, as for any other fault."""
    left = [OSError(errno.EIO, "Input/output error")] * failures

    def failing(files: Mapping[str, Path], known: Mapping[str, bytes]) -> str:
        if left:
            raise left.pop()
        return digest(files, known)

    monkeypatch.setattr("viz3d.load_entries.digest", failing)
    if failures == 1:
        assert len(load_run(near, "b.csv").digest) == 64
    else:
        with pytest.raises(SourceError, match=r"'b\.csv' .*\(Input/output error\); list the runs"):
            load_run(near, "b.csv")


def test_a_run_that_no_format_reads_is_read_once(
    near: Near, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only files that went away are fetched again."""
    write(tmp_path / "top", {"c.json": '{"a": "b"}'})
    fetched: list[str] = []
    fetch = near.fetch

    def note(file: FileInfo) -> Path:
        fetched.append(file.path)
        return fetch(file)

    monkeypatch.setattr(near, "fetch", note)
    with pytest.raises(NoFormat):
        load_run(near, "c.json")
    assert fetched == ["c.json"]


def test_a_run_whose_files_are_gone_is_one_sentence(near: Near, tmp_path: Path) -> None:
    """Files deleted between listing and loading are named, and what to do."""
    info = next(info for info in list_runs(near) if info.name == "b.csv")
    (tmp_path / "top" / "b.csv").unlink()
    with pytest.raises(SourceError, match=r"'b\.csv' is no longer in"):
        load_runs(near, info)


@pytest.fixture
def buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Address, Settings]]:
    """Folders of `tmp_path` stand for buckets; the list fills with what was opened."""
    opened: list[tuple[Address, Settings]] = []

    class Stub(LocalSource):
        """A bucket, as far as loading is concerned."""

        def __init__(
            self, address: Address, settings: Settings, *, names: Sequence[str],
            wanted: Callable[[str], bool],
        ) -> None:  # fmt: skip
            place = tmp_path / address.bucket / address.key
            place.parent.mkdir(exist_ok=True, parents=True)
            if not place.exists():
                place.mkdir()
            super().__init__(place, str(address))
            opened.append((address, settings))
            self.wanted, self.asked_for = wanted, names

        def files(self) -> list[FileInfo]:
            found = [file for file in self.find("**") if self.wanted(file.path)]
            globs = [f"**/{name}" for name in self.asked_for]
            assert all(any(matches(glob, file.path) for glob in globs) for file in found)
            return found

        def problems(self) -> tuple[Problem, ...]:
            return (Problem("Nothing is there.", "Nearest: gs://team-runs/runs."),)

    monkeypatch.setattr("viz3d.sources.bucket.BucketSource", Stub)
    return opened


Opened = list[tuple[Address, Settings]]


def test_a_bucket_opens_with_the_settings_it_is_given(buckets: Opened) -> None:
    """The address is read first; the settings are those of the caller, else of the environment."""
    mine = Settings(project="mine")
    open_source("gs://team-runs/runs/", mine)
    open_source("https://console.cloud.google.com/storage/browser/team-runs")
    assert buckets[0] == (Address("team-runs", "runs"), mine)
    assert buckets[1][0] == Address("team-runs")
    assert isinstance(buckets[1][1], Settings)
    with pytest.raises(BucketError, match="only lower-case letters"):
        open_source("gs://x?alt=media")
    assert len(buckets) == 2


def test_opening_a_bucket_asks_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is made before the first question."""

    def connect(*args: object, **kwargs: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr("socket.socket.connect", connect)
    monkeypatch.setattr("socket.getaddrinfo", connect)
    source = open_source("gs://team-runs/runs", Settings(cache_dir=str(tmp_path)))
    assert (source.name, source.as_of) == ("gs://team-runs/runs", None)


def test_a_bucket_is_searched_as_a_folder_is(buckets: Opened, tmp_path: Path) -> None:
    """The same files make the same runs; weights and hidden files belong to none."""
    files = {"a/metrics.jsonl": ROWS, "a/checkpoints/x.csv": "1", ".b/metrics.jsonl": ROWS,
             "a/model.pt": "", "c.csv": TABLE}  # fmt: skip
    write(tmp_path / "team-runs" / "runs", files)
    infos = list_runs(open_source("gs://team-runs/runs"))
    assert [(info.name, info.path, len(info.files)) for info in infos] == [
        ("a", "a", 1), ("c.csv", "c.csv", 1)
    ]  # fmt: skip


def test_a_run_in_a_bucket_is_loaded_by_its_address(buckets: Opened, tmp_path: Path) -> None:
    """It goes by its own name, whatever stands before; a run in a file of several too."""
    write(tmp_path / "team-runs", {"runs/a/metrics.jsonl": ROWS, "runs/logs/b.log": LOG})
    assert load_run("gs://team-runs/runs/a").name == "a"
    assert load_run("gs://team-runs", "a").name == "a"
    assert [run.name for run in load_path("gs://team-runs/runs/logs::base-2")] == [
        "b.log::base-2"
    ]  # fmt: skip
    write(tmp_path / "team-runs", {"c::d/metrics.jsonl": ROWS})
    assert load_run("gs://team-runs/c::d").name == "c::d"
    with pytest.raises(RunNotFound, match=r"in 'gs://team-runs/z'\. Nothing is there\. Near"):
        load_run("gs://team-runs/z")


def test_a_bucket_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where a folder of that name lies on the disk."""
    write(tmp_path, {"gs:/team-runs/metrics.jsonl": ROWS})
    monkeypatch.chdir(tmp_path)
    assert not is_path("gs://team-runs")
    assert not is_path("gs://team-runs::base-1")
    assert is_path(str(tmp_path))
