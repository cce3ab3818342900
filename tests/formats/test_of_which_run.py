"""Files that share no metric with the others of a folder: of which of its runs they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from viz3d.formats.reading import Contents, read_run

ReadRun = Callable[[dict[str, str]], list[Contents]]

ONE, TWO = (f'{{"step": 0, "loss": {n}}}\n{{"step": 1, "loss": {n + 1}}}\n' for n in (4, 6))
RATES = "step,lr\n0,0.1\n1,0.2\n"
LOGGED = '{"step": 0, "lr": 0.1}\n{"step": 1, "lr": 0.2}\n'
BOTH = "step,lr,loss\n0,0.1,4\n1,0.2,5\n"
LAYERS = "step,layer,grad_norm\n0,h.0,1\n0,h.1,2\n"


@pytest.fixture
def read(tmp_path: Path) -> ReadRun:
    """Write files and read them as one folder."""

    def read(files: dict[str, str]) -> list[Contents]:
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        return read_run("x", {name: tmp_path / name for name in files})

    return read


@pytest.mark.parametrize("rates", ["run2_lr.csv", "a_lr.csv"])
def test_a_file_that_may_be_of_several_runs_is_of_none(read: ReadRun, rates: str) -> None:
    """A rate that stands beside two losses is not the rate of the first."""
    runs = read({"run1.jsonl": ONE, "run2.jsonl": TWO, f"{rates}": RATES})
    found = {run.name: list(run.joined.history) for run in runs}
    assert found == {"run1": ["loss"], "run2": ["loss"], rates.removesuffix(".csv"): ["lr"]}
    told = {
        run.name: [each for each in run.problems if "of which run" in each.what] for run in runs
    }
    assert sum(map(len, told.values())) == 1


def test_layers_that_may_be_of_several_runs_are_of_none(read: ReadRun) -> None:
    """Nor is the gradient of one run shown beside the loss of another."""
    runs = read({"run1.jsonl": ONE, "run2.jsonl": TWO, "run2_layers.csv": LAYERS})
    assert {run.name: run.layers is not None for run in runs} == {
        "run1": False,
        "run2": False,
        "run2_layers": True,
    }


def test_who_wrote_down_metrics_of_two_files_says_that_they_are_one_run(read: ReadRun) -> None:
    """Whatever else lies beside them."""
    files = {"run1.jsonl": ONE, "run2.jsonl": TWO, "lr.jsonl": LOGGED}
    runs = read({**files, "both.csv": BOTH})
    assert {run.name: list(run.joined.history) for run in runs} == {
        "run1": ["loss", "lr"],
        "run2": ["loss"],
    }


def test_what_tells_nothing_yet_is_no_run(read: ReadRun) -> None:
    """An empty log says the same of every run beside it."""
    runs = read({"run1.jsonl": ONE, "run2.jsonl": TWO, "z.csv": "step,lr\n"})
    assert [run.name for run in runs] == ["run1", "run2"]


def test_what_was_printed_beside_a_run_takes_nothing_from_it(read: ReadRun) -> None:
    """Rounded values are no other run's, to which the rates may belong."""
    runs = read({"run1.jsonl": ONE, "lr.csv": RATES, "train.log": "iter 0: loss 4.2\n"})
    found = {run.name: list(run.joined.history) for run in runs}
    assert found == {"train": ["loss", "lr"], "run1": ["loss"]}
