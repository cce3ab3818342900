"""JSONL: one JSON object per line, with any column names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import limits, patterns, text
from viz3d.formats.arrow import from_arrow, is_unclear
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.jsonl_arrow import to_arrow
from viz3d.formats.jsonl_box import is_boxed, unboxed
from viz3d.formats.jsonl_lines import CONVERT, read_lines
from viz3d.formats.names import is_document, suffix
from viz3d.formats.parallel import in_order
from viz3d.formats.parse import parse_table
from viz3d.formats.table import Table, stack
from viz3d.formats.tally import Tally
from viz3d.run import Problem

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "JSONL"
KIND = "JSON"
NAMES = (patterns.any_case("*.jsonl"), patterns.any_case("*.ndjson"), *patterns.JSON)

HEAD_BYTES = 64 * 1024
_NUMBERED = re.compile(r"/\d+$")


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
    if not table.n and (told := tally.problems()):
        raise NotMine(_why_no_row(name, path, told))
    if table.n and not table.columns:
        raise NotMine("its JSON objects hold no numbers")
    if table.n == 1 and suffix(name) == ".json" and all(map(_NUMBERED.search, table.columns)):
        raise NotMine("it is one object of numbered values; write it with arrays in their places")
    return [parse_table(table, tally)]


def _why_no_row(name: str, path: Path, told: Sequence[Problem]) -> str:
    for each in told:
        if each.remedy == CONVERT:
            return f"it is no UTF-8 text (line {each.line}); {CONVERT[0].lower()}{CONVERT[1:-1]}"
    with path.open("rb") as file:
        document = file.read(HEAD_BYTES).removeprefix(text.BOM).lstrip().startswith((b"[", b"{"))
    named = not document or suffix(name) == ".json"
    hint = "" if named else "; if the file is one JSON document, let its name end in .json"
    return f"no line of it is a JSON object{hint}"


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
    pieces = (
        (first, block)
        for first, block in text.blocks(path, tally, start, stop)
        if not block.isspace()
    )
    with path.open("rb") as file:
        boxed = is_boxed(file.read(HEAD_BYTES) + file.readline(limits.LINE_BYTES))
    tables = (
        _taken(arrow, tally, boxed=boxed) or read_lines(block, first, tally, boxed=boxed)
        for (first, block), arrow in in_order(lambda piece: to_arrow(piece[1]), pieces)
    )
    return stack(tables, tally, cut=True)


def read_fast(block: bytes, tally: Tally) -> Table | None:
    """Read whole lines with Arrow, or return None where anything in them needs a closer look."""
    return _taken(to_arrow(block), tally, boxed=is_boxed(block[:HEAD_BYTES]))


def _taken(arrow: pa.Table | None, tally: Tally, *, boxed: bool) -> Table | None:
    """Take the numbers out of what Arrow read, or return None where they need a closer look."""
    import pyarrow as pa

    if arrow is not None:
        with suppress(pa.ArrowException, UnicodeDecodeError):
            opened = unboxed(arrow) if boxed else arrow
            return None if is_unclear(opened) else from_arrow(opened, tally)
    return None
