"""Cells find their places block by block as they would all at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.formats import columns
from viz3d.formats.columns import ColumnsBuilder, Piece

VALUES = st.sampled_from([0.0, 1.0, 2.0, np.nan, np.inf])
PIECES = st.lists(
    st.lists(st.tuples(st.integers(-1, 6), VALUES), max_size=9), min_size=1, max_size=3
)


@settings(max_examples=300, deadline=None)
@given(cells=PIECES, block=st.integers(1, 10))
def test_blocks_give_what_one_cell_after_the_other_gives(
    cells: list[list[tuple[int, float]]], block: int
) -> None:
    """The last value of a place, and how many gave way to another."""
    there: dict[int, float] = {}
    replaced = 0
    for at, value in (cell for piece in cells for cell in piece):
        if 0 <= at < 5:
            replaced += at in there and repr(there[at]) != repr(value)
            there[at] = value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "BLOCK", block)
        found = ColumnsBuilder(np.arange(5) * 10)
        found.add("a", [_piece(piece) for piece in cells])
    assert found.replaced == replaced
    assert list(found.columns) == ["a"] * bool(there)
    wanted = [there.get(at, np.nan) for at in range(5)]
    np.testing.assert_array_equal(found.columns.get("a", np.full(5, np.nan)), wanted)
    odd = found.nonfinite(["a"])
    assert odd["step"].tolist() == sorted(at * 10 for at in there if not np.isfinite(there[at]))


def _piece(cells: list[tuple[int, float]]) -> Piece:
    rows = np.arange(len(cells))
    place = np.array([at for at, _ in cells], np.int32)
    return rows, np.array([value for _, value in cells], float), place


def test_what_stands_in_every_place_is_not_copied() -> None:
    values = np.arange(3.0)
    found = ColumnsBuilder(np.arange(3))
    found.add("a", [(np.arange(3), values, None)])
    assert found.columns["a"] is values
