"""Trials of the AlgoPerf benchmark: measurements.csv and eval_measurements.csv."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.delimited import read_table
from viz3d.formats.names import file_name, folder
from viz3d.formats.parse import parse_table
from viz3d.formats.tally import Tally

NAME = "AlgoPerf trial"

FILES = ("measurements.csv", "eval_measurements.csv")
NAMES: tuple[str, ...] = FILES
STEP = "global_step"


def claim(path: str) -> Claim | None:
    """Claim the two tables of a trial for its folder."""
    return Claim(folder(path)) if file_name(path) in FILES else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read a trial; the table of evaluations is joined to that of training.

    Raises
    ------
    NotMine
        If a table has no column of global steps.
    """
    pieces = []
    for name in sorted(files, key=lambda name: FILES.index(file_name(name))):
        tally = Tally(name)
        table = read_table(files[name], tally)
        if STEP not in table.columns:
            raise NotMine(f"{file_name(name)} has no column {STEP!r}")
        pieces.append(parse_table(table, tally, step_names=(STEP,)))
    return pieces
