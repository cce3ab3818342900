"""Which files of runs are found, by how many listings, and where they go."""

from __future__ import annotations

import pytest

from tests.sources.memory import MemorySource
from viz3d.load import list_runs
from viz3d.run import Problem
from viz3d.sources.places import FEW, REPORTS, plan


def places(source: MemorySource, *names: str, include: tuple[str, ...] = REPORTS) -> dict[str, str]:
    """Return {object: place} of runs by name; of all where none is named."""
    runs = [info for info in list_runs(source) if not names or info.name in names]
    items, told = plan(source, runs, include)
    assert told == []
    return {item.file.path: item.place for item in items}


def test_few_runs_are_asked_for_alone() -> None:
    """A listing per run and glob."""
    source = MemorySource({f"runs/r{i}/report/report.md": b"x" for i in range(FEW + 1)})
    assert set(places(source, "r1", "r2").values()) == {
        "r1/report/report.md",
        "r2/report/report.md",
    }
    assert sorted(source.asked) == [
        "runs/r1/report.md", "runs/r1/report/**", "runs/r2/report.md", "runs/r2/report/**",
    ]  # fmt: skip


def test_many_runs_are_asked_for_together() -> None:
    """A listing per glob for all runs of one depth; what lies in no chosen run is left."""
    objects = {f"runs/r{i}/report/report.md": b"x" for i in range(FEW + 2)}
    objects |= {"old/deep/r/report/report.md": b"y"}
    source = MemorySource(objects)
    chosen = [f"r{i}" for i in range(FEW + 1)]
    assert set(places(source, *chosen, "old/deep/r")) == set(objects) - {
        f"runs/r{FEW + 1}/report/report.md"
    }
    assert sorted(source.asked) == [
        "old/deep/r/report.md", "old/deep/r/report/**", "runs/*/report.md", "runs/*/report/**",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a*", "a?", "[ab]", "{a,b}", "a\\b"])
def test_a_name_with_the_signs_of_globs_means_itself(name: str) -> None:
    """Its neighbours are not taken along."""
    objects = {f"{run}/report/report.md": b"x" for run in (name, "a", "b", "ab", "a\\b", "ac")}
    source = MemorySource(objects)
    runs = [info for info in list_runs(source) if info.name == name]
    items, _ = plan(source, runs, REPORTS)
    assert [item.file.path for item in items] == [f"{name}/report/report.md"]


def test_a_run_that_is_one_file_goes_under_its_name() -> None:
    """And takes no neighbour along."""
    source = MemorySource({"logs/one.jsonl": b'{"step": 1}\n', "logs/two.jsonl": b'{"step": 2}\n'})
    found = places(source, "logs/two.jsonl", include=("*.jsonl",))
    assert found == {"logs/two.jsonl": "logs/two.jsonl"}
    assert source.asked == []


def test_segments_of_one_run_go_under_its_name() -> None:
    """They lie in folders beside each other, and none is called like the run."""
    one, two = "w/run-20260102_030405-abc", "w/offline-run-20260102_050607-abc"
    other = "w/run-20260102_030405-xyz/run-xyz.wandb"
    source = MemorySource(
        dict.fromkeys((f"{one}/run-abc.wandb", f"{two}/run-abc.wandb", other), b"")
    )
    found = places(source, "w/abc", include=("**/*.wandb",))
    assert found == {f"{at}/run-abc.wandb": f"w/abc/{at[2:]}/run-abc.wandb" for at in (one, two)}


def test_a_run_at_the_top_is_called_like_the_source() -> None:
    """`gs://memory/runs` is a run itself: its files go into `runs`."""
    source = MemorySource({"report/report.md": b"# R", "metrics.jsonl": b'{"step": 1}\n'})
    assert places(source) == {"report/report.md": "runs/report/report.md"}


def test_without_the_bucket_the_listing_must_do() -> None:
    """Offline the claimed files are all that is known; nothing is asked."""
    source = MemorySource({"runs/b/report.md": b"# R", "runs/b/metrics.jsonl": b"{}"})
    source.as_of = 1_700_000_000.0
    assert places(source) == {"runs/b/report.md": "b/report.md"}
    assert source.asked == []


def test_a_changed_name_is_told() -> None:
    """With what it became."""
    source = MemorySource({"r/report/report.md": b"# R", "r/report/CON": b"x"})
    items, told = plan(source, list_runs(source), REPORTS)
    [item] = [item for item in items if item.file.path == "r/report/CON"]
    said = f"Not every system can hold its name there, so it is written as {item.place!r}."
    assert told == [Problem(said, file="r/report/CON")]
