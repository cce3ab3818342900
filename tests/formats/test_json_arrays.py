"""JSON documents of arrays."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from viz3d.errors import NotMine
from viz3d.formats import json_arrays, jsonl, limits

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


def test_groups_have_steps_of_their_own(read: Reader) -> None:
    """Validation took place at other steps than those of the training, if as often."""
    train = {"step": [0, 100, 200], "loss": [3, 2, 1], "lr": [1, None, 3], "short": [1, 2]}
    val = {"step": [50, 150, 200], "epoch": [0, 1, 2], "a/b": [4, 3, 2]}
    document = {"train": train, "val": val, "other": [1, 2, 3], "flat/x": [1, 2, 3]}
    (parsed,) = read(json_arrays, {"a.json": json.dumps(document)})
    history = joined(parsed).history
    assert history["train/loss"].dropna().to_dict() == {0: 3, 100: 2, 200: 1}
    assert history["train/lr"].dropna().to_dict() == {0: 1, 200: 3}
    assert history["val/a/b"].dropna().to_dict() == {50: 4, 150: 3, 200: 2}
    assert list(history) == ["train/loss", "train/lr", "val/epoch", "val/a/b"]
    assert "1 array of another length than 3 was left out" in said(parsed)
    assert "2 arrays beside groups with steps of their own were left out" in said(parsed)
    assert "(other, flat/x)" in said(parsed)


def test_a_group_may_have_the_steps_of_the_document(read: Reader) -> None:
    """What has none of its own has those of all, and steps that are alike are one."""
    document = {
        "step": [0, 1],
        "loss": [2, 1],
        "val": {"step": [5, 6], "loss": [3, 4]},
        "r": {"a": [7, 8]},
    }
    (parsed,) = read(json_arrays, {"a.json": json.dumps(document)})
    assert joined(parsed).history["val/loss"].dropna().to_dict() == {5: 3, 6: 4}
    assert joined(parsed).history["r/a"].dropna().to_dict() == {0: 7, 1: 8}
    document = {"train": {"step": [0, 5], "loss": [2, 1]}, "val": {"step": [0, 5], "loss": [4, 3]}}
    (parsed,) = read(json_arrays, {"a.json": json.dumps({**document, "lr": [1, 2]})})
    assert joined(parsed).history[["train/loss", "val/loss", "lr"]].loc[5].tolist() == [1, 3, 2]
    document = {"step": [0, 1], "train": {"step": [5, 6], "loss": [2, 1]}}
    (parsed,) = read(json_arrays, {"a.json": json.dumps(document)})
    assert joined(parsed).history["train/loss"].dropna().to_dict() == {5: 2, 6: 1}
    document = {"_step": [0, 1], "lr": [2, 1], "train/global_step": [5, 6], "train/loss": [3, 4]}
    (parsed,) = read(json_arrays, {"a.json": json.dumps(document)})
    assert joined(parsed).history["train/loss"].to_dict() == {0: 3, 1: 4}


@pytest.mark.parametrize("orient", ["columns", "index", "records"])
def test_a_table_of_pandas_is_a_history(read: Reader, orient: Any) -> None:
    """Whichever way it is written, as the history of Keras often is."""
    frame = pd.DataFrame({"loss": [3.0, 2.0, 1.5], "val_loss": [3.5, None, 2.4]})
    (parsed,) = read(json_arrays, {"a.json": frame.to_json(orient=orient)})
    pd.testing.assert_frame_equal(joined(parsed).history, frame, check_names=False)


def test_objects_with_other_numbers_for_keys_are_declined(read: Reader) -> None:
    """The numbers may be steps or not; as names of metrics they would be invented."""
    with pytest.raises(NotMine, match="one object of numbered values; write"):
        read(jsonl, {"a.json": '{"loss": {"100": 3.0, "200": 2.0}}'})
    (parsed,) = read(jsonl, {"a.json": '{"step": 3, "norm": {"0": 3.0, "1": 2.0}}'})
    assert list(joined(parsed).history) == ["norm/0", "norm/1"]


def test_numbered_values_beside_a_step_are_no_series(read: Reader) -> None:
    """A row of a log has them for its classes; the reader of lines takes it."""
    with pytest.raises(NotMine):
        read(json_arrays, {"a.json": '{"step": 3, "norm": {"0": 3.0, "1": 2.0}}'})


@pytest.mark.parametrize("indent", [None, 1])
def test_numbered_values_beside_another_number_are_a_series(
    read: Reader, indent: int | None
) -> None:
    """As a setting or the best value beside the history of Keras; that is told."""
    series = {"0": 3.0, "1": None, "2": 2.0}
    for document, name in (
        ({"lr": 0.1, "loss": series}, "loss"),
        ({"best": 1.2, "history": {"loss": series}}, "history/loss"),
    ):
        (parsed,) = read(json_arrays, {"a.json": json.dumps(document, indent=indent)})
        history = joined(parsed).history
        assert list(history) == [name]
        assert history[name].dropna().to_dict() == {0: 3, 2: 2}
        assert dict(parsed.config) == {key: document[key] for key in {"lr", "best"} & {*document}}
        assert f"keys 0, 1 and so on was taken for a series of steps ({name})" in said(parsed)
    (parsed,) = read(json_arrays, {"a.json": json.dumps({"loss": series, "list": [1, 2, 3]})})
    assert "and so on" not in said(parsed)
    (parsed,) = read(json_arrays, {"a.json": json.dumps({"lr": 0.1, "loss": [1, 2, 3]})})
    assert "and so on" not in said(parsed)


@pytest.mark.parametrize("indent", [None, 1])
def test_numbered_values_beside_a_setting_are_a_series(read: Reader, indent: int | None) -> None:
    """What pandas wrote of a history, with the settings of the run or its best value."""
    losses = {str(at): 4 - at / 8 for at in range(12)}
    document = {"lr": 0.5, "loss": losses, "history": {"acc": losses}, "best": 2}
    (parsed,) = read(json_arrays, {"a.json": json.dumps(document, indent=indent)})
    history = joined(parsed).history
    wanted = {at: 4 - at / 8 for at in range(12)}
    assert history.to_dict() == {"loss": wanted, "history/acc": wanted}
    assert dict(parsed.config) == {"lr": 0.5, "best": 2}


def test_what_is_no_array_of_numbers_is_told(read: Reader) -> None:
    """A number may come late; what has none, or stands too deep, is named."""
    late = {"gaps": [None] * 150 + [2.0] * 150, "texts": ["NaN"] * 299 + [1.0]}
    passed = {
        "one": [1.5],
        "pairs": [[1, 2]] * 300,
        "evals": [{"val": 2}],
        "words": ["x"],
        "a": {"b": {"c": [1, 2]}},
    }
    nothing = {"none": [None] * 300, "empty": [], "c": {"d": {"e": 1}}}
    document = {"loss": [3.0] * 300, **late, **passed, **nothing}
    (parsed,) = read(json_arrays, {"a.json": json.dumps(document)})
    found = joined(parsed)
    assert list(found.history) == ["loss", "gaps", "texts"]
    assert found.history["gaps"].notna().sum() == 150
    assert len(found.nonfinite) == 299
    assert "4 lists that are no series of numbers were left out (one, pairs, evals, words)" in said(
        parsed
    )
    assert "1 object that holds lists below the second level was left out (a/b)" in said(parsed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"columns": ["step"], "index": [0, 1], "data": [[0], [1]]}', "pandas splits it; write"),
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
