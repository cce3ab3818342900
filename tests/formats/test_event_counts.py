"""What the steps of event files count, as told by the files beside them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from viz3d.formats.reading import Contents, read_run

from .events import VERSION, event, scalars, simple

NAME = "x/events.out.tfevents.1761924447.host.5700.0"


def read_beside(
    folder: Path, steps: Iterable[int], files: dict[str, tuple[str, Iterable[int]]]
) -> list[Contents]:
    """Read events of a loss at these steps beside tables: for each the count and its numbers."""
    (folder / "x").mkdir()
    (folder / NAME).write_bytes(VERSION + scalars("loss", {step: step / 8 for step in steps}))
    for name, (count, numbers) in files.items():
        rows = "".join(f"{number},{at}\n" for at, number in enumerate(numbers))
        (folder / "x" / name).write_text(f"{count},{name[0]}\n{rows}")
    paths = [NAME, *(f"x/{name}" for name in files)]
    return read_run("x", {path: folder / path for path in paths})


@pytest.mark.parametrize(
    ("steps", "name", "count", "numbers", "counts"),
    [
        (range(10), "log.csv", "epoch", range(10), "epoch"),
        (range(10), "log.csv", "epoch", range(1, 10), "epoch"),
        (range(2048, 20481, 2048), "evaluations.csv", "timesteps", range(5000, 20001, 5000),
         "total_timesteps"),
        (range(2048, 20481, 2048), "progress.csv", "time/total_timesteps",
         range(2048, 20481, 2048), "total_timesteps"),
        (range(4000, 20001, 4000), "progress.csv", "timesteps_total", range(4000, 20001, 4000),
         "total_timesteps"),
        (range(1, 9), "progress.csv", "training_iteration", range(1, 9), "training_iteration"),
    ],
)  # fmt: skip
def test_events_count_what_a_file_beside_them_counts(
    tmp_path: Path, steps: range, name: str, count: str, numbers: range, counts: str
) -> None:
    """Epochs, or steps of an environment: one run, and no file is left out."""
    (run,) = read_beside(tmp_path, steps, {name: (count, numbers)})
    history = run.joined.history
    assert history["loss"].dropna().to_dict() == {step: step / 8 for step in steps}
    assert history[name[0]].dropna().to_dict() == {n: at for at, n in enumerate(numbers)}
    assert [origin.counts for origin in run.origins] == [counts, counts]
    assert run.problems == ()


@pytest.mark.parametrize(
    ("steps", "count", "numbers"),
    [
        (range(10, 601, 10), "epoch", range(1, 4)),  # three epochs of 200 steps
        (range(10), "epoch", range(9)),
        (range(10), "epoch", range(2, 10)),
        (range(100), "timesteps", range(2048, 204_801, 2048)),  # events by rollout
        (range(2048, 204_801, 2048), "timesteps", range(100)),  # timesteps by the thousand
        (range(10), "_step", range(10)),
    ],
)
def test_where_the_numbers_do_not_agree_the_file_is_left_out(
    tmp_path: Path, steps: range, count: str, numbers: range
) -> None:
    """Joined, its rows would stand where they do not belong."""
    (run,) = read_beside(tmp_path, steps, {"log.csv": (count, numbers)})
    assert list(run.joined.history) == ["loss", "time"]
    assert "those of the run by step." in str(run.problems[-1])


def test_a_file_that_counts_steps_says_what_events_count(tmp_path: Path) -> None:
    """They stay steps, though the epochs of a third file have the same numbers."""
    tables = {"log.csv": ("epoch", range(3)), "metrics.csv": ("step", range(3))}
    (run,) = read_beside(tmp_path, range(3), tables)
    assert {*run.joined.history} == {"loss", "time", "m"}
    assert "x/log.csv: The file was left out" in str(run.problems[-1])


def test_two_loggers_that_count_epochs_are_one_run(tmp_path: Path) -> None:
    """Ultralytics writes the same numbers to results.csv and to TensorBoard."""
    read_beside(tmp_path, range(4), {})
    table = tmp_path / "x" / "results.csv"
    table.write_text("epoch,loss,lr\n" + "".join(f"{at},{at / 8},{at}\n" for at in range(4)))
    (run,) = read_run("x", {NAME: tmp_path / NAME, "x/results.csv": table})
    assert len(run.joined.history) == 4
    assert run.joined.history["lr"].tolist() == [0, 1, 2, 3]
    (problem,) = run.problems
    assert "4 values were read from" in problem.what


@pytest.mark.parametrize("behind", [range(1, 17), range(4, 25)], ids=["events", "table"])
def test_a_run_that_goes_on_counts_alike_where_both_log(tmp_path: Path, behind: range) -> None:
    """One of the two is behind the other until the last epoch."""
    read_beside(tmp_path, behind, {})
    table = tmp_path / "x" / "results.csv"
    table.write_text("epoch,loss,lr\n" + "".join(f"{at},{at / 8},{at}\n" for at in range(1, 20)))
    (run,) = read_run("x", {NAME: tmp_path / NAME, "x/results.csv": table})
    history = run.joined.history
    assert history["loss"].to_dict() == {at: at / 8 for at in {*range(1, 20), *behind}}
    assert history["lr"].dropna().to_dict() == {at: at for at in range(1, 20)}
    assert [origin.counts for origin in run.origins] == ["epoch", "epoch"]


@pytest.mark.parametrize("losses", [{}, {at: at + 1.0 for at in range(30)}])
def test_a_metric_of_both_that_tells_nothing_joins_none(
    tmp_path: Path, losses: dict[int, float]
) -> None:
    """A rate that stays what it is tells no more of epochs than a loss that differs."""
    (tmp_path / "x").mkdir()
    events = scalars("lr", dict.fromkeys(range(30), 0.5)) + scalars("loss", losses)
    (tmp_path / NAME).write_bytes(VERSION + events)
    table = tmp_path / "x" / "results.csv"
    table.write_text("epoch,lr,loss\n" + "".join(f"{at},0.5,{at}\n" for at in range(1, 20)))
    (run,) = read_run("x", {NAME: tmp_path / NAME, "x/results.csv": table})
    assert run.joined.history.index.tolist() == [*range(30)]
    assert "those of the run by step." in str(run.problems[-1])


def test_of_several_writers_none_counts_what_a_file_beside_them_counts(tmp_path: Path) -> None:
    """Nothing says of which of them the file is; it is left out and told."""
    files = {f"x/e.tfevents.1.h.{at}": tmp_path / f"e.tfevents.1.h.{at}" for at in range(2)}
    for path in files.values():
        content = b"".join(event(at, simple("loss", 1.0), time=float(at)) for at in range(4))
        path.write_bytes(VERSION + content)
    files["x/log.csv"] = tmp_path / "log.csv"
    files["x/log.csv"].write_text("epoch,bleu\n0,1\n1,2\n2,3\n3,4\n")
    runs = read_run("x", files)
    assert [list(run.joined.history) for run in runs] == [["loss", "time"]] * 2
    assert "those of the run by step." in str(runs[0].problems)
