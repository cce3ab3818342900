"""JSON documents of arrays."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from viz3d.errors import NotMine
from viz3d.formats import json_arrays, limits

from .conftest import Reader, joined, said


def test_an_object_of_arrays_is_a_history(read: Reader) -> None:
    """One value per step; single values are the config; other lengths are left out and told."""
    document = {"losses": [3, 2, 1], "lrs": [0.1, 0.2, None], "val": [2.5], "name": "x", "n": 5}
    (parsed,) = read(json_arrays, {"a.json": json.dumps({**document, "v2": [1, 2]})})
    history = joined(parsed).history
    assert history["losses"].tolist() == [3.0, 2.0, 1.0]
    assert history["lrs"].dropna().tolist() == [0.1, 0.2]
    assert list(history.columns) == ["losses", "lrs"]
    assert dict(parsed.config) == {"name": "x", "n": 5}
    assert "1 array of another length than 3 was left out" in said(parsed)
    assert "v2" in said(parsed)
    assert "numbered from 0" in said(parsed)


def test_an_array_of_steps_is_the_index(read: Reader) -> None:
    """Where the document logs its steps, they are used and not told as missing."""
    (parsed,) = read(json_arrays, {"a.json": '{"step": [0, 5, 9], "loss": [3, NaN, 1]}'})
    found = joined(parsed)
    assert found.history.index.tolist() == [0, 5, 9]
    assert found.nonfinite["step"].tolist() == [5]
    assert math.isnan(found.history["loss"].loc[5])
    assert parsed.problems == ()


def test_an_array_of_objects_is_a_history(read: Reader) -> None:
    """A list of rows is read like JSON lines."""
    text = '[{"step": 1, "loss": 2}, 7, {"step": 2, "loss": 1}]'
    (parsed,) = read(json_arrays, {"a.json": text})
    assert joined(parsed).history["loss"].to_dict() == {1: 2.0, 2: 1.0}
    assert "1 element that was no object" in said(parsed)


def test_arrays_of_one_name_are_told(read: Reader) -> None:
    """Spaces and nesting make one of two; where both have a value the later one counts."""
    document = {"a/b": [1, 2], "a": {"b": [None, 3]}, "loss": [5, 6], "loss ": [7, 8]}
    (parsed,) = read(json_arrays, {"a.json": json.dumps(document)})
    found = joined(parsed)
    assert found.history.loc[0].to_dict() == {"a/b": 1, "loss": 7}
    assert found.history.loc[1].to_dict() == {"a/b": 3, "loss": 8}
    assert found.replaced == 3
    assert "3 values of an array whose name stands twice" in said(parsed)
    assert "(a/b, loss)" in said(parsed)


def test_nested_arrays_get_both_names(read: Reader) -> None:
    """Arrays one level down are metrics called outer/inner."""
    (parsed,) = read(
        json_arrays, {"a.json": '{"train": {"loss": [2, 1]}, "val": {"loss": [4, 3]}}'}
    )
    assert list(joined(parsed).history.columns) == ["train/loss", "val/loss"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"a": 1}', "no arrays of numbers"),
        ('{"a": ["x", "y"]}', "no arrays of numbers"),
        ('{"a": [1, 2', "no JSON document"),
        ("5", "neither an object nor an array"),
        ("[1, 2, 3]", "no objects with numbers"),
        ("[" * 100_000, "nested too deeply"),
        (b'{"a": "\xff"}', "UTF-8"),
    ],
)
def test_it_declines_with_a_reason(read: Reader, content: str | bytes, reason: str) -> None:
    """What holds no history is declined in words."""
    with pytest.raises(NotMine, match=reason):
        read(json_arrays, {"a.json": content})


def test_the_real_sweep(real_data: Path) -> None:
    """11 runs of 1,906 steps and 4 metrics; each leaves out its 16 validation losses."""
    files = sorted((real_data / "gpt-large-lr-sweep").glob("*.json"))
    assert len(files) == 11
    for path in files:
        (parsed,) = json_arrays.read({path.name: path})
        history = joined(parsed).history
        assert history.shape == (1906, 4)
        assert history["losses"].iloc[0] == json.loads(path.read_text())["losses"][0]
        assert "val_losses" in said(parsed)


def test_arrays_over_the_cap_are_told(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes over the number of metrics that is read is counted."""
    monkeypatch.setattr(limits, "METRICS", 2)
    (parsed,) = read(json_arrays, {"a.json": json.dumps({name: [1, 2, 3] for name in "abcd"})})
    assert list(joined(parsed).history.columns) == ["a", "b"]
    assert "6 values of metrics beyond the first" in said(parsed)
