"""Files of a size, written piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

# In a row where nothing else is said.
METRICS = 12


def fill(path: Path, size: int, pieces: Iterator[bytes]) -> None:
    """Write pieces until the file has that size, a megabyte or so at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb", buffering=1 << 20) as file:
        written = 0
        for piece in pieces:
            if (written := written + len(piece)) > size:
                break
            file.write(piece)


def rows(line: str, *values: Callable[[int], object], first: int = 0) -> Iterator[bytes]:
    """Yield ``line % values(step)`` for one step after the other."""
    for step in count(first):
        yield (line % tuple(value(step) for value in values)).encode()


def drawn(step: int) -> float:
    """Return a number of many digits."""
    return (step * 2654435761 % 4294967291) / 1e9 + 0.1


def headed(head: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a first line and those that follow it."""
    yield head.encode()
    yield from lines
