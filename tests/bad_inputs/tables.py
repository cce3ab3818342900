"""I39 to I44: CSV: ragged, unclosed, separated otherwise, without names, full of formulas."""

from __future__ import annotations

import math
from pathlib import Path

from tests.bad_inputs.case import LOSS, bad, write

LARGE = {"loss": {0: 3.0, 2: 1.0}}


def table(folder: Path, *rows: str, end: str = "\n", name: str = "log.csv") -> None:
    write(folder, name, "".join(row + end for row in rows))


@bad("I39", r"log.csv:3: 2 rows with another number of cells", line=3, read=LOSS)
def ragged(folder: Path) -> None:
    table(folder, "step,loss", "0,3", "1", "1,2,9", "2,1")


@bad("I40", r"log.csv:3: 1 row in which a quote is not closed", line=3,
     read={"loss": {0: 3.0, 1: 2.0, 2: 1.0}})  # fmt: skip
def quote_not_closed(folder: Path) -> None:
    table(folder, "step,loss,note", "0,3,ok", '1,2,"it broke', "2,1,ok")


@bad("I40", r"log.csv:3: 1 row in which a quote is not closed", r"log.csv:3: 1 row with another",
     line=3, read=LOSS)  # fmt: skip
def quote_opens_a_number(folder: Path) -> None:
    table(folder, "step,loss,lr", "0,3,", '1,"2,9', "2,1,")


@bad("I41", r"decimal comma", read={"loss": {0: 3.5, 2: 1.25}, "lr": {0: 0.1, 2: 0.2}})
def semicolons_and_decimal_commas(folder: Path) -> None:
    table(folder, "step;loss;lr", "0;3,5;0,1", "2;1,25;0,2")


@bad("I41", read={**LOSS, "lr": {0: 0.1, 2: 0.2}})
def tabs(folder: Path) -> None:
    table(folder, "step\tloss\tlr", "0\t3\t0.1", "2\t1\t0.2")


@bad("I41", read={**LOSS, "lr": {0: 0.1, 2: 0.2}})
def semicolons(folder: Path) -> None:
    table(folder, "step;loss;lr", "0;3;0.1", "2;1;0.2", end="\r\n")


@bad("I42", r"There is no header, so the columns are called col_1",
     read={"col_1": {0: 0.0, 1: 2.0}, "col_2": {0: 3.0, 1: 1.0}})  # fmt: skip
def no_header(folder: Path) -> None:
    table(folder, "0,3", "2,1")


@bad(
    "I42",
    r"1 column name stood twice in the header \(loss\)",
    read={**LOSS, "loss (2)": {0: 9.0, 2: 8.0}},
)
def header_twice(folder: Path) -> None:
    table(folder, "step,loss,loss", "0,3,9", "2,1,8")


@bad("I42", r"beyond the first 2,000",
     read={f"c{at}": {0: float(at)} for at in range(1999)})  # fmt: skip
def ten_thousand_columns(folder: Path) -> None:
    names = ["step", *(f"c{at}" for at in range(9_999))]
    table(folder, ",".join(names), ",".join(["0", *map(str, range(9_999))]))


@bad("I43", r"4 values that were no number were left out \(note\)", read=LOSS)
def formulas(folder: Path) -> None:
    cells = ("=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)")
    rows = (f"{step},{loss},{cell}" for (step, loss), cell in
            zip(((0, 3), (2, 1), (2, 1), (2, 1)), cells, strict=True))  # fmt: skip
    table(folder, "step,loss,note", *rows)


@bad("I44", read={"loss": {0: 3.0, 2: 1.0, 3: -math.inf, 4: math.inf}, "n": {0: 1e30, 2: 7.0}})
def large_and_infinite(folder: Path) -> None:
    table(folder, "step,loss,n", f"0,3,{10**30}", "2,1,7", "3,-inf,", "4,1e400,")


@bad("I39", r"no rows in it yet")
def header_alone(folder: Path) -> None:
    table(folder, "step,loss")
