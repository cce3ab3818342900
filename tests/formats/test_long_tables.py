"""Tables with a row for each metric, or for each part of the data."""

from __future__ import annotations

import pytest

from viz3d.errors import NotMine
from viz3d.formats import csv_any, delimited, limits, text

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
