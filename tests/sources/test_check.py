"""What the check says of a source: whether it can be read, as whom, and what to do if not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sources.memory import MemorySource
from viz3d.load import list_runs, open_source
from viz3d.settings import Settings
from viz3d.sources.address import Address
from viz3d.sources.base import Source
from viz3d.sources.check import MAX_TRIAL, Check, check, command
from viz3d.sources.faults import fault

RUNS = {
    "a/metrics.jsonl": b'{"step": 1, "loss": 2}\n' * 9,
    "b/report/report.md": b"# R",
    "c/metrics.jsonl": b"",
}


class Bucket(MemorySource):
    """A source that knows who asks."""

    address = Address("memory", "runs")
    tell = None
    patient = False
    identity = "reader@example.iam.gserviceaccount.com"
    project = "my-project"


def look(source: Source, text: str = "gs://memory/runs") -> Check:
    """Check a source that is there already."""
    return check(text, Settings(project="set"), lambda *_: source, list_runs)


def test_a_bucket_that_can_be_read() -> None:
    """It says who, where, how many, and the command to type; the smallest file was read."""
    source = Bucket(RUNS)
    found = look(source)
    assert found == Check(
        True, "gs://memory/runs", identity=source.identity, project="my-project", bucket="memory",
        runs=3, listing=True, reading=True,
        message="gs://memory/runs can be listed and read: 3 runs.",
        next="python -m viz3d list gs://memory/runs",
    )  # fmt: skip
    assert source.fetched == ["b/report/report.md"]


def test_a_signed_link_is_not_repeated() -> None:
    """Its signature opens the bucket to whoever reads it."""
    link = "https://storage.googleapis.com/memory/runs?X-Goog-Signature=hunter2"
    found = look(Bucket(RUNS), link)
    assert found.next == "python -m viz3d list gs://memory/runs"
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("kind", ["expired_login", "no_permission", "unreachable"])
def test_a_bucket_that_cannot_be_listed(kind: str) -> None:
    """The fault's own sentence, remedy and kind; still it says who asked what."""
    source = Bucket(RUNS)
    source.error = fault(kind, who="X", where="gs://memory", reason="no")
    found = look(source)
    assert (found.ok, found.listing, found.reading, found.runs) == (False, False, None, None)
    assert (found.kind, found.message) == (kind, source.error.what)
    assert found.remedy == source.error.remedy
    assert (found.identity, found.bucket) == (source.identity, "memory")


def test_the_next_command_is_that_of_the_remedy() -> None:
    """An expired login: the command that renews it."""
    source = Bucket(RUNS)
    source.error = fault("expired_login")
    assert look(source).next == "gcloud auth application-default login"
    source.error = fault("no_permission", who="X", where="gs://memory")
    assert look(source).next == ""


def test_a_bucket_that_lists_but_does_not_read() -> None:
    """Names are there, reading is refused: that is a failure, and it says which half."""
    source = Bucket(RUNS)
    source.broken["b/report/report.md"] = fault("no_permission", who="X", where="gs://memory")
    found = look(source)
    assert (found.ok, found.listing, found.reading, found.runs) == (False, True, False, 3)
    assert found.kind == "no_permission"


@pytest.mark.parametrize("size", [0, MAX_TRIAL + 1])
def test_nothing_large_is_read_for_a_trial(size: int) -> None:
    """Where no small file is there, the listing alone is the answer."""
    source = Bucket(RUNS)
    source.listed = {
        name: replace(file, size=size)
        for name, file in zip(RUNS, source.files(), strict=True)
    }  # fmt: skip
    found = look(source)
    assert (found.ok, found.reading, source.fetched) == (True, None, [])
    assert "can be listed: 3 runs." in found.message


def test_a_source_without_runs_is_well() -> None:
    """It can be read; that nothing is in it is said."""
    found = look(Bucket({}))
    assert (found.ok, found.runs, found.reading) == (True, 0, None)
    assert found.message == "gs://memory/runs can be listed: no runs."


def test_a_folder_and_the_sample(tmp_path: Path) -> None:
    """No bucket, nobody to be; a folder that is not there is a fault without a kind of its own."""
    found = check("sample", Settings(), open_source, list_runs)
    assert (found.ok, found.identity, found.bucket) == (True, "", "")
    assert found.runs == len(list_runs(open_source("sample")))
    found = check(str(tmp_path / "gone"), Settings(), open_source, list_runs)
    assert (found.ok, found.kind, found.listing) == (False, "source", False)
    assert "gone" in found.message
    assert str(tmp_path) not in found.message


def test_a_name_that_is_none_is_refused_before_any_request() -> None:
    """`gs://user:secret@b` is no bucket, and the password is not repeated."""
    found = check("gs://user:hunter2@b", Settings(), open_source, list_runs)
    assert (found.ok, found.kind) == (False, "bad_name")
    assert "hunter2" not in repr(found)


def test_the_trial_leaves_the_users_cache_alone(tmp_path: Path) -> None:
    """A copy in the cache would prove nothing: the source is opened with an empty one."""
    folders: list[str] = []

    def open_noting(text: str, settings: Settings) -> Source:
        folders.append(settings.cache_dir)
        assert Path(settings.cache_dir).is_dir()
        return Bucket(RUNS)

    check("gs://memory", Settings(cache_dir=str(tmp_path)), open_noting, list_runs)
    [folder] = folders
    assert folder != str(tmp_path)
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gs://b/p", "python -m viz3d list gs://b/p"),
        ("my runs", 'python -m viz3d list "my runs"'),
        ("sample", "python -m viz3d list"),
    ],
)
def test_the_command_can_be_pasted(text: str, says: str) -> None:
    """Quoted where a shell needs it; without a name where the settings have it."""
    assert command(text, Settings()) == says
