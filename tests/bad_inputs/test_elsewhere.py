"""No id is forgotten; and those that are neither fixtures nor tested elsewhere."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
from pathlib import Path

import pytest

from tests.bad_inputs.bombs import BOMBS
from tests.bad_inputs.case import GOOD, lines, write
from tests.bad_inputs.cases import ALL
from tests.bad_inputs.elsewhere import TESTS
from tests.bad_inputs.objects import CANARY, pickled
from viz3d.cli import main
from viz3d.load import list_runs, load_runs, open_source
from viz3d.run import FileInfo
from viz3d.settings import load_settings
from viz3d.sources.local import LocalSource
from viz3d.ui.text import date, moment

HERE = Path(__file__).resolve().parents[1]


def test_every_id_has_a_fixture_or_a_test() -> None:
    ids = {one.id for one in (*ALL, *BOMBS)} | TESTS.keys()
    assert {f"I{at}" for at in range(1, 87)} == ids


def test_the_tests_elsewhere_are_there() -> None:
    for test in (test for tests in TESTS.values() for test in tests):
        path, name = test.split("::")
        assert re.search(rf"^def {name}\(", (HERE / path).read_text("utf-8"), re.MULTILINE), test


def test_no_fixture_is_called_like_another() -> None:
    assert len({case.name for case in ALL}) == len(ALL)


def test_a_pickle_that_is_opened_would_be_noticed(tmp_path: Path) -> None:
    """The fixtures of pickles prove something: whoever opens one writes a file."""
    pickle.loads(pickled(tmp_path))
    assert (tmp_path / CANARY).exists()


def test_a_line_that_is_no_setting_is_named_and_not_repeated(tmp_path: Path) -> None:
    write(tmp_path, ".env", "VIZ3D_SOURCE=here\n\nhunter2 is my password\nWANDB_ENTITY=me\n")
    settings = load_settings({}, tmp_path / ".env")
    assert (settings.source, settings.wandb_entity) == ("here", "me")
    (problem,) = settings.problems
    assert (problem.file, problem.line) == (".env", 3)
    assert "hunter2" not in str(problem)
    assert ".env.example" in problem.remedy


@pytest.mark.skipif(os.name == "nt", reason="the rights to a file are others there")
@pytest.mark.parametrize(("mode", "told"), [(0o644, True), (0o600, False)])
def test_secrets_that_everybody_may_read_are_told(mode: int, told: bool, tmp_path: Path) -> None:
    write(tmp_path, ".env", "WANDB_API_KEY=canary\n")
    (tmp_path / ".env").chmod(mode)
    problems = load_settings({}, tmp_path / ".env").problems
    assert [problem.remedy for problem in problems] == ["Run `chmod 600 .env`."] * told
    assert "canary" not in str(problems)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_secrets_that_git_tracks_are_told(tmp_path: Path) -> None:
    """As soon as the file is added, and no longer once it is taken out again."""

    def told() -> str:
        return " ".join(map(str, load_settings({}, tmp_path / ".env").problems))

    write(tmp_path, ".env", "WANDB_API_KEY=canary\n")
    (tmp_path / ".env").chmod(0o600)
    git(tmp_path, "init", "-q")
    assert not told()
    git(tmp_path, "add", ".env")
    assert "git tracks it" in told()
    assert "Run `git rm --cached .env`" in told()
    assert "canary" not in told()
    os.utime(tmp_path / ".git" / "index", (1, 1))  # else as old as the one after it, on some disks
    git(tmp_path, "rm", "-q", "--cached", ".env")
    assert not told()


def test_a_repository_starts_no_program(tmp_path: Path) -> None:
    """Asking git about a file runs nothing that the settings of the repository name."""
    write(tmp_path, ".env", "WANDB_API_KEY=canary\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".env")
    write(tmp_path, "watch", f"#!/bin/sh\ntouch '{tmp_path}/{CANARY}'\n")
    (tmp_path / "watch").chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(tmp_path / "watch"))
    assert load_settings({}, tmp_path / ".env").problems
    assert not (tmp_path / CANARY).exists()


def test_without_git_nothing_is_said_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ".env", "WANDB_API_KEY=canary\n")
    (tmp_path / ".env").chmod(0o600)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".env")
    monkeypatch.setenv("PATH", "")
    assert load_settings({}, tmp_path / ".env").problems == ()


def test_a_setting_that_is_none_is_told_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, ".env", "LANG=de\n\nVIZ3D_SORCE=hunter2\nVIZ3D_XYZZY_Q=1\nVIZ3D_SOURCE=a\n")
    first, second = load_settings({}, tmp_path / ".env").problems
    assert str(first) == ".env:3: There is no setting VIZ3D_SORCE, so it was not used. Is " + (
        "VIZ3D_SOURCE meant?"
    )
    assert (second.line, second.remedy) == (4, "See .env.example for those that are.")


def test_a_folder_that_may_not_be_listed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runs beside it are listed; who runs the tests may be allowed everything."""
    lines(tmp_path, *GOOD, name="open/log.jsonl")
    lines(tmp_path, *GOOD, name="closed/log.jsonl")
    real = os.scandir

    def scandir(path: str | Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("viz3d.sources.local.os.scandir", scandir)
    source = open_source(tmp_path)
    assert [info.name for info in list_runs(source)] == ["open/log.jsonl"]
    assert "closed/: The folder cannot be listed" in str(source.problems()[0])


def test_ten_thousand_runs_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [FileInfo(f"r{at}/metrics.jsonl", 9, float(at)) for at in range(10_000)]
    monkeypatch.setattr(LocalSource, "files", lambda self: files)
    infos = list_runs(open_source(tmp_path))
    assert [info.name for info in infos] == [f"r{at}" for at in reversed(range(10_000))]


TIMES = {"past": -2e9, "far-past": -1e15, "now": 1.7e9, "future": 9e9, "far-future": 1e18}


def test_times_that_cannot_be_are_listed_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs of the future come first, and what no calendar has is shown without a date."""
    for name in TIMES:
        lines(tmp_path, *GOOD, name=f"{name}/metrics.jsonl")
    files = [FileInfo(f"{name}/metrics.jsonl", 9, time) for name, time in TIMES.items()]
    monkeypatch.setattr(LocalSource, "files", lambda self: files)
    order = ["far-future", "future", "now", "past", "far-past"]
    assert [info.name for info in list_runs(open_source(tmp_path))] == order
    assert len(load_runs(tmp_path)) == 5
    assert main(["list", str(tmp_path), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [run["changed"] and run["changed"][:4] for run in listed] == [
        None, "2255", "2023", "1906", None
    ]  # fmt: skip
    assert main(["list", str(tmp_path)]) == 0
    assert [date(time) is None for time in TIMES.values()] == [False, True, False, False, True]
    assert moment(1e18) == "at no time of any calendar"
