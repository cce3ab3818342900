"""Reads the numbers of a Parquet file, after a look at how much it claims to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.arrow import from_arrow
from viz3d.formats.numbers import clean_name
from viz3d.formats.table import Table

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from viz3d.formats.tally import Tally

INCOMPLETE = "it is no complete Parquet file (cut, or still being written)"
BROKEN = "it is damaged, so its columns cannot be read"
ENCRYPTED = "it is encrypted; write it without encryption"
DAMAGED = "{n} row group{|s} {is|are} damaged; {its|their} rows from there on were left out."
LONG_TEXT = (
    "{n} column{|s} of more than {limit:TEXT_BYTES} of text, together with those before {it|them}, "
    "{was|were} left out ({names})."
)
LISTS = "{n} column{|s} of lists or bytes {was|were} not read ({names})."
# What a list or a map adds to the path of a column.
_REPEATED = re.compile(r"\.(list|bag|array|key_value|map)\..*")
BATCH = 256 * 1024  # rows that are held unpacked at a time


def read_table(path: Path, tally: Tally, *, whole: bool = True) -> Table:
    """Read a Parquet file.

    Parameters
    ----------
    path : pathlib.Path
    tally : Tally
    whole : bool
        Whether all of it or nothing is wanted; else damage costs its row group.

    Returns
    -------
    Table

    Raises
    ------
    NotMine
        If any of it cannot be read as Parquet, or it holds more cells than a run can have.
    """
    with opened(path) as file:
        check_size(file, file.metadata.num_columns)
        columns, texts = readable(file, tally)
    with opened(path, dictionaries=texts) as file:
        arrow = file.read(columns, use_threads=False) if whole else _pieced(file, columns, tally)
        return from_arrow(arrow, tally)


def _pieced(file: pq.ParquetFile, columns: Sequence[str], tally: Tally) -> pa.Table:
    """Read what can be read of some columns."""
    import pyarrow as pa

    pieces = list(batches(file, columns, tally))
    return pa.concat_tables(pieces) if pieces else file.schema_arrow.empty_table()


def readable(
    file: pq.ParquetFile,
    tally: Tally,
    fields: Sequence[str] | None = None,
    sets: Sequence[str] = (),
) -> tuple[list[str], list[str]]:
    """Return which parts of a file are read: none that may hold far more than they take in it.

    Parameters
    ----------
    file : pyarrow.parquet.ParquetFile
    tally : Tally
        Is told what is left out: lists, bytes of a fixed length, and text beyond the cap.
    fields : sequence of str, optional
        Of which columns; by default of all.
    sets : sequence of str
        Columns of lists of text that are read nevertheless.

    Returns
    -------
    columns, texts : list of str
        Paths in the file, and those of them that hold text: to be read as dictionaries.
    """
    left = limits.TEXT_BYTES
    columns, texts = [], []
    for at in range(file.metadata.num_columns):
        leaf = file.schema.column(at)
        if fields is not None and not any(
            f"{leaf.path}.".startswith(f"{name}.") for name in fields
        ):
            continue
        text = leaf.physical_type == "BYTE_ARRAY" and leaf.logical_type.type != "DECIMAL"
        size = _unpacked(file.metadata, at) if text else 0
        is_list = leaf.max_repetition_level and not (text and _within(leaf.path, sets))
        if is_list or _is_fixed(leaf):
            tally.add(LISTS, name=clean_name(_REPEATED.sub("", leaf.path)))
        elif size > left:
            tally.add(LONG_TEXT, name=clean_name(leaf.path))
        else:
            left -= size
            columns.append(leaf.path)
            texts += [leaf.path] if text else []
    return columns, texts


def _within(path: str, fields: Sequence[str]) -> bool:
    return any(f"{path}.".startswith(f"{name}.") for name in fields)


def _is_fixed(leaf: pq.ColumnSchema) -> bool:
    """Say whether a column holds bytes of a fixed length that are no number."""
    fixed = leaf.physical_type == "FIXED_LEN_BYTE_ARRAY"
    return fixed and leaf.logical_type.type not in ("DECIMAL", "FLOAT16")


def _unpacked(footer: pq.FileMetaData, at: int) -> int:
    """Return the bytes of a column of text; of a list a value may take no byte in the file."""
    groups = [footer.row_group(group).column(at) for group in range(footer.num_row_groups)]
    codes = 4 if footer.schema.column(at).max_repetition_level else 0
    return sum(chunk.total_uncompressed_size + codes * chunk.num_values for chunk in groups)


@contextmanager
def opened(path: Path, *, dictionaries: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; what goes wrong inside is an error of the file.

    Parameters
    ----------
    path : pathlib.Path
    dictionaries : sequence of str
        Columns of text to be read without repeating it: a row of them may cost the file a bit.

    Raises
    ------
    NotMine
        With the reason.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    reason = INCOMPLETE
    try:
        with pq.ParquetFile(
            path, read_dictionary=list(dictionaries), page_checksum_verification=True
        ) as file:
            reason = BROKEN
            yield file
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NotMine(ENCRYPTED if "crypt" in str(error) else reason) from error


def check_size(file: pq.ParquetFile, columns: int) -> None:
    """Decline a file of which some columns would be more than a run can have.

    Raises
    ------
    NotMine
        If that is so.
    """
    rows = file.metadata.num_rows
    if rows * columns > limits.CELLS:
        said = f"it says that it holds {rows:,} rows of {columns:,} columns, more than "
        raise NotMine(limits.reason(f"{said}{{limit:CELLS}} cells"))


def batches(file: pq.ParquetFile, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
    """Read some columns in pieces of bounded length; what is damaged costs its row group.

    Parameters
    ----------
    file : pyarrow.parquet.ParquetFile
    columns : sequence of str
    tally : Tally
        Is told of row groups that cannot be read to their ends.

    Raises
    ------
    NotMine
        If nothing can be read, or a column is encrypted.
    """
    import pyarrow as pa

    damaged = good = 0
    for at in range(file.num_row_groups):
        pieces = file.iter_batches(BATCH, [at], list(columns), use_threads=False)
        while True:
            try:
                piece = next(pieces, None)
            except (pa.ArrowException, OSError, ValueError) as error:
                if "crypt" in str(error):
                    raise NotMine(ENCRYPTED) from error
                tally.add(DAMAGED)
                damaged += 1
                break
            if piece is None:
                break
            good += 1
            yield pa.Table.from_batches([piece])
    if damaged and not good:
        raise NotMine("all of its row groups are damaged")
