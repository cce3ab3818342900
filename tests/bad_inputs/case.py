"""What a bad input is: who makes it, what must be read of it all the same, what must be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Make = Callable[[Path], None]
Values = Mapping[str, Mapping[int, float]]

LOG = "log.jsonl"
LOSS: Values = {"loss": {0: 3.0, 2: 1.0}}
"""Of the two good lines `GOOD`."""
GOOD = (b'{"step": 0, "loss": 3}', b'{"step": 2, "loss": 1}')


@dataclass(frozen=True)
class Bad:
    """One bad input.

    Attributes
    ----------
    id : str
        ``"I3"``.
    name : str
        Of the run's folder: the id and what it is.
    make : callable
        Writes the files into an empty folder.
    told : tuple of str
        Regular expressions; each must match what the user is told of the run, a problem with its
        file, its line and its remedy.
    line : int or None
        At which the first of `told` must point.
    read : mapping of {metric: {step: value}}
        The finite and infinite values of the history: these and no others.
    nan : mapping of {metric: steps}
        Where a NaN was really logged.
    refused : str
        Set where nothing can be read: what the error must say.
    listed : bool
        False where no run may be listed.
    """

    id: str
    name: str
    make: Make
    told: tuple[str, ...] = ()
    line: int | None = None
    read: Values = field(default_factory=dict)
    nan: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    refused: str = ""
    listed: bool = True


CASES: list[Bad] = []


def bad(
    of: str, *told: str, line: int | None = None, read: Values | None = None,
    nan: Mapping[str, tuple[int, ...]] | None = None, refused: str = "", listed: bool = True,
) -> Callable[[Make], Make]:  # fmt: skip
    """Register the function below as the maker of a bad input; its name is part of the run's."""

    def register(make: Make) -> Make:
        name = f"{of}-{make.__name__.replace('_', '-')}"
        CASES.append(Bad(of, name, make, told, line, read or {}, nan or {}, refused, listed))
        return make

    return register


def lines(folder: Path, *rows: bytes | str, end: bytes = b"\n", name: str = LOG) -> None:
    """Write rows as lines, each with its line end."""
    raw = [row if isinstance(row, bytes) else row.encode("utf-8") for row in rows]
    write(folder, name, b"".join(row + end for row in raw))


def write(folder: Path, name: str, content: bytes | str) -> None:
    """Write one file, in a folder below where its name says so."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
