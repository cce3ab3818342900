"""Which of the selected runs may be one run that several sources hold."""

from __future__ import annotations

import pandas as pd

from viz3d.run import Run
from viz3d.sources.local import LocalSource
from viz3d.ui.joining import same_runs
from viz3d.ui.listing import Listed
from viz3d.ui.together import together


def listed(tmp_path, *names: str) -> Listed:
    parts = []
    for name in names or ("bucket", "wandb"):
        (tmp_path / name).mkdir()
        parts.append(Listed(name, LocalSource(tmp_path / name)))
    return together(parts)


def run(name: str, source: str, **about: str) -> Run:
    config = {"_wandb": about} if about else {}
    return Run(f"{name} · {source}", source, pd.DataFrame(), config=config)


def test_the_last_part_of_the_name_or_the_id_says_so(tmp_path) -> None:
    """In the order of the sources, whatever that of the selection; one source holds no twins."""
    runs = [
        run("speedrun", "wandb"), run("x/speedrun", "bucket"),
        run("abc123", "bucket"), run("my fine run", "wandb", run_id="abc123"),
        run("a/lone", "bucket"), run("b/lone", "bucket"),
    ]  # fmt: skip
    found = same_runs(listed(tmp_path), runs)
    assert {name: [run.source for run in some] for name, some in found.items()} == {
        "x/speedrun": ["bucket", "wandb"], "abc123": ["bucket", "wandb"]
    }  # fmt: skip


def test_two_pairs_of_one_name_are_two(tmp_path) -> None:
    """The name of the second says its source, too."""
    runs = [run("run1", "a"), run("z/run1", "b"), run("run1", "b"), run("q/run1", "c")]
    runs += [run("run1", "c")]
    found = same_runs(listed(tmp_path, "a", "b", "c"), runs)
    assert {name: [run.name for run in some] for name, some in found.items()} == {
        "run1": ["run1 · a", "z/run1 · b", "q/run1 · c"],
        "run1 · b": ["run1 · b", "run1 · c"],
    }
