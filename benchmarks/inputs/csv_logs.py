"""Logs as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from benchmarks.inputs.writing import METRICS, drawn, fill, headed, rows

# What stands behind the step; so many different ones that nothing shrinks.
TAILS = [
    "".join(f",{drawn(97 * tail + at):.15g}" for at in range(METRICS)) + "\n" for tail in range(997)
]


def csv(folder: Path, size: int) -> None:
    """Twelve metrics in each row."""
    names = ",".join(["step", *(f"metric_{at}" for at in range(METRICS))]) + "\n"
    fill(folder / "log.csv", size, headed(names, csv_lines(count())))


def csv_lines(steps: Iterable[int]) -> Iterator[bytes]:
    """Yield rows of twelve metrics."""
    for step in steps:
        yield f"{step}{TAILS[step % 997]}".encode()


def csv_lightning(folder: Path, size: int) -> None:
    """Lightning's metrics.csv: training and validation in rows of their own, most cells empty."""
    names = "epoch,lr,step,train_loss,train_acc,val_loss,val_acc\n"
    train = rows("%d,0.001,%d,%.15g,%.15g,,\n", lambda at: at // 100, lambda at: at, drawn, drawn)
    val = rows("%d,,%d,,,%.15g,%.15g\n", lambda at: at // 100, lambda at: at, drawn, drawn)
    both = (line for pair in zip(train, val, strict=True) for line in pair)
    fill(folder / "metrics.csv", size, headed(names, both))


def csv_sparse(folder: Path, size: int) -> None:
    """Each row fills another one of a hundred columns."""
    names = ",".join(["step", *(f"metric_{at}" for at in range(100))]) + "\n"
    lines = (f"{at}{',' * (at % 100 + 1)}1.5{',' * (99 - at % 100)}\n" for at in count())
    fill(folder / "log.csv", size, headed(names, map(str.encode, lines)))
