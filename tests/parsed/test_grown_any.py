"""Any log that has grown is what the whole is, wherever it ended when it was read before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .opening import OFTEN, assert_grows

FLOATS = st.one_of(st.floats(), st.integers(-9, 9))
CLEAN = st.tuples(
    st.sampled_from([1, 1, 2]),
    st.fixed_dictionaries({"loss": FLOATS}, optional={"lr": FLOATS, "val": FLOATS}),
)
ODD = st.one_of(
    st.tuples(st.sampled_from([0, -1, -3]), st.fixed_dictionaries({"loss": FLOATS})),
    st.tuples(st.sampled_from([0, 1]), st.fixed_dictionaries({"val": FLOATS})),
    st.tuples(st.just(1), st.sampled_from([{"new": 1}, {"loss": "x"}, {"layer": 1}, {"_step": 3}])),
    st.just((0, None)),
)
GROWING = st.builds(
    lambda first, more, last: first + more + last,
    st.lists(CLEAN, min_size=1, max_size=4),
    st.lists(ODD, max_size=2),
    st.lists(CLEAN, max_size=4),
)


def lines_of(rows: list[tuple[int, dict[str, Any] | None]]) -> bytes:
    """Return a log whose steps go on, stand still or go back; None is an odd line."""
    step, lines = 0, []
    for gap, row in rows:
        step += gap
        lines.append("{odd" if row is None else json.dumps({"step": step, **row}))
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize("count", OFTEN)
def test_a_grown_log_is_what_the_whole_is(count: int) -> None:
    """Whatever was added, and wherever the log ended when it was read before."""
    given_any = given(GROWING, st.floats(0, 1), st.integers(0, 7), st.booleans())
    settings(max_examples=count, deadline=None)(given_any(grows_to_the_whole))()


def grows_to_the_whole(
    rows: list[tuple[int, dict[str, Any] | None]], where: float, torn: int, beside: bool
) -> None:
    """Open a log that ends somewhere, and again when it is whole."""
    whole = lines_of(rows)
    begun = whole[: len(lines_of(rows[: 1 + int(where * len(rows))])) - max(0, torn - 4)]
    assert_grows("metrics.jsonl", begun, whole, '{"config": {"lr": 1}}' if beside else "")


# Rows of a CSV behind the step: how far that goes on, and cells; a text is a line of its own.
PLAIN = st.sampled_from(["0", "1", "2.5", "nan", "1e400"])
ODD_CELLS = st.sampled_from(["", "x", "true", "-", '"1', '"4"', "2,5", "0x1F", "\u00e4", "1\r2"])
CLEAN_ROWS = st.tuples(st.sampled_from([1, 1, 2]), st.lists(PLAIN, min_size=3, max_size=3))
ODD_ROWS = st.one_of(
    st.tuples(st.sampled_from([1, 0, -2]), st.lists(PLAIN | ODD_CELLS, min_size=3, max_size=3)),
    st.sampled_from(
        [
            "",
            " ",
            "1",
            "1,2,3,4,5",
            "#",
            "\ufeff5,1,1,1",
            "step,loss,lr,name",
            "step,lr,loss,val",
            "step,lr",
        ]
    ),
)
HEADS = st.sampled_from([
    "step,loss,lr,val", "step,loss,lr,name", "step,loss,layer,val", "epoch,step,loss,lr",
    "loss,global_step,step,lr", "# one\nstep,a,A,b", "# step,a,b,c", "a,b,c,d", "0,1,2,3",
    "seed,step,loss,lr", "step,loss,run,lr", "step,r - a,r - a__MIN,r - a__MAX", "step,a,a,",
])  # fmt: skip
CSV_ROWS = st.builds(
    lambda first, odd, last: first + odd + last,
    st.lists(CLEAN_ROWS, min_size=1, max_size=4),
    st.lists(ODD_ROWS, max_size=1),
    st.lists(CLEAN_ROWS, max_size=4),
)


@pytest.mark.parametrize("count", [60, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_grown_table_is_what_the_whole_is(count: int) -> None:
    """Whatever was added, and wherever the file ended when it was read before."""
    ends, marks = st.sampled_from(["\n", "\r\n"]), st.sampled_from([",", ",", ";"])
    given_any = given(HEADS, CSV_ROWS, st.floats(0, 1), st.integers(0, 5), ends, marks)
    settings(max_examples=count, deadline=None)(given_any(table_grows_to_the_whole))()


def table_grows_to_the_whole(
    head: str, rows: list[Any], where: float, torn: int, end: str, mark: str
) -> None:
    """Open a CSV that ends somewhere, and again when it is whole."""
    step, lines = 0, [head]
    for row in rows:
        step += 0 if isinstance(row, str) else row[0]
        lines.append(row if isinstance(row, str) else ",".join([str(step), *row[1]]))
    lines = [line.replace(",", mark) + end for line in lines]
    whole = "".join(lines).encode()
    begun = "".join(lines[: 2 + int(where * len(rows))]).encode()
    assert_grows("metrics.csv", begun[: len(begun) - max(0, torn - 3)], whole)
