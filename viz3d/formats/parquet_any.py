"""Parquet with any column names, if one of them is a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats.arrow import from_arrow
from viz3d.formats.arrow_text import is_text
from viz3d.formats.base import Claim, Parsed
from viz3d.formats.names import file_name
from viz3d.formats.parquet import batches, check_size, opened, readable
from viz3d.formats.parse import parse_table
from viz3d.formats.steps import STEP_NAMES
from viz3d.formats.table import LABELS, stack
from viz3d.formats.tally import Tally
from viz3d.formats.wandb_history import FILE

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "Parquet"
# Data sets are Parquet too, by the thousand files: only these names are asked for in a bucket.
# On this disk any file is known by its columns.
WORDS = ("history", "metrics")
NAMES = tuple(f"*{word}*.parquet" for word in WORDS)

OTHERS = "{n} column{|s} of other than numbers {was|were} not read ({names})."


def claim(path: str) -> Claim | None:
    """Claim files whose names say that they hold a history."""
    name = file_name(path)
    wanted = name.endswith(".parquet") and any(word in name for word in WORDS)
    wanted = wanted and name != FILE  # which has a format of its own
    return Claim(path) if wanted else None


def holds(path: Path) -> bool:
    """Say whether a file has a column of steps and another one of numbers.

    Raises
    ------
    NotMine
        If it is no Parquet file.
    """
    with opened(path) as file:
        return len(_numbers(file.schema_arrow)) > 1


def read(files: Mapping[str, Path]) -> Sequence[Parsed]:
    """Read one file: columns of numbers, and of text that names a layer.

    Raises
    ------
    NotMine
        If it is no Parquet file, has no column of steps, is too large, or is damaged throughout.
    """
    ((name, path),) = files.items()
    tally = Tally(name)
    with opened(path) as file:
        schema = file.schema_arrow
        columns = _numbers(schema)
        if len(columns) < 2:
            raise NotMine("it has no column of steps beside one of other numbers")
        columns += [name for name in _texts(schema) if name in LABELS and name not in columns]
        check_size(file, len(columns))
        for other in dict.fromkeys(schema.names):
            if other not in columns:
                tally.add(OTHERS, name=other)
        paths, texts = readable(file, tally, columns)
    with opened(path, dictionaries=texts) as file:
        tables = (from_arrow(group, tally) for group in batches(file, paths, tally))
        table = stack(tables, tally, cut=True)
    return [parse_table(table, tally)]


def _numbers(schema: pa.Schema) -> list[str]:
    """Return the columns of numbers; none where none of them is called a step."""
    names = [field.name for field in schema if _has_numbers(field.type)]
    return list(dict.fromkeys(names)) if {name.lower() for name in names} & {*STEP_NAMES} else []


def _texts(schema: pa.Schema) -> list[str]:
    """Return the columns of text."""
    return list(dict.fromkeys(field.name for field in schema if is_text(field.type)))


def _has_numbers(kind: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(_has_numbers(kind.field(at).type) for at in range(kind.num_fields))
    if types.is_dictionary(kind):
        kind = kind.value_type
    tests = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean)
    return any(test(kind) for test in tests)
