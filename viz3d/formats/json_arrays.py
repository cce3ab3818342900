"""JSON documents: an object of arrays, one value per step, or an array of objects, one per row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits, patterns, text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.names import is_document, suffix
from viz3d.formats.numbers import TOO_MANY, clean_name, to_number, typed
from viz3d.formats.parse import parse_table
from viz3d.formats.rows import Cells, interleaved
from viz3d.formats.table import Table
from viz3d.formats.table_builder import TableBuilder
from viz3d.formats.tally import Tally

NAME = "JSON arrays"
KIND = "JSON"
NAMES = patterns.JSON

TWICE = (
    "{n} value{|s} of an array whose name stands twice, but for spaces or nesting, {was|were} "
    "taken for later ones of the other ({names})."
)


def claim(path: str) -> Claim | None:
    """Claim ``.json``, but for names that never hold a history."""
    return Claim(path) if suffix(path) == ".json" and not is_document(path) else None


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one document.

    Raises
    ------
    NotMine
        If it is no JSON document, or holds no arrays of numbers.
    """
    ((name, path),) = files.items()
    tally = Tally(name)
    document = load_document(path)
    if isinstance(document, list):
        return [parse_table(_records(document, tally), tally)]
    if not isinstance(document, dict):
        raise NotMine("it is neither an object nor an array")
    table = _arrays(document, tally)
    config = {
        clean_name(key): value
        for key, value in document.items()
        if isinstance(value, str | int | float)
    }
    return [parse_table(table, tally, config=config)]


def load_document(path: Path) -> Any:
    """Parse a whole JSON document.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    object

    Raises
    ------
    NotMine
        If it is no JSON, too large or nested too deeply.
    """
    text.check(path, "DOCUMENT_BYTES")
    if _values(path) > limits.VALUES:
        raise NotMine(limits.reason("it holds more than {limit:VALUES} values"))
    content = path.read_bytes().removeprefix(text.BOM)
    try:
        return json.loads(content.decode("utf-8"))
    except json.JSONDecodeError as error:
        raise NotMine(f"it is no JSON document ({error.msg}, line {error.lineno})") from error
    except ValueError as error:
        raise NotMine("it is no JSON document in UTF-8") from error
    except RecursionError as error:
        raise NotMine("it is nested too deeply") from error


def _values(path: Path) -> int:
    """Count what begins a value, without holding the file."""
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(text.BLOCK_BYTES), b"")
        return sum(chunk.count(mark) for chunk in chunks for mark in (b",", b"[", b"{"))


def _records(document: Sequence[Any], tally: Tally) -> Table:
    builder = TableBuilder(tally)
    for record in document:
        if isinstance(record, dict):
            builder.add(record)
        else:
            tally.add("{n} element{|s} that {was|were} no object {was|were} left out.")
    table = builder.table()
    if not table.columns:
        raise NotMine("its array holds no objects with numbers")
    return table


def _arrays(document: Mapping[str, Any], tally: Tally) -> Table:
    arrays = list(_named_arrays(document))
    if not arrays:
        raise NotMine("it has no arrays of numbers")
    # The history is what most arrays agree on; a shorter one says nothing about its steps.
    lengths = Counter(len(values) for _, values in arrays)
    n = max(lengths, key=lambda length: (lengths[length], length))
    columns: dict[str, Cells] = {}
    for name, values in arrays:
        if len(values) != n:
            tally.add(
                f"{{n}} array{{|s}} of another length than {n:,} {{was|were}} left out, because "
                "nothing says which steps the values belong to ({names}).",
                name=name,
            )
        elif name in columns:
            cells = _cells(values, name, tally)
            tally.add(TWICE, count=len(cells.row), name=name)
            columns[name] = interleaved(columns[name], cells)
        elif len(columns) < limits.METRICS:
            columns[name] = _cells(values, name, tally)
        else:
            tally.add(TOO_MANY, count=n)
    return Table(n, columns)


def _named_arrays(document: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for key, value in document.items():
        name = clean_name(key)
        if isinstance(value, dict):
            nested = ((f"{name}/{clean_name(inner)}", array) for inner, array in value.items())
            yield from ((inner, array) for inner, array in nested if _is_array(array))
        elif _is_array(value):
            yield name, value


def _is_array(value: Any) -> bool:
    """Say whether `value` is a list of at least two entries that begins with a number or gap."""
    return (
        isinstance(value, list)
        and len(value) > 1
        and any(isinstance(entry, int | float) for entry in value[:100])
    )


def _cells(values: Sequence[Any], name: str, tally: Tally) -> Cells:
    numbers = [to_number(value, name, tally) for value in values]
    rows = [row for row, number in enumerate(numbers) if number is not None]
    known = [number for number in numbers if number is not None]
    return Cells(np.array(rows, np.int64), typed(known))
