"""viz3d.record.rows: the same values are read back, whoever writes the line."""

from __future__ import annotations

import json
import math
import sys
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.record import rows


def dumps(row) -> bytes:
    """Write as orjson does: text as it is, no NaN, no lone surrogate."""
    finite = {
        name: None if type(value) is float and not math.isfinite(value) else value
        for name, value in row.items()
    }
    try:
        return json.dumps(finite, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise TypeError from error


@pytest.fixture
def orjson(monkeypatch):
    """A stand-in with orjson's documented differences, in its place."""
    monkeypatch.setitem(sys.modules, "orjson", types.SimpleNamespace(dumps=dumps))
    rows.orjson_dumps.cache_clear()
    yield
    rows.orjson_dumps.cache_clear()


ROWS = st.dictionaries(
    st.text() | st.just("null") | st.just("\ud800"),
    st.floats() | st.integers(-(2**63), 2**63 - 1),
)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_every_row_reads_back_the_same(row):
    """NaN, infinities and lone surrogates are left to the standard library."""
    by_json = rows._json(row).encode("ascii") + b"\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "orjson_dumps", lambda: dumps)
        by_orjson = rows.line(row)
    assert by_orjson.count(b"\n") == 1
    assert repr(json.loads(by_orjson)) == repr(json.loads(by_json))


def test_orjson_is_used_where_it_is_installed(orjson):
    """And its line is the one that is written."""
    assert rows.line({"损失": 1.0}) == '{"损失":1.0}\n'.encode()
    assert rows.line({"loss": math.nan}) == b'{"loss":NaN}\n'


def test_a_broken_orjson_is_done_without(monkeypatch):
    """What cannot be imported, whatever it raises, costs no row."""
    monkeypatch.setitem(sys.modules, "orjson", None)
    rows.orjson_dumps.cache_clear()
    assert rows.line({"损失": 1.0}) == b'{"\\u635f\\u5931":1.0}\n'
    rows.orjson_dumps.cache_clear()
