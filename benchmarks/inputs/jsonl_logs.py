"""Logs of JSON lines."""

# ruff: noqa: D401 - of an input the docstring says what it is
from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from itertools import chain, count, cycle
from pathlib import Path

from benchmarks.inputs.writing import METRICS, drawn, fill, rows

# What stands behind the step; so many different ones that nothing shrinks.
TAILS = [
    ", ".join(f'"metric_{at}": {drawn(97 * tail + at):.15g}' for at in range(METRICS)) + "}\n"
    for tail in range(997)
]


def dense(steps: Iterable[int]) -> Iterator[bytes]:
    """Yield JSON lines of twelve metrics."""
    for step in steps:
        yield f'{{"step": {step}, {TAILS[step % 997]}'.encode()


def jsonl(folder: Path, size: int) -> None:
    """Twelve metrics in each row."""
    fill(folder / "log.jsonl", size, dense(count()))


def jsonl_restart(folder: Path, size: int) -> None:
    """The same, but that the run went back to a tenth of its way."""
    n = size // 330
    fill(folder / "log.jsonl", size, dense(chain(range(n // 2), range(n // 20, n))))


def jsonl_from_0(folder: Path, size: int) -> None:
    """The same, but that the run began anew in the middle, which leaves two attempts."""
    n = size // 330
    fill(folder / "log.jsonl", size, dense(chain(range(n // 2), range(n))))


def jsonl_sparse(folder: Path, size: int) -> None:
    """Each row has another one of a hundred metrics."""
    fill(folder / "log.jsonl", size, rows('{"step": %d, "metric_%d": %.6g}\n',
         lambda step: step, lambda step: step % 100, drawn))  # fmt: skip


def jsonl_turns(folder: Path, size: int) -> None:
    """A thousand metrics at even steps, a thousand others at odd ones."""
    halves = [", ".join(f'"m{at}": 1.5' for at in range(half, half + 1000)) for half in (0, 1000)]
    lines = (f'{{"step": {step}, {half}}}\n' for step, half in zip(count(), cycle(halves)))
    fill(folder / "log.jsonl", size, map(str.encode, lines))


def jsonl_layers(folder: Path, size: int) -> None:
    """Gradient norms of a hundred layers in each row."""
    norms = ", ".join(f'"grad_norm/layers.{at}": %.6g' for at in range(100))
    fill(folder / "log.jsonl", size, rows(f'{{"step": %d, "loss": 2.5, {norms}}}\n',
         lambda step: step, *[drawn] * 100))  # fmt: skip


def jsonl_long_layers(folder: Path, size: int) -> None:
    """One layer at one step in each row."""
    fill(folder / "log.jsonl", size, rows('{"step": %d, "layer": "h.%d", "grad_norm": %.6g}\n',
         lambda at: at // 100, lambda at: at % 100, drawn))  # fmt: skip


def jsonl_nan(folder: Path, size: int) -> None:
    """NaN in each row, which Arrow does not read, and each of them is a fact to keep."""
    fill(folder / "log.jsonl", size, rows('{"step": %d, "loss": NaN, "lr": 0.1}\n', lambda at: at))


def jsonl_long_line(folder: Path, size: int) -> None:
    """One line, most of it a hole."""
    with (folder / "log.jsonl").open("wb") as file:
        file.write(b'{"step": 0, "loss": 3}\n{"step": 1, "a": "')
        file.seek(size - 100)
        file.write(b'"}\n{"step": 2, "loss": 2}\n')


def jsonl_too_large(folder: Path, size: int) -> None:
    """A byte more than a log may have."""
    with (folder / "log.jsonl").open("wb") as file:
        file.write(b'{"step": 0, "loss": 3}\n')
        file.seek(1 << 30)
        file.write(b"\n")


def gz(folder: Path, size: int) -> None:
    """Compressed JSON lines that unfold to the size."""
    import gzip

    jsonl(folder, size)
    with (
        (folder / "log.jsonl").open("rb") as plain,
        gzip.open(folder / "log.jsonl.gz", "wb", compresslevel=1) as file,
    ):
        shutil.copyfileobj(plain, file)
    (folder / "log.jsonl").unlink()
