"""Several sources as one, without the app: listed apart, fetched each from its own place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.fakes import FakeBucket
from viz3d.errors import BucketError, SourceError
from viz3d.load import list_runs, load_run, load_runs, open_source
from viz3d.run import RunInfo
from viz3d.sources.faults import fault
from viz3d.sources.finding import plain_name
from viz3d.sources.local import LocalSource
from viz3d.sources.several import Several, labels_of

ROW = '{"step": 0, "loss": %d}\n'


@pytest.fixture
def both(tmp_path: Path) -> tuple[Several, FakeBucket]:
    """A folder and a bucket, with a run of one name and one path in each."""
    for place, loss in (("folder", 1), ("stored", 2)):
        (tmp_path / place / "a").mkdir(parents=True)
        (tmp_path / place / "a" / "metrics.jsonl").write_text(ROW % loss, "utf-8")
    bucket = FakeBucket(tmp_path / "stored")
    bucket.here.clear()
    return Several([LocalSource(tmp_path / "folder"), bucket], ("folder", "bucket")), bucket


def test_each_file_comes_from_the_source_that_lists_it(both: tuple[Several, FakeBucket]) -> None:
    """Two files of one path are never mixed up, and a source is asked for its own alone."""
    source, bucket = both
    runs = {run.source: run for info in list_runs(source) for run in load_runs(source, info)}
    assert {name: run.history["loss"].tolist() for name, run in runs.items()} == {
        "folder": [1.0], "bucket": [2.0]
    }  # fmt: skip
    assert runs["folder"].digest != runs["bucket"].digest
    assert bucket.asked.count("a/metrics.jsonl") == 1
    assert [run.origins[0].source for run in runs.values()] == list(runs)


def test_no_two_sources_are_called_alike() -> None:
    """Not where one is called like another one with its number either."""
    assert labels_of(["a", "b", "a"]) == ("a #1", "b", "a #2")
    assert labels_of(["a #1", "a", "a"]) == ("a #1", "a #2", "a #3")
    assert labels_of(["a", "a", "a #2", "a #2"]) == ("a #1", "a #3", "a #2 #1", "a #2 #2")


def test_a_source_that_is_away_is_told_and_the_others_stay(
    both: tuple[Several, FakeBucket],
) -> None:
    """Only where none can be listed there is an error."""
    source, bucket = both
    bucket.away = fault("offline", name="", where="gs://runs-of-ours")
    (info,) = list_runs(source)
    assert info.name == "a · folder"
    (problem,) = source.failures()
    assert problem.file == "bucket"
    assert problem in source.problems()
    bucket.away = None
    assert len(list_runs(source)) == 2
    assert source.failures() == ()
    bucket.away = fault("offline", name="", where="gs://runs-of-ours")
    with pytest.raises(BucketError):
        list_runs(Several([bucket]))


def test_sources_of_one_name_and_one_place(tmp_path: Path) -> None:
    """Two folders of one name get numbers; one that is named twice is opened once."""
    for place in ("x/runs", "y/runs"):
        (tmp_path / place / "a").mkdir(parents=True)
        (tmp_path / place / "a" / "metrics.jsonl").write_text(ROW % 1, "utf-8")
    two = [tmp_path / "x/runs", tmp_path / "y/runs"]
    names = {info.name for info in list_runs(open_source(two))}
    assert names == {"a · runs #1", "a · runs #2"}
    alone = open_source([two[0], str(two[0])])
    assert isinstance(alone, LocalSource)
    assert load_run(alone, "a").name == "a"
    with pytest.raises(SourceError, match="no folder or file"):
        open_source([two[0], tmp_path / "gone"])


def test_a_learning_rate_in_the_name_of_a_source_is_no_runs(tmp_path: Path) -> None:
    """The name of a run alone tells of it; that of the source stands behind it on the page only."""
    for place in ("lr-0.5", "lr-0.25"):
        (tmp_path / place / "a").mkdir(parents=True)
        (tmp_path / place / "a" / "metrics.jsonl").write_text(ROW % 1, "utf-8")
    source = open_source([tmp_path / "lr-0.5", tmp_path / "lr-0.25"])
    assert [dict(run.config) for run in load_runs(source)] == [{}, {}]


@pytest.mark.parametrize(
    ("name", "source", "plain"),
    [
        ("a", "here", "a"),
        ("a · here", "here", "a"),
        ("a.csv · here::one", "here", "a.csv::one"),
        ("a · here · here", "here", "a · here"),
        ("a · heretic", "here", "a · heretic"),
    ],
)
def test_plain_names(name: str, source: str, plain: str) -> None:
    """Only what the listing added is taken off."""
    assert plain_name(RunInfo(name, source, None, 0, ())) == plain
