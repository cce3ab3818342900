"""Tables of several runs are told from those of one."""

from __future__ import annotations

import pytest

from viz3d.errors import NotMine
from viz3d.formats import csv_any, delimited, text

from .conftest import Reader, joined, said


@pytest.mark.parametrize("column", ["run", "seed"])
@pytest.mark.parametrize("names", [("a", "b"), ("0", "1"), ("2024-01-01", "2024-01-02")])
@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
def test_a_table_of_several_runs_is_declined(
    read: Reader, monkeypatch: pytest.MonkeyPatch, column: str, names: tuple[str, str], size: int
) -> None:
    """Whether they follow each other or take turns: one would hide the other."""
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    monkeypatch.setattr(delimited, "SMALL_BLOCK", size)
    rows = [f"{name},{step},{step / 2}\n" for name in names for step in range(6)]
    for order in (rows, sorted(rows, key=lambda row: row.split(",")[1])):
        with pytest.raises(NotMine, match=f"column '{column}' tells 2 runs apart; write each"):
            read(csv_any, {"a.csv": f"{column},step,loss\n" + "".join(order)})


def test_names_of_runs_that_go_on_are_told(read: Reader) -> None:
    """A run that was resumed under another name is one; a seed may be drawn for each row."""
    rows = "".join(
        f"{'a' if step < 4 else 'b'},{step // 2},{step},{step / 2}\n" for step in range(9)
    )
    (parsed,) = read(csv_any, {"a.csv": "run,seed,step,loss\n" + rows})
    assert joined(parsed).history["loss"].tolist() == [step / 2 for step in range(9)]
    assert "9 values that were no number were left out (run)" in said(parsed)
    rows = "".join(f"{n},{n // 2},{n / 2}\n" for n in range(6))
    (parsed,) = read(csv_any, {"a.csv": "seed,step,loss\n" + rows})
    assert len(joined(parsed).history) == 3


@pytest.mark.parametrize("begin", [15, 19])
def test_a_run_that_was_resumed_under_another_name_is_a_restart(read: Reader, begin: int) -> None:
    """What was logged anew since the checkpoint counts, as under one name."""
    runs = {"abc1": range(20), "abc2": range(begin, 40)}
    rows = "".join(f"{step},{run},{step}{run[-1]}\n" for run in runs for step in runs[run])
    (parsed,) = read(csv_any, {"a.csv": "step,run_id,loss\n" + rows})
    history = joined(parsed).history
    assert history["loss"].tolist() == [10 * step + 1 + (step >= begin) for step in range(40)]


def test_a_run_that_is_taken_up_again_among_others_is_declined(read: Reader) -> None:
    """Each begins later than those before it, but they take turns."""
    runs = [("a", range(9)), ("b", range(5, 14)), ("a", range(9, 19))]
    rows = "".join(f"{step},{run},{step}\n" for run, steps in runs for step in steps)
    with pytest.raises(NotMine, match="column 'run' tells 2 runs apart"):
        read(csv_any, {"a.csv": "step,run,loss\n" + rows})


def test_names_of_rows_that_share_no_metric_are_of_one_run(read: Reader) -> None:
    """Those of training and evaluation stand beside each other, with one clock, epoch and seed."""
    rows = "".join(f"{n},0,{n},1,a,{n},\n{n},0,{n},1,a-eval,,{n}\n" for n in range(9))
    (parsed,) = read(csv_any, {"a.csv": "step,epoch,time,seed,run,loss,eval_loss\n" + rows})
    history = joined(parsed).history
    assert history["loss"].tolist() == history["eval_loss"].tolist() == [*range(9)]


def test_a_seed_of_each_epoch_tells_no_runs_apart(read: Reader) -> None:
    """Steps begin anew with it, beside some that go on."""
    rows = "".join(f"{n // 9},{n % 9},{n},{42 + n // 9},{n / 2}\n" for n in range(27))
    (parsed,) = read(csv_any, {"a.csv": "epoch,step,global_step,seed,loss\n" + rows})
    assert joined(parsed).history["loss"].to_dict() == {n: n / 2 for n in range(27)}


def test_a_list_of_runs_is_declined(read: Reader) -> None:
    """It has the last value of each, and which step that is of."""
    rows = '"a","finished","3.0","1000"\n"b","crashed","2.5","700"\n'
    with pytest.raises(NotMine, match="table of runs as W&B exports it"):
        read(csv_any, {"a.csv": '"Name","State","loss","_step"\n' + rows})
