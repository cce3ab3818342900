"""Tables that are built row by row: the same in pieces as at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.formats import limits, table_builder
from viz3d.formats.table import Table
from viz3d.formats.table_builder import TableBuilder
from viz3d.formats.tally import Tally

VALUES = st.one_of(
    st.integers(0, 9),
    st.integers(-(2**63), 2**64),
    st.floats(),
    st.sampled_from(["1", "h.3", None]),
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["step", "loss", "a", "b", "name"]), VALUES, max_size=5),
    max_size=12,
)


def built(records: list[dict[str, Any]], piece: int) -> tuple[Table, Tally]:
    """Return a table that was built in pieces of so many rows, and what was counted."""
    tally = Tally("file")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_builder, "PIECE", piece)
        patch.setattr(limits, "METRICS", 3)
        builder = TableBuilder(tally)
        for line, record in enumerate(records, start=1):
            builder.add(record, line)
        return builder.table(), tally


@settings(max_examples=200, deadline=None)
@given(records=RECORDS, piece=st.integers(1, 5))
def test_pieces_give_what_the_whole_gives(records: list[dict[str, Any]], piece: int) -> None:
    """Rows, types, the order of the columns and what went over the cap."""
    found, told = built(records, piece)
    wanted, said = built(records, 1000)
    assert (found.n, told.problems()) == (wanted.n, said.problems())
    for mine, other in ((found.columns, wanted.columns), (found.labels, wanted.labels)):
        assert list(mine) == list(other)
        for name, cells in mine.items():
            assert cells.value.dtype == other[name].value.dtype
            np.testing.assert_array_equal(cells.row, other[name].row)
            np.testing.assert_array_equal(cells.value, other[name].value)
