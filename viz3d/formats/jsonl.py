"""JSONL: one JSON object per line, with any column names."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits, patterns, text
from viz3d.formats.arrow import from_arrow, is_unclear, needs_a_look
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.names import is_document, suffix
from viz3d.formats.parallel import in_order
from viz3d.formats.parse import parse_table
from viz3d.formats.table import Table, TableBuilder, stack
from viz3d.formats.tally import Tally
from viz3d.run import Problem

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "JSONL"
KIND = "JSON"
NAMES = (patterns.any_case("*.jsonl"), patterns.any_case("*.ndjson"), *patterns.JSON)

NOT_AN_OBJECT = "{n} line{|s} that {was|were} no JSON object {was|were} left out."
NOT_UTF8 = "{n} line{|s} that {is|are} no UTF-8 text {was|were} left out."
CONVERT = "Convert the file, for example with `iconv -f LATIN1 -t UTF-8`."
NUMBER = "{n} line{|s} with a number of thousands of digits {was|were} left out."
RETURNS = "{n} line{|s} {was|were} parted at a carriage return that ends no line."
CUT = "The last line is cut, so it was left out (a crash, or the file is still being written)."
MANY_VALUES = "{n} line{|s} of more than {limit:LINE_VALUES} values {was|were} left out."
TOO_DEEP = "{n} line{|s} nested deeper than {limit:DEPTH} levels {was|were} left out."
# Lines with more brackets than this are not for Arrow.
NESTED = 100
HEAD_BYTES = 64 * 1024
# Arrow makes a cell of each line for each key that any line of a block has; more are not for it.
MOST_CELLS = 4_000_000
# To find all keys takes longer than to parse them. It is done where those in the longest lines and
# in a few windows make so many cells, or the windows show so many that the lines do not have.
LIKELY_CELLS, SURPRISES = 500_000, 100
LONG = 8  # times what a line of the block has
WINDOWS, WINDOW = 32, 1024  # bytes
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_KEY = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*+:')

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
    if not table.n and (told := tally.problems()):
        raise NotMine(_why_no_row(path, told))
    if table.n and not table.columns:
        raise NotMine("its JSON objects hold no numbers")
    return [parse_table(table, tally)]


def _why_no_row(path: Path, told: Sequence[Problem]) -> str:
    for each in told:
        if each.remedy == CONVERT:
            return f"it is no UTF-8 text (line {each.line}); {CONVERT[0].lower()}{CONVERT[1:-1]}"
    with path.open("rb") as file:
        document = file.read(HEAD_BYTES).removeprefix(text.BOM).lstrip().startswith((b"[", b"{"))
    hint = "; if the file is one JSON document, let its name end in .json" if document else ""
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
        boxed = _is_boxed(file.read(HEAD_BYTES) + file.readline(limits.LINE_BYTES))
    tables = (
        _taken(arrow, tally, boxed=boxed) or _read_lines(block, first, tally, boxed=boxed)
        for (first, block), arrow in in_order(lambda piece: _to_arrow(piece[1]), pieces)
    )
    return stack(tables, tally, cut=True)


def read_fast(block: bytes, tally: Tally) -> Table | None:
    """Read whole lines with Arrow, or return None where anything in them needs a closer look."""
    return _taken(_to_arrow(block), tally, boxed=_is_boxed(block[:HEAD_BYTES]))


def _is_boxed(head: bytes) -> bool:
    """Say whether verl wrote a log, as its first line with a group called "data" tells.

    It puts metrics into a box, ``{"step": 3, "data": {"actor/lr": …}}``, which is no part of their
    names, and may hold more of them than a group of metrics does.
    """
    lines = re.split(rb"[\r\n]+", head.removeprefix(text.BOM)) if b'"data"' in head else ()
    for line in lines:
        with suppress(ValueError, RecursionError):
            record = json.loads(line)
            if isinstance(record, dict) and isinstance(record.get("data"), dict):
                return record.keys() == BOX and "step" not in record["data"]
    return False


def _taken(arrow: pa.Table | None, tally: Tally, *, boxed: bool) -> Table | None:
    """Take the numbers out of what Arrow read, or return None where they need a closer look."""
    import pyarrow as pa

    if arrow is not None:
        with suppress(pa.ArrowException, UnicodeDecodeError):
            opened = _unboxed(arrow) if boxed else arrow
            return None if is_unclear(opened) else from_arrow(opened, tally)
    return None


def _to_arrow(block: bytes) -> pa.Table | None:
    import pyarrow as pa
    import pyarrow.json as pj

    n_lines = _lines_for_arrow(block)
    if n_lines is None:
        return None
    try:
        arrow = pj.read_json(
            pa.BufferReader(block), pj.ReadOptions(use_threads=False, block_size=len(block) + 1)
        )
        # Arrow also takes two objects on one line; those are not rows of a log.
        return arrow if arrow.num_rows == n_lines and not needs_a_look(arrow) else None
    except (pa.ArrowException, UnicodeDecodeError):
        return None


def _unboxed(arrow: pa.Table) -> pa.Table:
    """Take the metrics out of their box."""
    import pyarrow as pa

    if "data" not in arrow.column_names or not pa.types.is_struct(arrow.schema.field("data").type):
        return arrow
    inside = arrow.select(["data"]).flatten()
    names = [_outside(name.removeprefix("data.")) for name in inside.column_names]
    others = arrow.drop_columns(["data"])
    return pa.Table.from_arrays(
        [*inside.columns, *others.columns], names=[*names, *others.column_names]
    )


def _outside(name: str) -> str:
    """Return the name of a metric without its box, whose step is another one than that beside."""
    return "data/step" if name == "step" else name


def _lines_for_arrow(block: bytes) -> int | None:
    """Count the lines of a block; None where Arrow cannot parse it in reasonable time, or at all.

    Measured: it dies of a line nested 30,000 deep and of a first line ``null``, takes a later
    ``null`` for a row, and takes half a minute for 20,000 columns.
    """
    chars = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(chars == ord("\n"))
    begins = ends[: -1 if block.endswith(b"\n") else None] + 1
    if (
        not block.startswith(b"{")
        or (chars[begins] != ord("{")).any()
        or _has_odd_line(block, ends)
    ):
        return None
    openers = (chars & 0b1101_1111) == ord("[")  # and "{", which is one bit off
    n_lines = len(begins) + 1
    if np.count_nonzero(openers) > n_lines + NESTED and _most(openers, ends) > NESTED:
        return None
    keys = _keys(block, ends)
    return n_lines if len(keys) <= limits.METRICS and n_lines * len(keys) <= MOST_CELLS else None


def _keys(block: bytes, ends: np.ndarray) -> set[bytes]:
    """Return the keys of a block, or more than the cap on metrics of them.

    All, unless a sample says that its lines have much the same.
    """
    begins = np.append(0, ends + 1)
    lengths = np.diff(begins, append=len(block))
    long = {*begins[lengths > LONG * len(block) / len(lengths)], begins[lengths.argmax()]}
    known: set[bytes] = set()
    for begin in long:
        for found in _KEY.finditer(block, begin, _end(block, begin)):
            known.add(found[1])
            if len(known) > limits.METRICS:
                return known  # too many already; a line may have hundreds of thousands
    # At places that the block itself decides: no pattern of its own, and the same each time.
    apart = max(1, len(block) // WINDOWS)
    windows = range(crc32(block) % apart, len(block), apart)
    seen = known.union(*(_KEY.findall(block, begin, begin + WINDOW) for begin in windows))
    if len(seen) - len(known) > SURPRISES or len(begins) * len(seen) > LIKELY_CELLS:
        return set(_KEY.findall(block))
    return seen


def _end(block: bytes, begin: int) -> int:
    end = block.find(b"\n", begin)
    return len(block) if end < 0 else end


def _has_odd_line(block: bytes, ends: np.ndarray) -> bool:
    """Say whether a line may be over the cap on its length, or on its values."""
    long = min(limits.LINE_BYTES + 1, 2 * limits.LINE_VALUES)  # a value takes two bytes or more
    if len(block) <= long:
        return False
    begins = np.append(0, ends + 1)
    lengths = np.diff(begins, append=len(block))
    return any(
        length > limits.LINE_BYTES + 1
        or block.count(b",", begin, begin + length) >= limits.LINE_VALUES
        for begin, length in zip(begins[lengths > long], lengths[lengths > long], strict=True)
    )


def _most(openers: np.ndarray, ends: np.ndarray) -> int:
    """Return the largest number of opening brackets in one line, which bounds its depth."""
    opened = np.cumsum(openers)
    return int(np.diff(opened[[*ends, -1]], prepend=0).max())


def _over_a_cap(line: bytes) -> str:
    if len(line) > limits.LINE_BYTES:
        return text.LONG_LINE
    if _has_many_values(line):
        return MANY_VALUES
    return TOO_DEEP if _depth(line) > limits.DEPTH else ""


def _has_many_values(line: bytes) -> bool:
    """Say whether a line holds more values than the cap; each but the first follows a comma."""
    commas = line.count(b",")
    if commas < limits.LINE_VALUES:
        return False
    in_text = sum(found[0].count(b",") for found in _STRING.finditer(line))
    return commas - in_text >= limits.LINE_VALUES


def _depth(line: bytes) -> int:
    """Return how deep a line is nested, at least roughly where it is no JSON."""
    if line.count(b"{") + line.count(b"[") <= limits.DEPTH:
        return 0
    chars = np.frombuffer(_STRING.sub(b"", line), dtype=np.uint8)
    opened = (chars == ord("{")) | (chars == ord("["))
    closed = (chars == ord("}")) | (chars == ord("]"))
    return int(
        np.cumsum(opened.view(np.int8) - closed.view(np.int8), dtype=np.int32).max(initial=0)
    )


def _read_lines(block: bytes, first: int, tally: Tally, *, boxed: bool) -> Table:
    builder = TableBuilder(tally)
    whole = block.endswith(b"\n")
    rows = block.split(b"\n")
    for number, line in enumerate(rows, start=first):
        parts = [part for part in line.split(b"\r") if part.strip()]
        if len(parts) > 1:
            tally.add(RETURNS, line=number)
        for part in parts:
            record = _parse_line(
                part, number, tally, last=not whole and number == first + len(rows) - 1
            )
            if record is not None:
                if boxed and isinstance(inside := record.get("data"), dict):
                    del record["data"]
                    inside = {_outside(name): value for name, value in inside.items()}
                    for key in filter(record.__contains__, inside):
                        tally.add(TWICE, line=number, name=key)
                    record = {**inside, **record}
                builder.add(record, number)
    return builder.table()


def _parse_line(line: bytes, number: int, tally: Tally, *, last: bool) -> dict[str, Any] | None:
    if too_much := _over_a_cap(line):
        tally.add(too_much, line=number)
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
    except (ValueError, RecursionError) as error:
        _tell(error, line, number, tally, last=last)
        return None
    if not isinstance(record, dict):
        tally.add(NOT_AN_OBJECT, line=number, found=line)
        return None
    for key in repeated:
        tally.add(TWICE, line=number, name=key)
    return record


def _tell(
    error: ValueError | RecursionError, line: bytes, number: int, tally: Tally, *, last: bool
) -> None:
    """Count a line that is no JSON by what is wrong with it."""
    if isinstance(error, UnicodeDecodeError):
        tally.add(NOT_UTF8, line=number, remedy=CONVERT, found=line)
    elif isinstance(error, RecursionError):  # where the cap was raised above what Python bears
        tally.add(TOO_DEEP, line=number)
    elif not isinstance(error, json.JSONDecodeError):
        tally.add(NUMBER, line=number)  # Python reads no whole number of so many digits
    elif last:
        tally.add(CUT, line=number)
    else:
        tally.add(NOT_AN_OBJECT, line=number, found=line)
