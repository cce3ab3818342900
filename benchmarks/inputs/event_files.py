"""Event files of TensorBoard."""

# ruff: noqa: D401 - of an input the docstring says what it is
from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.inputs.writing import fill


def events(folder: Path, size: int) -> None:
    """One scalar in each event."""
    fill(folder / "run/events.out.tfevents.1.host.1.0", size, scalars(1, 1))


def events_sparse(folder: Path, size: int) -> None:
    """Another one of 2,000 tags at each step."""
    fill(folder / "run/events.out.tfevents.1.host.1.0", size, scalars(1, 2000))


def events_many(folder: Path, size: int) -> None:
    """The same run in 50 files."""
    for at in range(50):
        name = f"run/events.out.tfevents.{at + 1}.host.1.0"
        fill(folder / name, size // 50, scalars(at * 10_000_000, 12))


def events_large(folder: Path, size: int) -> None:
    """Records of 60 MiB each."""
    from tests.formats.events import inside, record, simple, whole

    value = simple("loss", 1.0) + inside(99, bytes(60 << 20))
    fill(folder / "run/events.out.tfevents.1.host.1.0", size,
         (record(whole(2, step) + inside(5, inside(1, value))) for step in count()))  # fmt: skip


def scalars(first: int, tags: int) -> Iterator[bytes]:
    """Yield events of one scalar each, of so many tags in turn."""
    from tests.formats.events import event, simple

    for step in count(first):
        yield event(step, simple(f"metric_{step % tags}", 1.5), time=float(step))
