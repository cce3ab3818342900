"""JSONL: one JSON object per line, with any column names."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viz3d.errors import NotMine
from viz3d.formats import limits, patterns, text
from viz3d.formats.arrow import from_arrow
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.names import is_document, suffix
from viz3d.formats.parse import parse_table
from viz3d.formats.table import Table, TableBuilder, stack
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "JSONL"
NAMES = (patterns.any_case("*.jsonl"), patterns.any_case("*.ndjson"), *patterns.JSON)

NOT_AN_OBJECT = "{n} line{|s} that {was|were} no JSON object {was|were} left out."
CUT = "The last line is cut, so it was left out (a crash, or the file is still being written)."
TOO_DEEP = f"{{n}} line{{|s}} nested deeper than {limits.DEPTH} levels {{was|were}} left out."
# Lines with more brackets than this, and heads with more keys than metrics allowed, are not for
# Arrow.
NESTED = 100
HEAD_BYTES = 64 * 1024
_KEY = re.compile(rb'"([^"\\]{1,200})"\s*:')

BOX = {"step", "data"}

TWICE = "{n} key{|s} stood twice in a line, the last one was kept ({names})."


def claim(path: str) -> Claim | None:
    """Claim ``.jsonl`` and ``.ndjson``, and ``.json`` that may hold lines."""
    wanted = suffix(path) in (".jsonl", ".ndjson", ".json") and not is_document(path)
    return Claim(path) if wanted else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file.

    Raises
    ------
    NotMine
        If no line is a JSON object, or the objects hold no numbers.
    """
    ((name, path),) = files.items()
    tally = Tally(name)
    table = read_table(path, tally)
    if not table.n and text.check(path):
        raise NotMine("no line of it is a JSON object")
    if table.n and not table.columns:
        raise NotMine("its JSON objects hold no numbers")
    return [parse_table(table, tally)]


def read_table(path: Path, tally: Tally, start: int = 0, stop: int | None = None) -> Table:
    """Read the good lines of a JSONL file; bad ones are counted in `tally`.

    Parameters
    ----------
    path : pathlib.Path
    tally : Tally
    start, stop : int, optional
        Bytes between which to read; by default all. Lines are counted from `start`.

    Returns
    -------
    Table

    Raises
    ------
    NotMine
        If the file is no UTF-8 text or too large.
    """
    text.check(path)
    tables = [
        read_fast(block, tally) or _read_lines(block, first, tally)
        for first, block in text.blocks(path, tally, start, stop)
        if block.strip()
    ]
    return stack(tables, tally)


def read_fast(block: bytes, tally: Tally) -> Table | None:
    """Read whole lines with Arrow, or return None where anything in them needs a closer look."""
    import pyarrow as pa
    import pyarrow.json as pj

    n_lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if not _suits_arrow(block, n_lines):
        return None
    try:
        arrow = pj.read_json(
            pa.BufferReader(block), pj.ReadOptions(use_threads=False, block_size=len(block) + 1)
        )
        # Arrow also takes two objects on one line; those are not rows of a log.
        if arrow.num_rows == n_lines:
            return from_arrow(_unboxed(arrow), tally)
    except (pa.ArrowException, UnicodeDecodeError):
        pass
    return None


def _unboxed(arrow: pa.Table) -> pa.Table:
    """Take the metrics out of verl's box, ``{"step": 3, "data": {"actor/lr": …}}``.

    The box is no part of their names, and may hold more of them than a group of metrics does.
    """
    import pyarrow as pa

    if set(arrow.column_names) != BOX or not pa.types.is_struct(arrow.schema.field("data").type):
        return arrow
    opened = arrow.select(["data"]).flatten()
    names = [name.removeprefix("data.") for name in opened.column_names]
    if "step" in names:
        return arrow
    return opened.rename_columns(names).append_column("step", arrow["step"])


def _suits_arrow(block: bytes, n_lines: int) -> bool:
    """Say whether Arrow can parse a block in reasonable time, or at all.

    Measured: it dies of a line nested 30,000 deep and of a first line ``null``, takes a later
    ``null`` for a row, and takes half a minute for 20,000 columns.
    """
    if block.startswith(b"{") + block.count(b"\n{") < n_lines:
        return False
    openers = block.count(b"{") + block.count(b"[")
    if openers > n_lines + NESTED and _most_openers(block) > NESTED:
        return False
    return len(set(_KEY.findall(block[:HEAD_BYTES]))) <= limits.METRICS


def _most_openers(block: bytes) -> int:
    """Return the largest number of opening brackets in one line, which bounds its depth."""
    import numpy as np

    chars = np.frombuffer(block + b"\n", dtype=np.uint8)
    opened = np.cumsum((chars == ord("{")) | (chars == ord("[")))
    return int(np.diff(opened[chars == ord("\n")], prepend=0).max())


def _read_lines(block: bytes, first: int, tally: Tally) -> Table:
    builder = TableBuilder(tally)
    whole = block.endswith(b"\n")
    rows = block.split(b"\n")
    for number, line in enumerate(rows, start=first):
        for part in line.split(b"\r"):
            if not part.strip():
                continue
            record = _parse_line(
                part, number, tally, last=not whole and number == first + len(rows) - 1
            )
            if record is not None:
                boxed = record.keys() == BOX and isinstance(record["data"], dict)
                if boxed and "step" not in record["data"]:
                    record = {**record["data"], "step": record["step"]}
                builder.add(record, number)
    return builder.table()


def _parse_line(line: bytes, number: int, tally: Tally, *, last: bool) -> dict[str, Any] | None:
    if len(line) > limits.LINE_BYTES:
        tally.add(text.LONG_LINE, line=number)
        return None
    repeated: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) < len(pairs):
            times = Counter(key for key, _ in pairs)
            repeated.extend(key for key, count in times.items() if count > 1)
        return record

    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=collect)
    except ValueError:
        tally.add(CUT if last else NOT_AN_OBJECT, line=number)
        return None
    except RecursionError:
        tally.add(TOO_DEEP, line=number)
        return None
    if not isinstance(record, dict):
        tally.add(NOT_AN_OBJECT, line=number)
        return None
    for key in repeated:
        tally.add(TWICE, line=number, name=key)
    return record
