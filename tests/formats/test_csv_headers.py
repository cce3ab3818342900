"""Further headers in a CSV, and rows that are none."""

from __future__ import annotations

import pytest

from viz3d.errors import NotMine
from viz3d.formats import csv_any, text

from .conftest import Reader, joined, said


@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
@pytest.mark.parametrize(
    "again", [",step,lr,loss", "step,lr,val,loss", "\ufeffstep,lr", ",lr,step,loss"]
)
def test_what_is_below_another_header_goes_by_its_names(
    read: Reader, monkeypatch: pytest.MonkeyPatch, again: str, size: int
) -> None:
    """A log that is appended to may have other columns then, or the same in another order."""
    value = {"": 0, "step": 0, "loss": 0.25, "lr": 0.5, "val": 0.75}
    head, wanted, lines = ",step,loss,lr", {}, []
    for header, steps in ((head, (0, 1, 2)), (again, (3, 4, 5, 6)), (head, (7, 8)), (head, (9,))):
        names = header.strip("\ufeff").split(",")
        rows = [[step + value[name] for name in names] for step in steps]
        lines += [header, *(",".join(map(str, row)) for row in rows)]
        wanted |= {(step, name): step + value[name] for name in names for step in steps}
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    (parsed,) = read(csv_any, {"a.csv": "\n".join(lines) + "\n"})
    history = joined(parsed).history
    for name in ("loss", "lr", "val"):
        found = history[name].dropna().to_dict() if name in history else {}
        assert found == {step: number for (step, of), number in wanted.items() if of == name}
    told = [(problem.line, problem.what.partition(" ")[2][:15]) for problem in parsed.problems[:2]]
    assert told == [(5, "further headers"), (13, "further line th")]


def test_a_header_may_stand_below_without_a_step(read: Reader) -> None:
    """What has the names of the first one is one; what has not is a row of text."""
    (parsed,) = read(csv_any, {"a.csv": "loss,lr\n3,1\nlr,loss\n2,4\nloss,none of them\n6,3\n"})
    assert joined(parsed).history.to_dict("list")["loss"][:2] == [3.0, 4.0]
    assert "1 further header" in said(parsed)


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("step,event,loss", "end,of,epoch"),
        ("step,event,loss", "step,step,step"),
        ("step,event,loss", "epoch"),
        ("step,event,loss", "step"),
        ("step,event,loss", "begin,,step,of"),
        ("epoch,global_step,loss", "end,of,epoch"),
        ("epoch,event,loss", "at,each,step"),
        ("epoch,event,loss", "step,ended"),
        ("step,event,loss", "steps,text,nats"),
    ],
)
@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
def test_words_among_the_rows_are_no_header(
    read: Reader, monkeypatch: pytest.MonkeyPatch, head: str, row: str, size: int
) -> None:
    """It names the step as the one before it does, and each column once."""
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    rows = [f"{step},{step},{step / 2}" for step in range(9)]
    (parsed,) = read(csv_any, {"a.csv": "\n".join([head, *rows[:5], row, *rows[5:]]) + "\n"})
    assert joined(parsed).history["loss"].dropna().tolist() == [step / 2 for step in range(9)]
    assert "further header" not in said(parsed)
    assert parsed.problems[0].line == 7


@pytest.mark.parametrize(
    ("head", "again", "wanted"),
    [
        ("epoch,loss,acc", "step,lr,loss", {n: {"lr": 10 * n, "loss": 100 * n} for n in (3, 4)}),
        ("epoch,Loss,acc", "step,acc,loss", {n: {"acc": 10 * n, "Loss": 100 * n} for n in (3, 4)}),
        ("epoch,loss,acc", "lr,step,Loss",
         {10 * n: {"lr": n, "loss": 100 * n} for n in (3, 4)}),
        ("epoch,step,loss", "epoch,loss,acc",
         {10 * n: {"epoch": n, "loss": 100 * n} for n in (1, 2)}),
        ("iter,loss", "step,lr", {3: {"lr": 30}, 4: {"lr": 40}}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
def test_a_header_with_another_step_is_one(
    read: Reader,
    monkeypatch: pytest.MonkeyPatch,
    head: str,
    again: str,
    wanted: dict[int, dict[str, float]],
    size: int,
) -> None:
    """What is below it stands under none of the names above; steps of two kinds are not mixed."""
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    rows = [",".join([f"{n}", f"{n}0", f"{n}00"][: len(head.split(","))]) for n in (1, 2, 3, 4)]
    (parsed,) = read(csv_any, {"a.csv": "\n".join([head, *rows[:2], again, *rows[2:]]) + "\n"})
    assert joined(parsed).history.to_dict("index") == wanted
    assert ":4: 1 further header with other columns was followed" in said(parsed)
    assert "2 rows without a whole number as" in said(parsed)


def test_a_step_that_is_spelled_in_another_way_goes_on(read: Reader) -> None:
    """Two columns of steps would cost the rows of one of them."""
    table = "Step,loss,lr\n0,4,0.5\nstep,lr,loss\n1,0.25,3\nstep,lr,loss\n2,0.125,2\n"
    (parsed,) = read(csv_any, {"a.csv": table})
    history = joined(parsed).history
    assert history["loss"].to_dict() == {0: 4, 1: 3, 2: 2}
    assert history["lr"].to_dict() == {0: 0.5, 1: 0.25, 2: 0.125}
    assert "1 further line that repeats the header" in said(parsed)


def test_a_header_for_each_row_is_declined(read: Reader) -> None:
    """Two writers of one file may take turns for so long."""
    with pytest.raises(NotMine, match="changes more than 200 times; write"):
        read(csv_any, {"a.csv": "step,loss\n1,2\nstep,lr\n1,2\n" * 101})


@pytest.mark.parametrize(
    ("head", "again", "wanted"),
    [
        ("epoch,loss", "Epoch,Loss,Acc", {"loss": [0, 1, 2, 3, 4], "Acc": [2, 3, 4]}),
        ("Step,Loss,LR", "step,loss,lr", {"Loss": [0, 1, 2, 3, 4], "LR": [0, 1, 2, 3, 4]}),
        ("step,loss,Loss", "step,Loss,loss", {"loss": [0, 1, 2, 3, 4], "Loss": [0, 1, 2, 3, 4]}),
        ("step,Loss", "step,loss,Loss", {"Loss": [0, 1, 2, 3, 4], "loss": [2, 3, 4]}),
        ("step,Loss,loss", "step,loss", {"Loss": [0, 1], "loss": [0, 1, 2, 3, 4]}),
        ("step,Loss", "step,loss,LOSS", {"Loss": [0, 1, 2, 3, 4], "LOSS": [2, 3, 4]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
def test_a_metric_that_is_spelled_in_another_way_goes_on(
    read: Reader,
    monkeypatch: pytest.MonkeyPatch,
    head: str,
    again: str,
    wanted: dict[str, list[float]],
    size: int,
) -> None:
    """A column is one series; two that differ in case alone stay two."""
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    parts = [(head, (0, 1)), (again, (2, 3, 4))]
    table = "".join(
        f"{names}\n" + "".join(",".join([f"{n}"] * len(names.split(","))) + "\n" for n in steps)
        for names, steps in parts
    )
    (parsed,) = read(csv_any, {"a.csv": table})
    history = joined(parsed).history
    assert {name: history[name].dropna().tolist() for name in history} == wanted


@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
@pytest.mark.parametrize(
    ("head", "below"),
    [
        ("epoch,loss,acc", "Epoch,Cross entropy,Top-1"),
        ("iter,loss,lr", "iterations,nats,per step"),
        ("# by hand\nepoch,loss,lr", "Epoch,nats,-"),
    ],
)
def test_titles_and_units_below_a_header_are_text(
    read: Reader, monkeypatch: pytest.MonkeyPatch, head: str, below: str, size: int
) -> None:
    """The names stay those of the header; so it is below a later one."""
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    step, loss, other = head.rpartition("\n")[2].split(",")
    rows = [f"{n},{n / 2},{n / 4}" for n in range(4)]
    (parsed,) = read(csv_any, {"a.csv": "\n".join([head, below, *rows]) + "\n"})
    history = joined(parsed).history
    assert history.to_dict("list") == {loss: [0, 0.5, 1, 1.5], other: [0, 0.25, 0.5, 0.75]}
    assert "further header" not in said(parsed)
    later = [f"{step},val,{loss}", below, *(f"{n},{n},{n / 2}" for n in range(4, 7))]
    (parsed,) = read(csv_any, {"b.csv": "\n".join([head, *rows, *later]) + "\n"})
    history = joined(parsed).history
    assert history[loss].tolist() == [n / 2 for n in range(7)]
    assert history["val"].dropna().to_dict() == {n: n for n in range(4, 7)}
    assert "1 further header with" in said(parsed)
