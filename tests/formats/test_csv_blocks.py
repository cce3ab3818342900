"""Where a block of a CSV ends, and which way it is read, makes no difference."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import csv_blocks, text
from viz3d.formats.delimited import read_rows, read_table
from viz3d.formats.dialect import Dialect, sniff
from viz3d.formats.table import Table
from viz3d.formats.tally import Tally

# Cells that are read in one way alone and in another beside others, and lines that are no rows.
ODD_CELLS = (
    "", "0", "1", "-0", "7", "+5", "2.5", "2,5", "1.234,5", "1.234", " 3", "nan", "-nan(ind)",
    "inf", "1e400", "true", "False", "x", "h.3", "2024", "2024-01-01", "12:30", "-", "--", "NULL",
    "None", "0x1F", "9007199254740993", "9223372036854775807", "18446744073709551616",
    "0." + "1" * 70, '"a"', '""', '"4"', '"a,b;c"', 'a"b', '"a"b', "\u0661", "\ufeff1", "\xa01",
)  # fmt: skip
ODD_LINES = (b"", b" ", b",", b"1", b"1,2,3,4,5", b'1,"x', b'x",2,3,4', b'"', b"1,2,3,\xff",
             b"\xfe", b"1,2\r3,4", b"\r", b"# no", b"step,name,loss,val",
             b"val,loss,name,step", b"step;lr", b"\t\t\t", b'1,2,"3\r4",5')  # fmt: skip
PLAIN_CELLS = ("", "1", "2.5", "x")
ROWS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(PLAIN_CELLS), min_size=4, max_size=4),
        st.lists(st.sampled_from(ODD_CELLS), min_size=4, max_size=4),
        st.sampled_from(ODD_LINES),
    ),
    max_size=14,
)
HEADERS = st.permutations(["step", "name", "loss", "val"])
ENDS = st.sampled_from([b"\n", b"\r\n"])
WIDTHS = st.sampled_from([",", ";", "\t"])
OFTEN = [100, pytest.param(20_000, marks=pytest.mark.slow)]


def content(header: Sequence[str], rows: Sequence[Any], delimiter: str, end: bytes) -> bytes:
    lines = [row if isinstance(row, bytes) else delimiter.join(row).encode()
             for row in (header, *rows)]  # fmt: skip
    return end.join(lines)


def comparable(table: Table) -> Any:
    """Return all that a table holds, of numbers the value and not the type."""
    cells = [
        [(name, part.row.tolist(), [*map(repr, part.value if part.value.dtype == object
                                         else part.value.astype(float) + 0.0)])
         for name, part in columns.items()]
        for columns in (table.columns, table.labels)
    ]  # fmt: skip
    return table.n, cells


def told(tally: Tally) -> list[tuple[str, int | None]]:
    """Return what was told and of which line, whichever was met first, without the names."""
    return sorted((problem.what.partition(" (")[0], problem.line) for problem in tally.problems())


@pytest.mark.parametrize("count", OFTEN)
def test_where_a_block_ends_makes_no_difference(count: int) -> None:
    """Values, labels and remarks are those of the whole, whatever stands in a line."""

    @given(HEADERS, ROWS, WIDTHS, ENDS, st.booleans(), st.integers(1, 90))
    @settings(max_examples=count, deadline=None)
    def check(header, rows, delimiter: str, end: bytes, last: bool, size: int) -> None:
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            path = Path(folder, "a.csv")
            path.write_bytes(content(header, rows, delimiter, end) + (b"" if last else end))
            tally, other = Tally("a.csv"), Tally("a.csv")
            dialect = sniff_or_none(path)
            if dialect is None:
                return
            whole = read_rows(path, dialect, tally)
            patch.setattr(text, "BLOCK_BYTES", size)
            parts = read_rows(path, dialect, other)
        assert comparable(parts) == comparable(whole)
        assert told(other) == told(tally)

    check()


def sniff_or_none(path: Path) -> Dialect | None:
    try:
        return sniff(path, Tally("a.csv"))
    except NotMine:
        return None


@given(ROWS, st.sampled_from([b"\n", b"\r\n"]))
@settings(max_examples=150, deadline=None)
def test_lines_one_by_one_are_as_arrow_reads_them(rows, end: bytes) -> None:
    """What cannot be read at once is told apart by the same rules."""
    block = content(["1", "2", "3", "4"], rows, ",", end)
    dialect = Dialect(",", ".", ("step", "name", "loss", "val"), 0)
    plain = csv_blocks._is_plain(block) and csv_blocks._read_plain(block, 1, dialect, ())
    if plain:
        slow = csv_blocks._read_lines(block, 1, dialect, ())
        assert repr(slow.rows.to_pydict()) == repr(plain.rows.to_pydict())
        assert list(slow.lines) == list(plain.lines)
        assert list(slow.odd) == list(plain.odd)


def test_an_odd_line_sends_its_block_alone_the_slow_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are not held for it, nor is anything read twice."""
    slow: list[int] = []
    read_lines = csv_blocks._read_lines
    monkeypatch.setattr(text, "BLOCK_BYTES", 40)
    monkeypatch.setattr(
        csv_blocks, "_read_lines", lambda *args: slow.append(args[1]) or read_lines(*args)
    )
    rows = [f"{step},{step / 2}" for step in range(40)]
    rows[20] = '20,"10'
    (tmp_path / "a.csv").write_text("\n".join(["step,loss", *rows]))
    table = read_table(tmp_path / "a.csv", Tally("a.csv"))
    assert table.columns["loss"].value.tolist() == [step / 2 for step in range(40)]
    assert len(slow) == 1
