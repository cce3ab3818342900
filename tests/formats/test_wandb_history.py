"""Histories of W&B runs as they are kept: the same however they came, nothing lost unsaid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import limits, wandb_history
from viz3d.formats.joining import join_rows
from viz3d.formats.tally import Tally
from viz3d.formats.wandb_rows import WandbRows, plain_config, to_log

FILE = f"sweep/a/{wandb_history.FILE}"
RUN: dict[str, Any] = {"id": "x7", "state": "finished", "config": {"lr": {"value": 0.1}}}

_NUMBERS = st.floats() | st.integers(-(2**70), 2**70) | st.booleans()
_TEXTS = st.sampled_from(["NaN", "Infinity", "-Infinity", "0.5", "", "x"]) | st.text(max_size=4)
_VALUES = st.recursive(
    _NUMBERS | _TEXTS | st.none(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "_type", "b/c"]), inner, max_size=2)
    ),
    max_leaves=4,
)
_KEYS = st.sampled_from(["_step", "step", "iter", "loss", "name", "_wandb", " a ", "é"])
_ROWS = st.lists(st.dictionaries(_KEYS, _VALUES, max_size=5).map(json.dumps), max_size=12)
_LINES = st.lists(st.sampled_from(["", "{", "[1]", "NaN", '{"_step": 1e999}']), max_size=2)


def read(data: bytes, folder: Path) -> Any:
    """Return what a history holds as a file."""
    path = folder / "history"
    path.write_bytes(data)
    [parsed] = wandb_history.read({FILE: path})
    return parsed


@settings(max_examples=60, deadline=None)
@given(rows=_ROWS, odd=_LINES, cut=st.integers(0, 14))
def test_pieces_give_the_same_file_as_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], odd: list[str], cut: int
) -> None:
    """Whatever the rows hold and wherever they are cut; and what comes out can be joined."""
    lines = [*rows, *odd]
    whole = wandb_history.pack(None, lines, RUN)
    folder = tmp_path_factory.mktemp("pieces")
    (folder / "older").write_bytes(wandb_history.pack(None, lines[:cut], RUN))
    assert wandb_history.pack(folder / "older", lines[cut:], RUN) == whole
    parsed = read(whole, folder)
    steps = join_rows(parsed.rows).history.index
    assert steps.is_monotonic_increasing
    assert steps.is_unique


def test_what_is_no_number_is_counted_over_all_pieces(tmp_path: Path) -> None:
    """Media, text and rows that are none; a gap is no NaN."""
    lines = [
        '{"_step": 0, "loss": NaN, "image": {"_type": "image-file"}}',
        '{"_step": 1, "lr": "Infinity", "_wandb": {"runtime": 1}}',
        '{"_step": 2, "text": "hello", "deep": {"a": {"b": 4, "table": {"_type": "table-file"}}}}',
        "[]",
    ]
    older = tmp_path / "older"
    older.write_bytes(wandb_history.pack(None, lines[:2], RUN))
    parsed = read(wandb_history.pack(older, lines[2:], RUN), tmp_path)
    told = [problem.what for problem in parsed.problems]
    assert told == [
        "2 values of media (images, tables, histograms) were left out (image, deep/a/table).",
        "1 value that was no number was left out (text).",
        "1 row that was no JSON object was left out.",
    ]
    assert parsed.rows.step.tolist() == [0, 1, 2]
    assert set(parsed.rows.columns) == {"loss", "lr", "deep/a/b"}
    joined = join_rows(parsed.rows)
    assert joined.nonfinite["metric"].tolist() == ["loss", "lr"]
    assert np.isnan(joined.history["loss"][1])
    assert parsed.config == {"lr": 0.1, "_wandb": {"id": "x7", "state": "finished"}}


@pytest.mark.parametrize(
    ("rows", "steps"),
    [
        ([{"_step": 7, "step": 3}, {"_step": 8, "step": 3}], [3]),
        ([{"_step": 7, "iter": 100}, {"_step": 8, "iter": 200}], [100, 200]),
        ([{"_step": 7, "trainer/global_step": 5}], [5]),
        ([{"_step": 7, "epoch": 0}, {"_step": 8, "epoch": 0}], [7, 8]),
        ([{"_step": 7, "step": 0.5}, {"_step": 8, "step": 0.6}], [7, 8]),
        ([{"_step": 7}], [7]),
    ],
)
def test_the_step_that_was_logged_wins_over_the_count_of_calls(rows, steps):
    """An epoch says less than that count, and half a step is none."""
    tally = Tally("x")
    builder = WandbRows(tally)
    for row in rows:
        builder.add({**row, "loss": 1.0})
    log = to_log(builder.table(), tally)
    assert join_rows(log).history.index.tolist() == steps
    assert "_step" not in log.columns


def test_a_name_that_nesting_makes_twice_is_told() -> None:
    """The later value counts, as of any name that stands twice; the other is not lost unsaid."""
    tally = Tally("f")
    rows = WandbRows(tally)
    rows.add({"_step": 0, "a": {"b": 1}, "a/b": 2})
    assert rows.table().full("a/b").tolist() == [2.0]
    (problem,) = tally.problems()
    assert problem.what == "1 value of a name that stood twice in a row was left out (a/b)."
    assert problem.remedy


def test_a_very_deep_value_is_left_out() -> None:
    """It is counted, and does not take the row along."""
    value: Any = 1
    for _ in range(500):
        value = {"a": value}
    tally = Tally("x")
    builder = WandbRows(tally)
    builder.add({"_step": 0, "loss": 2.0, "deep": value})
    assert set(builder.table().columns) == {"_step", "loss"}
    (problem,) = tally.problems()
    assert "deeper than 32" in problem.what
    assert "VIZ3D_MAX_DEPTH" in problem.remedy  # where it is read from the log itself


def test_a_config_too_large_is_said(tmp_path: Path) -> None:
    """The history is there all the same; said once, however often it is packed."""
    run = {**RUN, "config": {"vocabulary": "x" * 1_100_000}}
    (tmp_path / "older").write_bytes(wandb_history.pack(None, ['{"_step": 0, "loss": 1}'], run))
    parsed = read(wandb_history.pack(tmp_path / "older", [], run), tmp_path)
    told = [problem.what for problem in parsed.problems]
    assert told == ["The config is larger than 1 MiB, so it was left out."]
    assert len(parsed.rows.step) == 1


def test_config_is_unwrapped() -> None:
    """W&B keeps a description beside each value, and things of its own."""
    config = {"lr": {"value": 0.1, "desc": None}, "plain": 3, "_wandb": {"value": {}},
              "wandb_version": 1}  # fmt: skip
    assert plain_config(config) == {"lr": 0.1, "plain": 3}


def test_a_file_that_is_none_is_declined(tmp_path: Path) -> None:
    """Any other Parquet, a cut file, and a description that is odd."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "x"
    good = wandb_history.pack(None, ['{"_step": 0}'], RUN)
    for data in (b"", b"PAR1", good[:-9]):
        path.write_bytes(data)
        with pytest.raises(NotMine):
            wandb_history.read({FILE: path})
    for said in (None, b"{", b"[]", b'{"schema": 2}', b'{"schema": 1, "run": 3, "left_out": []}',
                 b'{"schema": 1, "run": {}, "left_out": [3]}', b"[" * 100_000,
                 b'{"schema": 1, "run": {"config": 3}, "left_out": []}',
                 b'{"schema": 1, "run": {"missing": "x"}, "left_out": []}'):  # fmt: skip
        table = pa.table({"_step": [1]})
        key = {b"viz3d.wandb": said} if said is not None else {b"other": b"x"}
        pq.write_table(table.replace_schema_metadata(key), path)
        with pytest.raises(NotMine):
            wandb_history.read({FILE: path})


def test_the_file_is_claimed_for_its_folder() -> None:
    """Whatever a run is called."""
    for name in ("a", "a/b", "a\nb", "<b>", "a b (id)"):
        claim = wandb_history.claim(f"{name}/{wandb_history.FILE}")
        assert claim is not None
        assert claim.run == name
    assert wandb_history.claim("a/other.parquet") is None


def sparse(n: int) -> list[str]:
    """Return rows with `_step`, one of ten metrics in each, and two that are logged together."""
    return [json.dumps({"_step": at, f"m{at % 10}": at, "x": 0.5, "y": at}) for at in range(n)]


def test_a_history_is_bounded_by_its_numbers_and_not_by_its_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was fetched is read and gone on with, though most of its cells are empty."""
    monkeypatch.setattr(limits, "CELLS", 10)
    monkeypatch.setattr(wandb_history, "AT_ONCE", 60)
    monkeypatch.setattr(wandb_history, "FEWEST", 1)
    whole = wandb_history.pack(None, sparse(40), RUN)
    older = tmp_path / "older"
    older.write_bytes(wandb_history.pack(None, sparse(40)[:23], RUN))
    assert wandb_history.pack(older, sparse(40)[23:], RUN) == whole
    parsed = read(whole, tmp_path)
    history = join_rows(parsed.rows).history
    assert parsed.problems == ()
    assert history["m7"].dropna().to_dict() == {7: 7, 17: 17, 27: 27, 37: 37}
    assert history["y"].tolist() == list(range(40))


def test_a_history_beyond_the_room_for_numbers_is_read_up_to_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told; to go on with what would lose rows is refused, with the setting."""
    monkeypatch.setattr(wandb_history, "AT_ONCE", 60)
    monkeypatch.setattr(wandb_history, "FEWEST", 1)
    older = tmp_path / "older"
    older.write_bytes(wandb_history.pack(None, sparse(40), RUN))
    monkeypatch.setattr(limits, "NUMBERS", 200)
    parsed = read(older.read_bytes(), tmp_path)
    n = len(parsed.rows.step)
    assert 0 < n < 40
    assert parsed.rows.step.tolist() == list(range(n))
    (problem,) = parsed.problems
    assert problem.what.startswith(f"The last {40 - n} rows were left out")
    with pytest.raises(NotMine, match="VIZ3D_MAX_NUMBERS"):
        wandb_history.pack(older, [], RUN)
    monkeypatch.setattr(limits, "NUMBERS", 39)  # so many rows are not even looked at
    with pytest.raises(NotMine, match="VIZ3D_MAX_NUMBERS"):
        read(older.read_bytes(), tmp_path)


def test_a_row_group_larger_than_any_that_is_kept_is_not_unfolded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million empty cells may take a few bytes."""
    packed = wandb_history.pack(None, sparse(40), RUN)
    monkeypatch.setattr(wandb_history, "AT_ONCE", 39 * 13)
    monkeypatch.setattr(wandb_history, "FEWEST", 1)
    with pytest.raises(NotMine, match="no history that viz3d kept"):
        read(packed, tmp_path)


def test_what_there_was_room_for_when_it_came_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty counts and thirty values; twenty rows, of which ten hold the others: four for each."""
    together = {"a": 1, "b": 2, "c": 3}
    rows = [json.dumps({"_step": at} | (together if at % 2 else {})) for at in range(20)]
    monkeypatch.setattr(limits, "NUMBERS", 20 + 30 + 4 * (20 + 10))
    parsed = read(wandb_history.pack(None, rows, RUN), tmp_path)
    assert parsed.problems == ()
    assert len(parsed.rows.step) == 20


def test_what_was_cut_when_it_was_fetched_is_told_with_the_cap_of_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A larger cap alone brings nothing back; the count goes on with the rows."""
    deep: Any = 1
    for _ in range(40):
        deep = {"a": deep}
    run = {**RUN, "config": {"vocabulary": "x" * 1_100_000}}
    rows = [json.dumps({"_step": at, "a": 1, "b": 2, "c": 3, "d": deep}) for at in range(10)]
    monkeypatch.setattr(limits, "METRICS", 3)
    whole = wandb_history.pack(None, rows, run)
    older = tmp_path / "older"
    older.write_bytes(wandb_history.pack(None, rows[:4], run))
    assert wandb_history.pack(older, rows[4:], run) == whole
    for cap, value in (("METRICS", 5_000), ("DEPTH", 50), ("CONFIG_BYTES", 64 * limits.MIB)):
        monkeypatch.setattr(limits, cap, value)
    problems = read(whole, tmp_path).problems
    assert [problem.what for problem in problems] == [
        "10 values nested deeper than 32 levels were left out.",
        "10 values of metrics beyond the first 3 were left out.",
        "The config is larger than 1 MiB, so it was left out.",
    ]
    assert "cache clear" in problems[1].remedy
    assert "fetch the run" in problems[1].remedy
    assert all("to more if you trust the file" not in problem.remedy for problem in problems)


def test_a_cap_that_was_lowered_loses_nothing_of_the_older_rows_unsaid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    older.write_bytes(wandb_history.pack(None, ['{"_step": 0, "a": 1, "b": 2}'], RUN))
    monkeypatch.setattr(limits, "METRICS", 2)
    packed = wandb_history.pack(older, ['{"_step": 1, "a": 1, "b": 2}'], RUN)
    monkeypatch.setattr(limits, "METRICS", 5_000)
    (problem,) = read(packed, tmp_path).problems
    assert problem.what == "2 values of metrics beyond the first 2 were left out."
