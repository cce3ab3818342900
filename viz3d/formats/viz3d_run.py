"""viz3d's own run folder: run.json, metrics and layers as JSON lines or Parquet parts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from viz3d.errors import NotMine
from viz3d.formats import jsonl, parquet, text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.layers import long_layers
from viz3d.formats.limits import CONFIG_BYTES
from viz3d.formats.parse import parse_table
from viz3d.formats.table import Table, stack
from viz3d.formats.tally import Tally

NAME = "viz3d run"
NAMES: tuple[str, ...] = ("run.json", "metrics.jsonl", "layers.jsonl", "part-*.parquet")

_FILE = re.compile(
    r"(?:(?P<run>.*)/)?(?:run\.json|(?:metrics|layers)\.jsonl"
    r"|(?:metrics|layers)/part-\d+\.(?:jsonl|parquet))"
)


def claim(path: str) -> Claim | None:
    """Claim the files of a run folder for that folder."""
    match = _FILE.fullmatch(path)
    return Claim(match["run"] or "") if match else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read a run folder.

    Parts are read in the order of their numbers and before the JSON lines, which hold what was
    logged since.

    Raises
    ------
    NotMine
        If there is neither a run.json of ours nor a row.
    """
    pieces = []
    for kind in ("metrics", "layers"):
        names = sorted(name for name in files if f"{kind}/part-" in name or f"{kind}.jsonl" in name)
        names.sort(key=lambda name: name.endswith(".jsonl"))
        if names:
            pieces.append(_read_kind(kind, {name: files[name] for name in names}))
    notes = [_read_notes(name, path) for name, path in files.items() if name.endswith("run.json")]
    if not pieces and not any(note.used for note in notes):
        raise NotMine("its run.json does not hold a run of viz3d")
    return [*pieces, *notes]


def _read_kind(kind: str, files: Mapping[str, Path]) -> Parsed:
    tally = Tally(next(iter(files)))
    tables: list[Table] = []
    for name, path in files.items():
        of_file = Tally(name)
        read_table = parquet.read_table if name.endswith(".parquet") else jsonl.read_table
        try:
            tables.append(read_table(path, of_file))
        except NotMine as reason:
            of_file.add(f"The file was left out: {reason}.")
        tally.take(of_file)
    table = stack(tables, tally)
    if kind == "metrics":
        parsed = parse_table(table, tally)
        return Parsed(rows=parsed.rows, layers=parsed.layers, problems=parsed.problems,
                      used=tuple(files))  # fmt: skip
    known = {"step", "grad_norm"} <= set(table.columns)
    layers = long_layers(table, tally) if known else None
    return Parsed(layers=layers, problems=tally.problems(), used=tuple(files))


def _read_notes(name: str, path: Path) -> Parsed:
    """Read run.json; a run without a readable one is still a run."""
    tally = Tally(name)
    try:
        text.check(path, CONFIG_BYTES)
        notes: Any = json.loads(path.read_text(encoding="utf-8-sig"))
        config = notes.get("config", {})
        if not isinstance(config, dict):
            raise TypeError
    except (NotMine, ValueError, RecursionError, AttributeError, TypeError, OSError):
        tally.add("It is no JSON object with a config, so the run has none.")
        return Parsed(problems=tally.problems())
    return Parsed(config=config, used=(name,))
