"""Reads the numbers of a Parquet file, after a look at how much it claims to hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.arrow import from_arrow
from viz3d.formats.table import Table

if TYPE_CHECKING:
    from viz3d.formats.tally import Tally


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
        If it cannot be read as Parquet, or holds more cells than a run can have.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            rows, columns = file.metadata.num_rows, file.metadata.num_columns
            if rows * columns > limits.CELLS:
                raise NotMine(f"it says that it holds {rows:,} rows of {columns:,} columns")
            return from_arrow(file.read(use_threads=False), tally)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NotMine("it is no complete Parquet file") from error
