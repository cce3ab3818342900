"""JSON documents: an object of arrays, one value per step, or an array of objects, one per row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from viz3d.errors import NotMine
from viz3d.formats import limits, patterns, text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.json_lists import Named, as_list, named_arrays
from viz3d.formats.names import is_document, suffix
from viz3d.formats.numbers import TOO_MANY, clean_name, to_number, typed
from viz3d.formats.parse import parse_table
from viz3d.formats.rows import Cells, interleaved
from viz3d.formats.steps import STEP_NAMES
from viz3d.formats.table import Table, stack
from viz3d.formats.table_builder import TableBuilder
from viz3d.formats.tally import Tally

NAME = "JSON arrays"
KIND = "JSON"
NAMES = patterns.JSON

NO_STEPS = (
    "{n} array{|s} beside groups with steps of their own {was|were} left out, because nothing says "
    "which steps the values belong to ({names})."
)
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
    document = as_list(load_document(path), dict)
    if isinstance(document, list):
        return [parse_table(_records(document, tally), tally)]
    if not isinstance(document, dict):
        raise NotMine("it is neither an object nor an array")
    if document.keys() == {"columns", "index", "data"}:
        raise NotMine("it is a table as pandas splits it; write it with orient='records'")
    table, step_names = _arrays(document, tally)
    config = {
        clean_name(key): value
        for key, value in document.items()
        if isinstance(value, str | int | float)
    }
    return [parse_table(table, tally, config=config, step_names=step_names)]


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


def _arrays(document: Mapping[str, Any], tally: Tally) -> tuple[Table, tuple[str, ...]]:
    """Return the arrays of a document as a table, and how its steps may be called."""
    arrays = list(named_arrays(document, tally))
    if not arrays:
        raise NotMine("it has no arrays of numbers")
    step, groups = _groups(arrays)
    if not groups:
        # The history is what most arrays agree on; a shorter one says nothing about its steps.
        lengths = Counter(len(values) for _, values in arrays)
        n = max(lengths, key=lambda length: (lengths[length], length))
        return _table(arrays, n, tally), STEP_NAMES
    parts: dict[str, list[tuple[str, list[Any]]]] = {
        group: [(step, steps)] for group, steps in groups.items()
    }
    for name, values in arrays:
        group = _group_of(name, groups)
        if group is None:
            tally.add(NO_STEPS, name=name)
        elif values is not groups[group]:
            parts[group].append((name, values))
    tables = (_table(part, len(part[0][1]), tally) for part in parts.values())
    return stack(tables, tally, cut=True), (step,)


def _groups(arrays: Named) -> tuple[str, Mapping[str, list[Any]]]:
    """Return how groups such as "train" and "val" call steps that they do not share, and those.

    Without such groups there are none: then all arrays are of the same steps.
    """
    parted = [(*name.rpartition("/")[::2], values) for name, values in arrays]
    for step in STEP_NAMES:
        groups = {group: values for group, name, values in parted if name.lower() == step}
        if len(groups) > 1:
            first, *others = groups.values()
            return (step, {}) if all(steps == first for steps in others) else (step, groups)
    return "", {}


def _group_of(name: str, groups: Container[str]) -> str | None:
    """Return the innermost group that an array is in."""
    while name:
        name = name.rpartition("/")[0]
        if name in groups:
            return name
    return None


def _table(arrays: Named, n: int, tally: Tally) -> Table:
    """Return arrays of one length as columns."""
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


def _cells(values: Sequence[Any], name: str, tally: Tally) -> Cells:
    numbers = [to_number(value, name, tally) for value in values]
    rows = [row for row, number in enumerate(numbers) if number is not None]
    known = [number for number in numbers if number is not None]
    return Cells(np.array(rows, np.int64), typed(known))
