"""The box that verl puts metrics into."""

from __future__ import annotations

from viz3d.formats import jsonl

from .conftest import Reader, joined


def test_a_row_without_a_box_is_a_row(read: Reader) -> None:
    """What is called "data" there is a metric like others."""
    text = '{"step": 0, "data": {"a": 1}}\n{"step": 1, "data": 5, "a": 2}\n'
    (parsed,) = read(jsonl, {"a.jsonl": text})
    history = joined(parsed).history
    assert history["a"].to_dict() == {0: 1, 1: 2}
    assert history["data"].dropna().to_dict() == {1: 5}
