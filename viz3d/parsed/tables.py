"""Tables as files of Parquet, each with a checksum that stands elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from viz3d.sources import checksum

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

# A column is packed where its middle shrinks to this: numbers of a measurement do not, and reading
# them packed would take longer for nothing.
SHRINKS, MIDDLE = 0.8, 8_192


class Damaged(Exception):
    """The files do not hold what was written."""


def write(file: Path, table: pa.Table) -> None:
    """Write a table without what Parquet would add to it."""
    import pyarrow.parquet as pq

    packing = {name: _packing(table[name]) for name in table.column_names}
    pq.write_table(
        table, file, compression=packing, use_dictionary=False, write_statistics=False
    )  # fmt: skip


def _packing(column: pa.ChunkedArray) -> str:
    import pyarrow as pa

    if not pa.types.is_primitive(column.type):
        return "lz4"
    middle = column.slice(max(0, len(column) - MIDDLE) // 2, MIDDLE).to_numpy().tobytes()
    return "lz4" if len(pa.compress(middle, "lz4")) <= SHRINKS * len(middle) else "none"


def write_frame(file: Path, frame: pd.DataFrame) -> int | None:
    """Write a small frame and return the checksum of the file; None where it would not come back.

    Raises
    ------
    OSError, pyarrow.ArrowException
    """
    import pyarrow as pa

    table = pa.Table.from_pandas(frame)
    if not _comes_back(frame):
        return None
    write(file, table)
    return checksum.of_file(file)[0]


def read_frame(file: Path, crc: int) -> pd.DataFrame:
    """Read what `write_frame` wrote.

    Raises
    ------
    OSError, Damaged
    """
    import pyarrow.parquet as pq

    if checksum.of_file(file)[0] != crc:
        raise Damaged
    return pq.read_table(file).to_pandas()


def of_column(raw: pa.NativeFile, footer: pq.FileMetaData, at: int) -> int:
    """Return the checksum of a column's bytes, its pages' headers among them."""
    crc = 0
    for group in range(footer.num_row_groups):
        chunk = footer.row_group(group).column(at)
        crc = checksum.extend(crc, raw.read_at(chunk.total_compressed_size, chunk.data_page_offset))
    return crc


def of_footer(raw: pa.NativeFile) -> int:
    """Return the checksum of what stands behind the columns; its length stands in the end of it."""
    end = raw.size()
    length = 8 + int.from_bytes(raw.read_at(8, max(0, end - 8))[:4], "little")
    return checksum.extend(0, raw.read_at(length, max(0, end - length)))


def _comes_back(frame: pd.DataFrame) -> bool:
    """Say whether Arrow gives a frame back: column by column, since all take as much again."""
    import pyarrow as pa

    columns = (frame.iloc[:, [at]] for at in range(frame.shape[1]))
    return all(same(pa.Table.from_pandas(column).to_pandas(), column) for column in columns)


def same(frame: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Say whether two frames are equal, in their types too."""
    return (
        frame.equals(other)
        and list(frame.dtypes) == list(other.dtypes)
        and type(frame.index) is type(other.index)
        and frame.columns.equals(other.columns)
    )
