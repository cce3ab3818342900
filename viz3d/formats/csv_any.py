"""CSV with any column names, long per-layer tables included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.delimited import read_table
from viz3d.formats.names import suffix
from viz3d.formats.parse import parse_table
from viz3d.formats.patterns import any_case
from viz3d.formats.tally import Tally

NAME = "CSV"
KIND = "CSV"
NAMES = tuple(any_case(name) for name in ("*.csv", "*.tsv"))


def claim(path: str) -> Claim | None:
    """Claim ``.csv`` and ``.tsv``."""
    return Claim(path) if suffix(path) in (".csv", ".tsv") else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file.

    Raises
    ------
    NotMine
        If it has no column of numbers, or a single one.
    """
    ((name, path),) = files.items()
    tally = Tally(name)
    table = read_table(path, tally)
    if len(table.columns) == 1 and table.n and not table.labels:
        raise NotMine("it has a single column of numbers")
    return [parse_table(table, tally)]
