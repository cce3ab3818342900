"""Offline runs of W&B."""

# ruff: noqa: D401 - of an input the docstring says what it is
from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.inputs.writing import METRICS, drawn, fill


def wandb(folder: Path, size: int) -> None:
    """A run of W&B with twelve metrics in each row."""
    fill(folder / "run-abc.wandb", size, _wandb(METRICS))


def wandb_short(folder: Path, size: int) -> None:
    """A run of W&B with one metric in each row."""
    fill(folder / "run-abc.wandb", size, _wandb(1))


def wandb_sparse(folder: Path, size: int) -> None:
    """A run of W&B with another metric in each row."""
    fill(folder / "run-abc.wandb", size, _wandb(1, of=500))


def wandb_segments(folder: Path, size: int) -> None:
    """The same run in four folders, as resuming leaves it."""
    for at in range(4):
        place = folder / f"wandb/offline-run-2025010{at + 1}_000000-abc" / "run-abc.wandb"
        fill(place, size // 4, _wandb(METRICS, first=at * 10_000_000))


def _wandb(metrics: int, first: int = 0, of: int = 0) -> Iterator[bytes]:
    """Yield a log in LevelDB's framing, which parts records at the borders of blocks."""
    from tests.formats.wandb_file import BLOCK, FIRST, FULL, HEADER, LAST, MAGIC, MIDDLE, piece

    yield MAGIC
    at = len(MAGIC)
    for step in count(first):
        left, kind = _history(step, metrics, of), FULL
        while left:
            room = BLOCK - at % BLOCK
            if room < HEADER:
                yield bytes(room)
                at += room
                continue
            part, left = left[: room - HEADER], left[room - HEADER :]
            begun = kind in (FIRST, MIDDLE)
            kind = (MIDDLE if begun else FIRST) if left else (LAST if begun else FULL)
            at += HEADER + len(part)
            yield piece(kind, part)


def _history(step: int, metrics: int, of: int) -> bytes:
    """Return a record of some metrics out of several, as `tests.formats.wandb_file.row` does."""
    items = b"".join(
        _item(f"metric_{at + (step % of if of else 0)}", f"{drawn(step):.15g}")
        for at in range(metrics)
    )
    return _inside(2, items + _item("_step", str(step)) + _inside(2, b"\x08" + _varint(step)))


def _item(name: str, value: str) -> bytes:
    return _inside(1, _inside(2, name.encode()) + _inside(16, value.encode()))


def _inside(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
