"""JSON lines read one by one, with what is wrong with any of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import numpy as np

from viz3d.formats import limits, text
from viz3d.formats.jsonl_box import outside
from viz3d.formats.table import Table
from viz3d.formats.table_builder import TableBuilder
from viz3d.formats.tally import Tally

NOT_AN_OBJECT = "{n} line{|s} that {was|were} no JSON object {was|were} left out."
NOT_UTF8 = "{n} line{|s} that {is|are} no UTF-8 text {was|were} left out."
CONVERT = "Convert the file, for example with `iconv -f LATIN1 -t UTF-8`."
NUMBER = "{n} line{|s} with a number of thousands of digits {was|were} left out."
RETURNS = "{n} line{|s} {was|were} parted at a carriage return that ends no line."
CUT = "The last line is cut, so it was left out (a crash, or the file is still being written)."
MANY_VALUES = "{n} line{|s} of more than {limit:LINE_VALUES} values {was|were} left out."
TOO_DEEP = "{n} line{|s} nested deeper than {limit:DEPTH} levels {was|were} left out."
TWICE = "{n} key{|s} stood twice in a line, the last one was kept ({names})."
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


def read_lines(block: bytes, first: int, tally: Tally, *, boxed: bool) -> Table:
    """Read the good lines of a block; bad ones are counted in `tally`.

    Parameters
    ----------
    block : bytes
    first : int
        Number of its first line.
    tally : Tally
    boxed : bool
        Whether its metrics stand in a box; see `viz3d.formats.jsonl_box`.
    """
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
                builder.add(_opened(record, number, tally) if boxed else record, number)
    return builder.table()


def _opened(record: dict[str, Any], number: int, tally: Tally) -> dict[str, Any]:
    """Return a record with what is in its box; what stands beside it is kept."""
    if not isinstance(record.get("data"), dict):
        return record
    inside = {outside(name): value for name, value in record.pop("data").items()}
    for key in filter(record.__contains__, inside):
        tally.add(TWICE, line=number, name=key)
    return {**inside, **record}


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
