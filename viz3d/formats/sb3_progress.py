"""Stable-Baselines3's ``progress.csv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.delimited import read_table
from viz3d.formats.names import file_name, folder
from viz3d.formats.parse import parse_table
from viz3d.formats.tally import Tally

NAME = "Stable-Baselines3"
NAMES: tuple[str, ...] = ("progress.csv",)

STEP_NAMES = ("time/total_timesteps", "total_timesteps", "time/total timesteps")


def claim(path: str) -> Claim | None:
    """Claim ``progress.csv`` for its folder."""
    return Claim(folder(path)) if file_name(path) in NAMES else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file; the step is the number of environment steps.

    Raises
    ------
    NotMine
        If there is no column of environment steps.
    """
    ((name, path),) = files.items()
    tally = Tally(name)
    table = read_table(path, tally)
    if not any(column in table.columns for column in STEP_NAMES):
        raise NotMine(f"it has no column {STEP_NAMES[0]!r}")
    return [parse_table(table, tally, step_names=STEP_NAMES)]
