"""Two loggers of one run, here a CSV and an event file."""

from __future__ import annotations

from math import nan
from pathlib import Path

import pytest

from viz3d.formats.reading import read_run
from viz3d.load import load_run

from .events import VERSION, event, scalars, simple

NAME = "run/events.out.tfevents.1761924447.host.5700.0"


def test_a_csv_beside_is_the_same_run_and_counted_once(tmp_path: Path) -> None:
    """Two loggers wrote down one run: the CSV has all digits, the events have the clock."""
    rows = "".join(f"{step},{step / 3}\n" for step in range(6))
    events = VERSION + scalars("loss", {step: step / 3 for step in range(8)})
    events += scalars("lr", {7: 0.5})
    runs = read_both(tmp_path, "step,loss\n" + rows, events)
    (run,) = runs
    assert run.joined.history["loss"].tolist() == pytest.approx([step / 3 for step in range(8)])
    assert run.joined.history["loss"].iloc[:6].tolist() == [step / 3 for step in range(6)]
    assert run.joined.history["lr"].dropna().to_dict() == {7: 0.5}
    assert run.joined.history["time"].notna().all()
    assert run.joined.replaced == 0
    (problem,) = run.problems
    assert problem.what == "6 values were read from run/log.csv, which has them as well."
    assert problem.file == NAME


def test_a_csv_may_have_printed_five_digits(tmp_path: Path) -> None:
    """As Ultralytics does; in the fifth one they differ by one at most."""
    losses = {step: 1.000049 + step / 7 for step in range(9)}
    for more, count in ((0, 1), (2e-4, 2)):
        rows = "".join(f"{step},{loss + more:23.5g}\n" for step, loss in losses.items())
        runs = read_both(tmp_path, "step,loss\n" + rows, VERSION + scalars("loss", losses))
        assert len(runs) == count


def test_a_csv_of_another_run_stays_a_run_of_its_own(tmp_path: Path) -> None:
    """One value that differs is enough."""
    events = VERSION + scalars("loss", {0: 1.0, 1: 2.0})
    runs = read_both(tmp_path, "step,loss\n0,1\n1,2.1\n", events)
    assert len(runs) == 2
    runs = read_both(tmp_path, "step,loss\n5,1\n6,2\n", events)
    assert len(runs) == 2


def test_each_metric_has_to_agree_and_not_in_one_value(tmp_path: Path) -> None:
    """Another seed has the same learning rates, and may begin with the same loss."""
    table = "step,loss,lr\n0,4,0.5\n10,3,0.25\n20,2,0.125\n"
    rates = scalars("lr", {0: 0.5, 10: 0.25})
    for loss in ({5: 99.0, 15: 98.0}, {0: 4.0, 7: 9.0, 14: 8.0}):
        runs = read_both(tmp_path, table, VERSION + rates + scalars("loss", loss))
        assert len(runs) == 2
        assert runs[0].joined.history["loss"].to_dict() == {0: 4, 10: 3, 20: 2}


def test_a_metric_of_which_nothing_is_left_tells_nothing(tmp_path: Path) -> None:
    """All of it was superseded; what is left is of one run."""
    table = "step,loss,x\n20,2,7\n10,3,\n20,4,\n30,5,\n"
    events = VERSION + scalars("loss", {10: 3.0, 20: 4.0, 30: 5.0}) + scalars("x", {20: 7.0})
    (run,) = read_both(tmp_path, table, events)
    assert run.joined.history["loss"].to_dict() == {10: 3, 20: 4, 30: 5}
    assert run.joined.history["x"].dropna().to_dict() == {20: 7}


def test_a_name_in_braces_is_told_as_it_is(tmp_path: Path) -> None:
    """It is no choice of words."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "{n} {x|y}.csv").write_text("step,loss\n0,1\n1,2\n")
    (tmp_path / "run" / "events.out.tfevents.1.h.0").write_bytes(
        VERSION + scalars("loss", {0: 1.0, 1: 2.0})
    )
    told = [problem.what for problem in load_run(tmp_path / "run").problems]
    assert told == ["2 values were read from {n} {x|y}.csv, which has them as well."]


def test_a_logged_nan_is_a_value(tmp_path: Path) -> None:
    """It agrees with another one, and not with a number."""
    (run,) = read_both(
        tmp_path, "step,loss\n0,nan\n1,nan\n", VERSION + scalars("loss", {0: nan, 1: nan})
    )
    assert run.joined.nonfinite["step"].tolist() == [0, 1]
    assert "2 values were read from run/log.csv" in run.problems[0].what
    table = "step,loss\n0,1\n1,nan\n"
    assert len(read_both(tmp_path, table, VERSION + scalars("loss", {0: 1.0, 1: 5.0}))) == 2


def test_a_clock_that_both_have_makes_no_two_runs(tmp_path: Path) -> None:
    """They look at it at different times; that of the first file stays."""
    events = (
        VERSION + event(0, simple("val", 2.0), time=99.0) + event(5, simple("val", 1.0), time=9.0)
    )
    (run,) = read_both(tmp_path, "step,loss,time\n0,1,10\n1,2,20\n", events)
    assert run.joined.history["time"].to_dict() == {0: 10.0, 1: 20.0, 5: 9.0}
    assert run.joined.history["val"].dropna().to_dict() == {0: 2.0, 5: 1.0}
    assert run.problems == ()


def test_a_restart_that_both_logged_is_told_once(tmp_path: Path) -> None:
    """The attempt that was superseded is kept aside once, not twice."""
    steps = [*range(8), *range(4, 9)]
    rows = "".join(f"{step},{at}\n" for at, step in enumerate(steps))
    events = VERSION + b"".join(scalars("loss", {step: at}) for at, step in enumerate(steps))
    (run,) = read_both(tmp_path, "step,loss\n" + rows, events)
    assert run.joined.attempts["step"].tolist() == [4, 5, 6, 7]


def read_both(folder: Path, table: str, events: bytes):
    """Read a CSV and an event file of one folder."""
    (folder / "log.csv").write_text(table)
    (folder / "events").write_bytes(events)
    return read_run("run", {"run/log.csv": folder / "log.csv", NAME: folder / "events"})
