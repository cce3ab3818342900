"""Tables with a row for each metric, or for each part of the data."""

from __future__ import annotations

import pytest

from viz3d.errors import NotMine
from viz3d.formats import csv_any, delimited, limits, long_tables, text

from .conftest import Reader, joined, said

LOGGED = {"loss": {0: 4, 1: 3, 2: 2}, "a/lr": {0: 0.5, 2: 0.25}, "val loss": {1: 1, 2: 0}}


@pytest.mark.parametrize("head", ["key,value,timestamp,step", "Tag,Value,time,epoch"])
@pytest.mark.parametrize("by_step", [False, True])
@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
def test_metrics_below_each_other_are_read_beside_each_other(
    read: Reader, monkeypatch: pytest.MonkeyPatch, head: str, by_step: bool, size: int
) -> None:
    """MLflow writes one after the other, TensorBoard's logs are often taken apart like that."""
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    monkeypatch.setattr(delimited, "SMALL_BLOCK", size)
    rows = [(key, at, value) for key, column in LOGGED.items() for at, value in column.items()]
    rows.sort(key=lambda row: row[1] if by_step else 0)
    table = "".join(f"{key},{value},{at}5,{at}\n" for key, at, value in rows)
    (parsed,) = read(csv_any, {"a.csv": f"{head}\n{table}"})
    found = joined(parsed)
    clock = head.split(",")[2]
    assert {*found.history} == {*LOGGED, clock}
    assert {name: found.history[name].dropna().to_dict() for name in LOGGED} == LOGGED
    assert found.history[clock].tolist() == [5, 15, 25]
    assert found.restarts == 0
    assert parsed.problems == ()


def test_names_of_metrics_take_no_place_of_another_column(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value may be called like the step, or have no name; those beyond the cap are counted."""
    rows = ("epoch,7", "step,8", "time,6", ",9", "loss,3", "loss,2", " loss,1")
    table = "".join(f"{1 + (at > 4)},5,{row}\n" for at, row in enumerate(rows))
    (parsed,) = read(csv_any, {"a.csv": "step,time,metric,value\n" + table})
    history = joined(parsed).history
    of_value = {"value/epoch": 7, "value/step": 8, "value/time": 6, "value": 9}
    assert history.loc[1].to_dict() == {"time": 5, **of_value, "loss": 3}
    assert history["loss"].to_dict() == {1: 3, 2: 1}
    monkeypatch.setattr(limits, "METRICS", 3)
    table = "step,metric,value\n" + "".join(f"1,{name},2\n" for name in "abcdc")
    (parsed,) = read(csv_any, {"a.csv": table})
    assert [*joined(parsed).history] == ["a", "b", "c"]
    assert "1 value of metrics beyond the first" in said(parsed)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("epoch,split,loss\n" + "".join(f"{n},train,{n}\n{n},val,1{n}\n" for n in range(4)),
         "split"),
        ("Mode,step,loss\n" + "".join(f"{mode},{n},{n}\n" for mode in "ab" for n in range(4)),
         "Mode"),
        ("step,key,value,lr\n" + "".join(f"{n},a,1,2\n{n},b,1,2\n" for n in range(4)), "key"),
        ("step,name,mean\n" + "".join(f"{n},a,1\n{n},b,2\n" for n in range(4)), "name"),
        ("step,split,metric,value\n"
         + "".join(f"{n},{part},loss,{n}\n" for n in range(4) for part in ("train", "val")),
         "split"),
        ("step,metric,split,value\n"
         + "".join(f"{n},loss,{part},{n}\n" for n in range(4) for part in ("train", "val")),
         "split"),
    ],
)  # fmt: skip
def test_rows_that_would_hide_each_other_are_declined(
    read: Reader, table: str, column: str
) -> None:
    """The loss of an evaluation is not that of the training."""
    reason = f"column '{column}' tells 2 kinds of rows apart that log the same; write each into"
    with pytest.raises(NotMine, match=reason):
        read(csv_any, {"a.csv": table})


@pytest.mark.parametrize(
    "rows",
    [
        "".join(f"{n},train,{n},\n{n},val,,1{n}\n" for n in range(9)),
        "".join(f"{n},{'warmup' if n < 4 else 'main'},{n},1{n}\n" for n in range(9)),
        "".join(f"{n},,{n},1{n}\n" for n in range(9)),
    ],
)
def test_rows_that_hide_nothing_are_one_run(read: Reader, rows: str) -> None:
    """Each kind has metrics of its own, or steps of its own."""
    (parsed,) = read(csv_any, {"a.csv": "step,phase,loss,val_loss\n" + rows})
    history = joined(parsed).history
    assert history["loss"].tolist() == [*range(9)]
    assert history["val_loss"].tolist() == [10 + n if n else 10 for n in range(9)]
    assert ("that were no number were left out (phase)" in said(parsed)) == (",," not in rows[:4])


def test_a_metric_that_is_called_like_one_of_several_is_read(read: Reader) -> None:
    """It holds numbers, but for a word."""
    (parsed,) = read(csv_any, {"a.csv": "step,metric,mode\n0,4,1\n1,none yet,1\n2,3,\n"})
    history = joined(parsed).history
    assert history["metric"].dropna().to_dict() == {0: 4, 2: 3}
    assert history["mode"].dropna().to_dict() == {0: 1, 1: 1}
    assert "1 value that was no number was left out (metric)" in said(parsed)


def test_steps_of_each_epoch_hide_nothing_of_another(read: Reader) -> None:
    """A phase of one epoch and that of another one log the same steps of it."""
    phases = ["warmup", "train", "train"]
    rows = "".join(f"{n // 10},{n % 10},{phases[n // 10]},{n}\n" for n in range(30))
    (parsed,) = read(csv_any, {"a.csv": "epoch,step,phase,loss\n" + rows})
    found = joined(parsed)
    assert found.history["loss"].tolist() == [*range(30)]
    assert found.restarts == 0
    rows += "".join(f"{n // 10},{n % 10},val,1{n}\n" for n in range(0, 30, 10))
    with pytest.raises(NotMine, match="tells 3 kinds of rows apart"):
        read(csv_any, {"b.csv": "epoch,step,phase,loss\n" + rows})


def test_a_few_rows_of_another_kind_are_logged_again(read: Reader) -> None:
    """Not all is lost for one test: what it supersedes is told, as with any row."""
    train = "".join(f"{n},train,{n}\n" for n in range(300))
    head = "step,phase,loss\n"
    for table, wanted in (
        (f"0,test,0.5\n{train}", {}), (f"{train}299,test,0.5\n", {299: 0.5}),
    ):  # fmt: skip
        (parsed,) = read(csv_any, {"a.csv": head + table})
        found = joined(parsed)
        assert found.history["loss"].to_dict() == {n: n for n in range(300)} | wanted
        assert found.replaced == 1
    (parsed,) = read(csv_any, {"a.csv": f"{head}{train}0,test,0.5\n"})
    found = joined(parsed)
    assert found.history["loss"].to_dict() == {0: 0.5}
    assert found.attempts["loss"].tolist() == [*range(300)]
    some = "".join(f"{n},test,1{n}\n" for n in range(7))
    with pytest.raises(NotMine, match="tells 2 kinds of rows apart"):
        read(csv_any, {"a.csv": head + train + some})


def test_rows_that_repeat_others_hide_nothing(read: Reader) -> None:
    """Those of the best steps stand there twice, gaps and all; other values decline the table."""
    head, rows = "step,loss,acc,mode\n", []
    for n in range(30):
        values = f"{n / 2},{'nan' if n == 4 else n}"
        rows += [f"{n},{values},train\n"] + [f"{n},{values},best\n"] * (n % 4 == 0)
    (parsed,) = read(csv_any, {"a.csv": head + "".join(rows)})
    history = joined(parsed).history
    assert history["loss"].tolist() == [n / 2 for n in range(30)]
    assert history["acc"].dropna().to_dict() == {n: n for n in range(30) if n != 4}
    other = [row.replace(",best", ".5,best") for row in rows]
    with pytest.raises(NotMine, match="column 'mode' tells 2 kinds of rows apart"):
        read(csv_any, {"a.csv": head + "".join(other)})
    both = "".join(
        f"{n},{mode},{metric},{n}\n"
        for n in range(9) for mode in ("train", "val") for metric in ("loss", "acc")
    )  # fmt: skip
    with pytest.raises(NotMine, match="column 'mode' tells 2 kinds of rows apart"):
        read(csv_any, {"a.csv": "step,mode,metric,value\n" + both})


def test_one_name_is_that_of_a_run(read: Reader) -> None:
    """A metric would not be called so; one of several is."""
    rows = "".join(f"run-a,{n},{n / 2}\n" for n in range(5))
    (parsed,) = read(csv_any, {"a.csv": "name,step,value\n" + rows})
    assert joined(parsed).history.to_dict("list") == {"value": [n / 2 for n in range(5)]}
    assert "5 values that were no number were left out (name)" in said(parsed)
    (parsed,) = read(csv_any, {"a.csv": f"name,step,value\n{rows}acc,4,0.5\n"})
    history = joined(parsed).history
    assert history["run-a"].tolist() == [n / 2 for n in range(5)]
    assert history["acc"].dropna().to_dict() == {4: 0.5}


def test_text_of_a_large_table_is_not_read(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take too much memory; a value whose name is not read is no metric."""
    rows = "".join(f"{n},train,{n / 2},0.1\n" for n in range(9))
    long = "".join(f"{n},{name},{n / 2}\n" for n in range(5) for name in ("loss", "acc"))
    monkeypatch.setattr(long_tables, "ROWS", 9)
    (parsed,) = read(csv_any, {"a.csv": "step,mode,loss,lr\n" + rows})
    assert "not read" not in said(parsed)
    with pytest.raises(NotMine, match="column 'tag' names a metric for each of more than 9 rows"):
        read(csv_any, {"a.csv": "step,tag,value\n" + long})
    monkeypatch.setattr(long_tables, "ROWS", 8)
    asked: list[object] = []
    read_rows = delimited.read_rows
    monkeypatch.setattr(
        delimited, "read_rows", lambda *at, **by: asked.append(by) or read_rows(*at, **by)
    )
    (parsed,) = read(csv_any, {"a.csv": "step,mode,loss,lr\n" + rows})
    history = joined(parsed).history
    assert history["loss"].tolist() == [n / 2 for n in range(9)]
    assert history["lr"].tolist() == [0.1] * 9
    assert asked == [{}]
    assert "1 column of text was not read since there are more than 8 rows, so" in said(parsed)
