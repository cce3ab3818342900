"""Reads the numbers of a Parquet file, after a look at how much it claims to hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.errors import NotMine
from viz3d.formats import limits
from viz3d.formats.arrow import from_arrow
from viz3d.formats.numbers import clean_name
from viz3d.formats.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from viz3d.formats.tally import Tally

LONG_TEXT = "{n} column{|s} of more than {limit:TEXT_BYTES} of text {was|were} left out ({names})."


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
        with pq.ParquetFile(path) as file:
            rows, columns = file.metadata.num_rows, file.metadata.num_columns
            if rows * columns > limits.CELLS:
                said = f"it says that it holds {rows:,} rows of {columns:,} columns, more than "
                raise NotMine(limits.reason(f"{said}{{limit:CELLS}} cells"))
            about = file.metadata
            leaves = (file.schema.column(at) for at in range(columns))
            texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        # A text that stands in many rows may be stored once, and must not be repeated unseen.
        with pq.ParquetFile(
            path, metadata=about, read_dictionary=texts, page_checksum_verification=True
        ) as file:
            return from_arrow(_spelt_out(file.read(use_threads=False), tally), tally)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise NotMine("it is no complete Parquet file") from error


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
