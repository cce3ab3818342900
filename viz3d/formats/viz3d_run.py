"""viz3d's own run folder: run.json, metrics and layers as JSON lines or Parquet parts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from viz3d.errors import NotMine
from viz3d.formats import text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.layers import long_layers
from viz3d.formats.parse import parse_table
from viz3d.formats.run_manifest import KINDS, MANIFEST, Packed, read_manifest
from viz3d.formats.run_parts import Parts
from viz3d.formats.tally import Tally

NAME = "viz3d run"
NAMES: tuple[str, ...] = (
    "run.json", MANIFEST, "metrics.jsonl", "layers.jsonl", "part-*.jsonl", "part-*.parquet",
    "packed-*.parquet",
)  # fmt: skip

NO_NORMS = (
    "{n} row{|s} of layers {was|were} left out, since none has both a step and a gradient norm."
)

_FILE = re.compile(
    r"(?:(?P<run>.*)/)?(?:run\.json|(?P<manifest>manifest\.json)|(?:metrics|layers)\.jsonl"
    r"|(?:metrics|layers)/(?:part-\d+\.(?:jsonl|parquet)|packed-[0-9a-f]{16}\.parquet))"
)


def claim(path: str) -> Claim | None:
    """Claim the files of a run folder for that folder."""
    match = _FILE.fullmatch(path)
    # Many programs have a manifest.json.
    return Claim(match["run"] or "", beside=bool(match["manifest"])) if match else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read a run folder: its rows, its layers, its description.

    Raises
    ------
    NotMine
        If there is neither a run.json of ours nor a row.
    """
    entries, told = _read_manifests(files)
    parts = {kind: Parts(kind, files, entries.get(kind, ())) for kind in KINDS}
    pieces = [_read_kind(kind, found) for kind, found in parts.items() if found.names]
    notes = [_read_notes(name, path) for name, path in files.items() if name.endswith("run.json")]
    if not pieces and not any(note.used for note in notes):
        raise NotMine("it does not hold a run of viz3d")
    return [*pieces, *notes, *told]


def _read_manifests(
    files: Mapping[str, Path],
) -> tuple[dict[str, tuple[Packed, ...]], list[Parsed]]:
    """Return what the manifest says, and what has to be said of it."""
    for name, path in files.items():
        if name.endswith(MANIFEST):
            tally = Tally(name)
            entries: dict[str, tuple[Packed, ...]] = {}
            try:
                entries = read_manifest(path)
            except NotMine as reason:
                tally.add(f"The file was not used: {reason}. The original parts were read.")
            return entries, [Parsed(problems=tally.problems(), used=(name,))]
    return {}, []


def _read_kind(kind: str, parts: Parts) -> Parsed:
    tally = Tally(parts.names[0])
    table = parts.read(tally)
    if kind == "metrics":
        parsed = parse_table(table, tally)
        return Parsed(rows=parsed.rows, layers=parsed.layers, problems=parsed.problems,
                      used=parts.names)  # fmt: skip
    known = {"step", "grad_norm"} <= set(table.columns)
    layers = long_layers(table, tally) if known else None
    if table.n and not known:
        tally.add(NO_NORMS, count=table.n)
    return Parsed(layers=layers, problems=tally.problems(), used=parts.names)


def _read_notes(name: str, path: Path) -> Parsed:
    """Read run.json; a run without a readable one is still a run."""
    tally = Tally(name)
    try:
        text.check(path, "CONFIG_BYTES")
        notes: Any = json.loads(path.read_text(encoding="utf-8-sig"))
        config = notes.get("config", {})
        if not isinstance(config, dict):
            raise TypeError
    except (NotMine, OSError) as error:
        reason = str(error) if isinstance(error, NotMine) else "it cannot be read"
        tally.add(f"The run has no config: {reason}.")
    except (ValueError, RecursionError, AttributeError, TypeError):
        tally.add("It is no JSON object with a config, so the run has none.")
    else:
        return Parsed(config=config, used=(name,))
    return Parsed(problems=tally.problems())
