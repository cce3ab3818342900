"""The room for what a Neptune export holds: numbers of series, and text of single values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from viz3d.formats import limits
from viz3d.formats.arrow_text import coded, is_text
from viz3d.formats.neptune_schema import VALUES
from viz3d.formats.numbers import clean_name
from viz3d.formats.room import Room
from viz3d.formats.tally import Tally

if TYPE_CHECKING:
    import pyarrow as pa

STRING = 50  # bytes of a string of Python, beside its letters

LONG_TEXTS = (
    "{n} single value{|s} beyond the first {limit:SINGLE_BYTES} of text {was|were} left out "
    "({names})."
)


class NeptuneRoom:
    """The room for numbers, and for bytes of text of single values: each may repeat the same."""

    def __init__(self) -> None:
        self.numbers, self._left = Room(), limits.SINGLE_BYTES

    def fitting(self, table: pa.Table, tally: Tally) -> pa.Table:
        """Return the rows for which there is room; in memory each takes about as much."""
        import pyarrow as pa

        sizes = _text_bytes(table)
        fits = (np.cumsum(sizes) <= self._left) | (sizes == 0)
        self._left -= int(sizes[fits].sum())
        for path in table["attribute_path"].filter(pa.array(~fits)):
            tally.add(LONG_TEXTS, name=clean_name(path.as_py()))
        return table.filter(pa.array(fits))


def _text_bytes(table: pa.Table) -> np.ndarray:
    """Return how much the text of each row takes, given out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = np.zeros(len(table), np.int64)
    for column in table.select([name for name in VALUES.values() if name in table.column_names]):
        if is_text(column.type):
            sizes += _lengths(column)
        elif pa.types.is_list(column.type):
            each = np.cumsum(np.append(0, _lengths(pc.list_flatten(column)) + STRING))
            ends = np.cumsum(np.append(0, pc.list_value_length(column).fill_null(0).to_numpy()))
            sizes += np.diff(each[ends])
    return sizes


def _lengths(column: pa.ChunkedArray) -> np.ndarray:
    texts, codes = coded(column)
    return np.array([len(text or "") for text in texts])[codes]
