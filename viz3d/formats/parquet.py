"""Reads the numbers of a Parquet file, after a look at how much it claims to hold."""

from __future__ import annotations

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
LONG_TEXT = "{n} column{|s} of more than {limit:TEXT_BYTES} of text {was|were} left out ({names})."
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
        leaves = (file.schema.column(at) for at in range(file.metadata.num_columns))
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    with opened(path, dictionaries=texts) as file:
        arrow = file.read(use_threads=False) if whole else _pieced(file, tally)
        return from_arrow(_spelt_out(arrow, tally), tally)


def _pieced(file: pq.ParquetFile, tally: Tally) -> pa.Table:
    """Read what can be read of all columns."""
    import pyarrow as pa

    pieces = list(batches(file, file.schema_arrow.names, tally))
    return pa.concat_tables(pieces) if pieces else file.schema_arrow.empty_table()


def _spelt_out(arrow: pa.Table, tally: Tally) -> pa.Table:
    """Return a table whose text stands in its rows; what would be too much of it is left out."""
    import pyarrow as pa

    for at, field in reversed(list(enumerate(arrow.schema))):
        kind = field.type
        if not pa.types.is_dictionary(kind) or not pa.types.is_string(kind.value_type):
            continue
        if _spelt_bytes(arrow.column(at)) > limits.TEXT_BYTES:
            tally.add(LONG_TEXT, name=clean_name(field.name))
            arrow = arrow.remove_column(at)
        else:
            arrow = arrow.set_column(at, field.name, arrow.column(at).cast(kind.value_type))
    return arrow


def _spelt_bytes(column: pa.ChunkedArray) -> int:
    import pyarrow.compute as pc

    sizes = (pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks)
    return sum(pc.sum(size).as_py() or 0 for size in sizes)


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
