"""What neptune-exporter writes: Parquet parts with a row per value, of one run or several.

Source: the README of neptune-ai/neptune-exporter. The files lie in a folder per project and are
called ``RUN-DIGEST_part_N.parquet``; those of its first versions ``part_N.parquet``.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from viz3d.errors import NotMine
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.neptune_part import read_part
from viz3d.formats.neptune_room import NeptuneRoom
from viz3d.formats.neptune_run import Key, NeptuneRun, to_parsed
from viz3d.formats.neptune_schema import fits
from viz3d.formats.parquet import opened
from viz3d.formats.remedies import parted
from viz3d.formats.tally import Tally
from viz3d.run import Problem

NAME = "Neptune export"
NAMES: tuple[str, ...] = ("*part_[0-9]*.parquet",)

_FILE = re.compile(r"((?:.*/)?)(?:([^/]+-[0-9a-f]{16})_)?part_([0-9]+)\.parquet")

MISSING = "{n} part{|s} {is|are} missing; what {it|they} held was not read."


def claim(path: str) -> Claim | None:
    """Claim the parts of a run for that run, and those without its name for their folder."""
    match = _FILE.fullmatch(path)
    return Claim((match[1] + (match[2] or "")).rstrip("/")) if match else None


def holds(path: Path) -> bool:
    """Say whether a file has the columns of such an export.

    Raises
    ------
    NotMine
        If it is no Parquet file.
    """
    with opened(path) as file:
        return fits(file.schema_arrow)


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read the parts; series of numbers become the history, single values the config.

    Raises
    ------
    NotMine
        If none of them is such an export.
    """
    runs: dict[Key, NeptuneRun] = defaultdict(NeptuneRun)
    tally, room = Tally(next(iter(files))), NeptuneRoom()
    reasons: dict[str, str] = {}
    for name in sorted(files, key=_number):
        of_file = Tally(name)
        try:
            read_part(files[name], runs, of_file, room)
        except (NotMine, OSError) as error:
            reasons[name] = str(error) if isinstance(error, NotMine) else "it cannot be read"
        else:
            tally.take(of_file)
    if len(reasons) == len(files):
        raise NotMine("; ".join(dict.fromkeys(reasons.values())))
    numbers = {_number(name) for name in files}
    if missing := max(numbers) + 1 - len(numbers):
        tally.add(MISSING, count=missing)
    told = [
        Problem(*parted(f"The part was left out: {why}."), name) for name, why in reasons.items()
    ]
    used = tuple(name for name in files if name not in reasons)
    pieces = [
        to_parsed(run, used, name) for run, name in zip(runs.values(), _names(runs), strict=True)
    ]
    first = Parsed(
        problems=(*tally.problems(), *told), used=used, name=pieces[0].name if pieces else ""
    )
    return [first, *pieces]


def _names(keys: Collection[Key]) -> list[str]:
    """Return the id of each run, with its project where others have it too; empty for one run."""
    times = Counter(run for _, run in keys)
    if times.total() == 1:
        return [""]
    return [run if times[run] == 1 else f"{project}/{run}" for project, run in keys]


def _number(name: str) -> int:
    match = _FILE.fullmatch(name)
    return int(match[3]) if match else 0
