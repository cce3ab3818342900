"""Several sources on the command line, and one run of two joined."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.team_bucket import run


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    """The run ``a`` in two folders, with another metric in each; ``b`` in the first only."""
    for place, name, metric in (("here", "a", "loss"), ("here", "b", "loss"), ("there", "a", "lr")):
        folder = tmp_path / place / name
        folder.mkdir(parents=True)
        rows = [{"step": step, metric: 3 - step} for step in range(3)]
        folder.joinpath("metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return ["--source", str(tmp_path / "here"), "--source", str(tmp_path / "there")]


def test_list_names_each_run_with_its_source(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`--source` may be repeated, beside a source in its place too."""
    for words in (two, two[1:]):
        status, out, _ = run(capsys, "list", *words, "--json")
        assert status == 0
        found = {(entry["name"], entry["source"]) for entry in json.loads(out)}
        assert found == {("a · here", "here"), ("b · here", "here"), ("a · there", "there")}


def test_a_run_is_named_in_full_where_its_name_is_not_enough(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`b` is one run; `a` is two, and the message says how to tell them apart."""
    status, out, _ = run(capsys, "show", "b", *two, "--json")
    assert (status, json.loads(out)["source"]) == (0, "here")
    status, _, err = run(capsys, "show", "a", *two)
    assert status == 1
    assert "'a · here', 'a · there'" in err or "'a · there', 'a · here'" in err
    status, out, _ = run(capsys, "show", "a · there", *two, "--json")
    assert (status, json.loads(out)["metrics"]) == (0, ["lr"])


def test_join_makes_one_run_of_both(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each series says which source it is from; roles may name metrics of either."""
    words = ("show", "a", *two, "--join", "--role", "reward=lr", "--json")
    status, out, err = run(capsys, *words)
    shown = json.loads(out)
    assert (status, shown["metrics"], shown["source"]) == (0, ["loss", "lr"], "here + there")
    assert [origin["source"] for origin in shown["origins"]] == ["here", "there"]
    assert shown["roles"]["reward"] == "lr"
    assert "Joined on the step" in err
    status, _, err = run(capsys, "show", "a", two[0], two[1], "--join")
    assert status == 2
    assert "name each with --source" in err


def test_a_source_that_cannot_be_listed_does_not_stop_the_other(
    two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    """It is told, with its name; the runs of the other are there."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setenv("VIZ3D_CACHE_DIR", str(tmp_path / "cache"))
    status, out, err = run(capsys, "show", "b", *two, "--source", "gs://ours", "--json")
    assert (status, json.loads(out)["steps"]) == (0, 3)
    assert "ours" in err


@pytest.mark.parametrize("gone", ["gone", "gs://me:hunter2@b", "wandb://"])
def test_a_source_that_cannot_be_opened_does_not_stop_the_others(
    gone: str, two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is not there is told as a bucket is that does not answer."""
    words = (*two, "--source", gone)
    status, out, err = run(capsys, "list", *words, "--json")
    assert (status, len(json.loads(out))) == (0, 3)
    assert err.count("\n") == 1
    assert err.startswith(("gone: There is no folder or file 'gone'", "gs://…: ", "wandb://…: "))
    assert "hunter2" not in err
    status, out, err = run(capsys, "show", "a", *words, "--join", "--json")
    assert (status, json.loads(out)["metrics"]) == (0, ["loss", "lr"])
    assert err.startswith(("gone: There is no", "gs://…: ", "wandb://…: "))
    status, out, err = run(capsys, "list", "--source", gone, "--source", "gone too")
    assert (status, out) == (1, "")
    assert err.startswith("viz3d: ")


def test_plot_takes_runs_of_both(
    two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The provenance of the chart names both sources."""
    file = tmp_path / "x.json"
    words = ("plot", "seeds", "b", "a · here", *two, "--output", str(file))
    assert run(capsys, *words)[0] == 0
    runs = json.loads(file.read_text())["layout"]["meta"]["viz3d"]["runs"]
    assert {one["name"] for one in runs} == {"a · here", "b · here"}
