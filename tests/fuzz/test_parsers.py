"""Every parser: it reads what was written, keeps what precedes damage, and never raises."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viz3d.formats import FORMATS
from viz3d.formats.numbers import clean_name

from .check import cells_read, read
from .damage import GARBAGE, damaged
from .documents import DOCUMENTS, Document
from .logs import Cells, Record, cells_of
from .profiles import FAST, LONG
from .writers import WRITERS, Writer

writers = pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.name)
documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def test_every_format_is_here() -> None:
    """A new format has to be added to one of the two lists."""
    assert {one.format for one in (*WRITERS, *DOCUMENTS)} == set(FORMATS)


@writers
@FAST
@given(data=st.data())
def test_a_log(writer: Writer, data: st.DataObject) -> None:
    """Written and read, at times cut or damaged first."""
    _a_log(writer, data)


@pytest.mark.slow
@writers
@LONG
@given(data=st.data())
def test_a_log_for_long(writer: Writer, data: st.DataObject) -> None:
    """The same, many times."""
    _a_log(writer, data)


@documents
@FAST
@given(data=st.data())
def test_a_document(document: Document, data: st.DataObject) -> None:
    """Written and read, at times damaged first."""
    _a_document(document, data)


@pytest.mark.slow
@documents
@LONG
@given(data=st.data())
def test_a_document_for_long(document: Document, data: st.DataObject) -> None:
    """The same, many times."""
    _a_document(document, data)


def _a_log(writer: Writer, data: st.DataObject) -> None:
    records = data.draw(writer.logs, "log")
    written = writer.write(records)
    first = next(iter(written.files))
    kind = data.draw(st.sampled_from(["whole", "damaged", *(["torn"] * bool(written.ends))]))
    if kind == "whole":
        (contents,) = read(written.files)
        cells, superseded = _expected(records)
        assert cells_read(contents, writer.adds) == cells
        # Scalars of one step that follow each other are one row of TensorBoard's.
        gone = [] if contents.joined.attempts.empty else contents.joined.attempts["step"].tolist()
        assert [step for step, _ in groupby(gone)] == [step for step, _ in groupby(superseded)]
    elif kind == "torn":
        content = written.files[first]
        cut = data.draw(st.integers(written.ends[writer.needs - 1], len(content)), "cut at")
        tail = data.draw(st.just(b"") | st.sampled_from(GARBAGE).map(lambda line: line + b"\n"))
        if cut in written.ends or not tail:
            _torn(writer, written.files | {first: content[:cut] + tail}, written.ends, cut, records)
    else:
        name = data.draw(st.sampled_from(sorted(written.files)), "file")
        others = writer.logs.map(lambda log: writer.write(log).files.get(name, b""))
        bad = data.draw(damaged(written.files[name], others), "content")
        read(written.files | {name: bad})


def _torn(
    writer: Writer, files: dict[str, bytes], ends: tuple[int, ...], cut: int,
    records: list[Record],
) -> None:  # fmt: skip
    """Assert that every record before the cut is there, and no step that nobody wrote.

    The record that was cut may be there in part. Its last number may then be shorter than it was:
    a text does not say where a number ends that ends the file.
    """
    found = read(files)
    assert len(found) == 1, "declined"
    whole = sum(end <= cut for end in ends)
    cells = cells_read(found[0], writer.adds)
    without, _ = _expected(records[:whole])
    step = records[whole][0] if whole < len(records) else None
    begun, _ = _expected(records[: whole + 1])
    assert _beside(cells, step) in (_beside(without, step), _beside(begun, step))


def _beside(cells: Cells, step: int | None) -> Cells:
    return {key: value for key, value in cells.items() if key[0] != step}


def _expected(records: list[Record]) -> tuple[Cells, list[int]]:
    return cells_of([(step, _named(row)) for step, row in records])


def _named(row: dict[str, float | None]) -> dict[str, float | None]:
    """Name values as they are shown; of several of one name the last counts, and a gap is none."""
    assert len({clean_name(name) for name in row}) == len({name.strip() for name in row})
    return {clean_name(name): value for name, value in row.items() if value is not None}


def _a_document(document: Document, data: st.DataObject) -> None:
    case = data.draw(document.cases, "document")
    if data.draw(st.booleans(), "whole"):
        (contents,) = read(case.files)
        case.check(contents)
        return
    name = next(iter(case.files))
    others = document.cases.map(lambda other: other.files[name])
    bad = data.draw(damaged(case.files[name], others), "content")
    read(case.files | {name: bad})
