"""I15 to I24, I33 and I37: values and names that are no plain numbers under plain names."""

from __future__ import annotations

import math
from pathlib import Path

from tests.bad_inputs.case import GOOD, LOSS, bad, lines

INF = math.inf


def rows(folder: Path, *values: str) -> None:
    """Write ``x`` at the steps from 0, as the texts say, and nothing else."""
    lines(folder, *(f'{{"step": {step}, "x": {value}}}' for step, value in enumerate(values)))


@bad("I15", read={"x": {0: 1.0, 2: INF, 3: -INF, 4: 2.0}}, nan={"x": (1,)})
def not_finite(folder: Path) -> None:
    rows(folder, "1", "NaN", "Infinity", "-Infinity", "2")


@bad("I16", read={"x": {0: 1.0, 1: INF, 2: -INF}})
def beyond_float64(folder: Path) -> None:
    rows(folder, "1", "1e400", "-1e400")


@bad("I17", read={"x": {0: 1e308, 1: -1e308, 2: 5e-324, 3: -0.0}})
def extremes(folder: Path) -> None:
    rows(folder, "1e308", "-1e308", "5e-324", "-0.0")


TEXT = r"2 numbers written as text were taken as numbers \(x\)"


@bad("I18", TEXT, r"3 values that were no number were left out \(x\)", line=1,
     read={"x": {0: 0.5, 1: 1000.0, 5: 2.0}})  # fmt: skip
def numbers_as_text(folder: Path) -> None:
    rows(folder, '"0.5"', '"1e3"', '"1,5"', '"0x10"', '"1_000"', "2")


@bad("I19", read={"x": {0: 1.0, 4: 2.0}}, nan={"x": (1,)})
def gaps_as_text(folder: Path) -> None:
    rows(folder, "1", '"nan"', '"None"', '""', "2")


@bad("I20", read={"x": {0: 1.0, 2: 2.0}})
def nulls(folder: Path) -> None:
    rows(folder, "1", "null", "2")


@bad("I21", r"2 true/false values were taken as 1 and 0 \(x\)", read={"x": {0: 1.0, 1: 0.0}})
def truths(folder: Path) -> None:
    rows(folder, "true", "false")


@bad("I21", r"1 row without a whole number as 'step' was left out", read=LOSS)
def truth_as_step(folder: Path) -> None:
    lines(folder, GOOD[0], '{"step": true, "loss": 9}', GOOD[1])


@bad("I21", r"numbered from 0", read={"loss": {0: 9.0, 1: 8.0}})
def truths_as_steps(folder: Path) -> None:
    lines(folder, '{"step": true, "loss": 9}', '{"step": false, "loss": 8}')


@bad("I22", r"values? that (was|were) no number (was|were) left out \(.*list", line=None,
     read={"loss": {0: 3.0, 2: 1.0}, "a/b": {0: 1.0}})  # fmt: skip
def nested(folder: Path) -> None:
    lines(folder, '{"step": 0, "loss": 3, "a": {"b": 1, "c": {"d": 2}}, "list": [1]}', GOOD[1])


@bad("I22", r"20 values of nested objects beyond the first 100 were left out \(many\)",
     read={**LOSS, **{f"many/k{i}": {0: float(i)} for i in range(100)}})  # fmt: skip
def many_nested(folder: Path) -> None:
    inner = ", ".join(f'"k{i}": {i}' for i in range(120))
    lines(folder, f'{{"step": 0, "loss": 3, "many": {{{inner}}}}}', GOOD[1])


@bad("I23", r"log.jsonl:1: 1 key stood twice in a line, the last one was kept \(loss\)",
     line=1, read=LOSS)  # fmt: skip
def key_twice(folder: Path) -> None:
    lines(folder, '{"step": 0, "loss": 9, "loss": 3}', GOOD[1])


@bad(
    "I24",
    r"log.jsonl:2: 1 line with a number of thousands of digits was left out",
    line=2,
    read=LOSS,
)
def five_thousand_digits(folder: Path) -> None:
    lines(folder, GOOD[0], '{"step": 1, "loss": ' + "7" * 5000 + "}", GOOD[1])


@bad("I33", r"1 value that was no number was left out \(x\)",
     read={"x": {0: 1.0, 2: 0.25, 3: 3.0}})  # fmt: skip
def type_changes(folder: Path) -> None:
    rows(folder, "1", '"diverged"', "0.25", "3")


@bad("I37", read={name: {0: 1.0, 1: 2.0} for name in ("__proto__", "constructor", "__class__")})
def names_of_the_language(folder: Path) -> None:
    lines(folder, *(
        f'{{"step": {step}, "__proto__": {step + 1}, "constructor": {step + 1},'
        f' "__class__": {step + 1}}}' for step in (0, 1)
    ))  # fmt: skip
