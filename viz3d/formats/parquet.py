"""Reads the numbers of a Parquet file, after a look at how much it claims to hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.arrow import from_arrow
from viz3d.formats.table import Table

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from viz3d.formats.tally import Tally

INCOMPLETE = "it is no complete Parquet file (cut, or still being written)"
ENCRYPTED = "it is encrypted; write it without encryption"
DAMAGED = "{n} row group{|s} {is|are} damaged and {was|were} left out with all rows in {it|them}."


def read_table(path: Path, tally: Tally) -> Table:
    """Read a Parquet file.

    Parameters
    ----------
    path : pathlib.Path
    tally : Tally

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
        return from_arrow(file.read(use_threads=False), tally)


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

    try:
        with pq.ParquetFile(
            path, read_dictionary=list(dictionaries), page_checksum_verification=True
        ) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NotMine(ENCRYPTED if "crypt" in str(error) else INCOMPLETE) from error


def check_size(file: pq.ParquetFile, columns: int) -> None:
    """Decline a file of which some columns would be more than a run can have.

    Raises
    ------
    NotMine
        If that is so.
    """
    rows = file.metadata.num_rows
    if rows * columns > limits.CELLS:
        raise NotMine(f"it says that it holds {rows:,} rows of {columns:,} columns")


def row_groups(file: pq.ParquetFile, columns: Sequence[str], tally: Tally) -> Iterator[pa.Table]:
    """Read some columns of one row group after the other.

    Parameters
    ----------
    file : pyarrow.parquet.ParquetFile
    columns : sequence of str
    tally : Tally
        Is told of row groups that cannot be read.

    Raises
    ------
    NotMine
        If none of them can be read, or one is encrypted.
    """
    import pyarrow as pa

    good = 0
    for at in range(file.num_row_groups):
        try:
            group = file.read_row_group(at, columns=list(columns), use_threads=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            if "crypt" in str(error):
                raise NotMine(ENCRYPTED) from error
            tally.add(DAMAGED)
            continue
        good += 1
        yield group
    if file.num_row_groups and not good:
        raise NotMine("none of its row groups can be read; they are damaged")
