"""JSON lines with any column names."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import jsonl, limits
from viz3d.formats.numbers import clean_name
from viz3d.formats.reading import read_run
from viz3d.formats.tally import Tally

from .conftest import Reader, joined, said


def test_rows_are_read(read: Reader) -> None:
    """Numbers of any name become columns, with the step as the index."""
    (parsed,) = read(jsonl, {"a.jsonl": '{"step": 0, "my loss": 2}\n{"step": 5, "my loss": 1.5}\n'})
    history = joined(parsed).history
    assert history.index.tolist() == [0, 5]
    assert history["my loss"].tolist() == [2.0, 1.5]
    assert parsed.problems == ()


def test_bad_lines_are_left_out_and_counted(read: Reader) -> None:
    """Garbage, arrays, two objects on a line and NUL bytes cost only themselves."""
    lines = [
        b'{"step": 0, "loss": 3}', b"garbage", b"[1, 2]", b'{"step": 1} {"step": 2}',
        b'{"step": 3, "loss": \x00}', b"7", b'{"step": 4, "loss": 2}', b'{"st\xff": 5}',
    ]  # fmt: skip
    (parsed,) = read(jsonl, {"a.jsonl": b"\n".join(lines) + b"\n"})
    assert joined(parsed).history["loss"].to_dict() == {0: 3.0, 4: 2.0}
    no_object, no_text = parsed.problems
    assert (no_object.line, no_object.file) == (2, "a.jsonl")
    assert no_object.what.startswith("5 lines")
    assert (no_text.line, no_text.file) == (8, "a.jsonl")
    assert no_text.what.startswith("1 line that is no UTF-8 text")


def test_a_cut_last_line_is_told_as_such(read: Reader) -> None:
    """A torn tail reads as a crash or a running writer, not as garbage."""
    (parsed,) = read(jsonl, {"a.jsonl": '{"step": 0, "loss": 3}\n{"step": 1, "lo'})
    assert joined(parsed).history["loss"].tolist() == [3.0]
    assert "The last line is cut" in said(parsed)
    assert parsed.problems[0].line == 2


def test_nan_and_infinity_are_facts(read: Reader) -> None:
    """Values that are not finite are kept, in each of the ways in which they are written."""
    text = (
        '{"step": 0, "a": NaN}\n{"step": 1, "a": Infinity}\n{"step": 2, "a": 1e400}\n'
        '{"step": 3, "a": "NaN"}\n{"step": 4, "a": null}\n{"step": 5}\n'
    )
    (parsed,) = read(jsonl, {"a.jsonl": text})
    odd = joined(parsed).nonfinite
    assert odd["step"].tolist() == [0, 1, 2, 3]
    assert odd["value"].tolist()[1:3] == [math.inf, math.inf]


def test_text_numbers_and_booleans_are_taken_and_told(read: Reader) -> None:
    """Only exact decimal forms count as numbers; the rest of the text is left out and told."""
    text = (
        '{"step": 0, "a": "0.5", "ok": true, "who": "me"}\n'
        '{"step": 1, "a": "1e3", "ok": false, "who": "me"}\n{"step": 2, "a": "1,5"}\n'
    )
    (parsed,) = read(jsonl, {"a.jsonl": text})
    history = joined(parsed).history
    assert history["a"].dropna().tolist() == [0.5, 1000.0]
    assert history["ok"].dropna().tolist() == [1.0, 0.0]
    assert "2 numbers written as text were taken as numbers (a)" in said(parsed)
    assert "2 true/false values" in said(parsed)
    assert "3 values that were no number were left out (a, who)" in said(parsed)


def test_one_level_of_nesting_is_flattened(read: Reader) -> None:
    """A nested object gives outer/inner; what is nested deeper is left out and told."""
    (parsed,) = read(jsonl, {"a.jsonl": '{"step": 0, "train": {"loss": 2, "deep": {"x": 1}}}\n'})
    assert list(joined(parsed).history.columns) == ["train/loss"]
    assert "train/deep" in said(parsed)


def test_a_missing_step_numbers_the_rows(read: Reader) -> None:
    """Without a step column the rows are numbered, and the user is told."""
    (parsed,) = read(jsonl, {"a.jsonl": '{"loss": 2}\n{"loss": 1}\n'})
    assert joined(parsed).history.index.tolist() == [0, 1]
    assert "numbered from 0" in said(parsed)


def test_rows_without_a_step_are_not_mixed_with_others(read: Reader) -> None:
    """Where other rows have a step, one without a whole one is left out and counted."""
    text = '{"step": 3, "a": 1}\n{"a": 2}\n{"step": 4.5, "a": 3}\n{"step": 6, "a": 4}\n'
    (parsed,) = read(jsonl, {"a.jsonl": text + '{"step": 7, "a": 5}\n'})
    assert joined(parsed).history["a"].to_dict() == {3: 1.0, 6: 4.0, 7: 5.0}
    assert "2 rows without a whole number as 'step'" in said(parsed)


def test_large_steps_stay_exact(read: Reader) -> None:
    """A step beyond 2^53 is not rounded to its neighbour."""
    (parsed,) = read(jsonl, {"a.jsonl": '{"step": 9007199254740993, "a": 1}\n'})
    assert joined(parsed).history.index.tolist() == [9007199254740993]


def test_an_empty_file_is_a_run_without_rows(read: Reader) -> None:
    """A run that has just started is no error."""
    (parsed,) = read(jsonl, {"a.jsonl": ""})
    assert len(joined(parsed).history) == 0
    assert "no rows in it yet" in said(parsed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("hello\nworld\n", "no line of it is a JSON object"),
        ('{"question": "why?"}\n', "hold no numbers"),
        ('{"step": 0}\n'.encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\x00\x00", "no text"),
    ],
)
def test_it_declines_with_a_reason(read: Reader, content: str | bytes, reason: str) -> None:
    """What is no log of JSON lines is declined in words."""
    with pytest.raises(NotMine, match=reason):
        read(jsonl, {"a.jsonl": content})


def test_caps_cost_only_what_is_over_them(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line, a nesting or a number of metrics over the cap is left out and told."""
    monkeypatch.setattr(limits, "LINE_BYTES", 1000)
    monkeypatch.setattr(limits, "METRICS", 5)
    wide = json.dumps({"step": 1, **{f"m{at}": at for at in range(9)}})
    long = json.dumps({"step": 2, "a": "x" * 2000})
    deep = '{"step": 3, "a": ' + "[" * 400 + "]" * 400 + "}"
    text = "\n".join(['{"step": 0, "m0": 1}', wide, long, deep, '{"step": 4, "m0": 2}', ""])
    (parsed,) = read(jsonl, {"a.jsonl": text})
    history = joined(parsed).history
    assert history["m0"].dropna().to_dict() == {0: 1.0, 1: 0.0, 4: 2.0}
    assert len(history.columns) <= 5
    assert "longer than" in said(parsed)
    assert "of metrics beyond the first" in said(parsed)


@pytest.mark.parametrize("beside", ["", "[1]\n"], ids=["Arrow", "line by line"])
def test_a_line_of_too_many_values_is_left_out_and_one_with_commas_in_its_text_is_not(
    read: Reader, monkeypatch: pytest.MonkeyPatch, beside: str
) -> None:
    """Whatever reads the block: with a line that is no object, another one does."""
    monkeypatch.setattr(limits, "LINE_VALUES", 20)
    full = json.dumps({"step": 1, "x": 1, "a": [0] * 18})
    over = json.dumps({"step": 2, "x": 2, "a": [0] * 19})
    text = json.dumps({"step": 3, "x": 3, "t": '\\",' * 30})
    (parsed,) = read(jsonl, {"a.jsonl": f"{full}\n{over}\n{text}\n{beside}"})
    assert joined(parsed).history["x"].to_dict() == {1: 1.0, 3: 3.0}
    assert "1 line of more than 20 values was left out" in said(parsed)


def test_a_very_deep_line_does_not_bring_the_reader_down(read: Reader) -> None:
    """100,000 brackets, hidden among many good lines, are a bad line and not a crash."""
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    good = [f'{{"step": {step}, "a": {step}}}\n' for step in range(50_000)]
    (parsed,) = read(jsonl, {"a.jsonl": "".join([*good[:300], deep, *good[300:]])})
    assert len(joined(parsed).history) == 50_000
    assert parsed.problems[0].line == 301


@pytest.mark.parametrize("start", ["", "bad\n"], ids=["fast", "careful"])
@pytest.mark.parametrize("first", ['"a/b"', '"a/b "'])
def test_names_that_become_one_are_told(read: Reader, first: str, start: str) -> None:
    """Two keys that are one metric once flattened: the later one is kept and counted."""
    row = f'{{"step": 0, {first}: 1, "a": {{"b": 2}}}}\n'
    (parsed,) = read(jsonl, {"a.jsonl": start + row})
    rows = joined(parsed)
    assert rows.history.to_numpy().tolist() == [[2.0]]
    assert rows.replaced == 1


@pytest.mark.parametrize("start", ["", "bad\n"], ids=["fast", "careful"])
def test_long_names_stay_apart(tmp_path: Path, start: str) -> None:
    """Where one is cut a checksum of the whole follows, and that is told."""
    path = tmp_path / "a.jsonl"
    row = json.dumps({"step": 0, "x" * 200 + "/a": 1, "x" * 200 + "/b": 2, "x" * 200: 3})
    path.write_text(f"{start}{row}\n")
    (run,) = read_run("a", {"a.jsonl": path})
    assert run.joined.history.to_numpy().tolist() == [[1, 2, 3]]
    assert {len(name) for name in run.joined.history} == {200}
    assert all(clean_name(name) == name for name in run.joined.history)
    told = "2 metrics are shown by the beginnings of their names, which have more than 200"
    assert told in "\n".join(map(str, run.problems))


@pytest.mark.parametrize("start", ["", "bad\n"], ids=["fast", "careful"])
def test_names_alike_but_for_spaces_are_told(read: Reader, start: str) -> None:
    """Also where no row has a value of both."""
    rows = ('{"step": 0, "loss": 1, "loss ": null}\n', '{"step": 1, "loss": null, "loss ": 2}\n')
    (parsed,) = read(jsonl, {"a.jsonl": start + "".join(rows)})
    assert joined(parsed).history["loss"].tolist() == [1, 2]
    assert "of a name that differs from another one in spaces alone" in said(parsed)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_that_says_null_is_a_bad_line(read: Reader, place: int) -> None:
    """``null`` is no row wherever it stands; at the top it would end the process."""
    lines = ['{"loss": 3}', '{"loss": 2}']
    lines.insert(place, "null")
    (parsed,) = read(jsonl, {"a.jsonl": "\n".join([*lines, ""])})
    assert joined(parsed).history["loss"].tolist() == [3.0, 2.0]
    assert parsed.problems[0].line == place + 1
    assert "no JSON object" in parsed.problems[0].what


def test_a_file_that_says_null_is_declined(read: Reader) -> None:
    """A document without content is declined, and the process lives on."""
    with pytest.raises(NotMine, match="no line of it is a JSON object"):
        read(jsonl, {"a.jsonl": "null"})


def test_very_many_names_are_cut_at_the_cap(read: Reader) -> None:
    """A log whose every line brings a new name is read, up to the cap."""
    (parsed,) = read(jsonl, {"a.jsonl": "".join(f'{{"k{at}": {at}}}\n' for at in range(20_000))})
    assert len(joined(parsed).history.columns) == limits.METRICS
    assert "18,000 values of metrics beyond the first 2,000" in said(parsed)


def test_the_cap_on_names_holds_across_blocks(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many small blocks with names of their own do not add up beyond the cap."""
    monkeypatch.setattr("viz3d.formats.text.BLOCK_BYTES", 64)
    monkeypatch.setattr(limits, "METRICS", 10)
    (parsed,) = read(jsonl, {"a.jsonl": "".join(f'{{"k{at}": {at}}}\n' for at in range(50))})
    assert len(joined(parsed).history.columns) == 10
    assert "40 values of metrics beyond" in said(parsed)


def test_two_objects_on_one_line_are_no_rows(read: Reader) -> None:
    """Two writers that wrote into each other cost the one line where they did."""
    text = '{"step": 0, "a": 1}\n{"step": 1, "a": 2}{"step": 2, "a": 3}\n{"step": 3, "a": 4}\n'
    (parsed,) = read(jsonl, {"a.jsonl": text})
    assert joined(parsed).history["a"].to_dict() == {0: 1.0, 3: 4.0}
    assert parsed.problems[0].line == 2


def test_a_byte_order_mark_and_windows_line_ends_are_no_news(read: Reader) -> None:
    """Files written on Windows read like others."""
    (parsed,) = read(
        jsonl, {"a.jsonl": b'\xef\xbb\xbf{"step": 0, "a": 1}\r\n{"step": 1, "a": 2}\r\n'}
    )
    assert joined(parsed).history["a"].tolist() == [1.0, 2.0]
    assert parsed.problems == ()


def test_blocks_are_stacked_in_order(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many blocks, one of which needs the careful reader, keeps every good line."""
    monkeypatch.setattr("viz3d.formats.text.BLOCK_BYTES", 256)
    lines = [json.dumps({"step": step, "loss": step / 7}) for step in range(200)]
    lines[100] = "not a row"
    (parsed,) = read(jsonl, {"a.jsonl": "\n".join(lines) + "\n"})
    history = joined(parsed).history
    assert history["loss"].to_dict() == {step: step / 7 for step in range(200) if step != 100}
    assert parsed.problems[0].line == 101


records = st.dictionaries(
    st.sampled_from(["step", "loss", "lr", "b/c"]),
    st.one_of(st.integers(-9, 99), st.floats(), st.none(), st.text(max_size=3), st.booleans()),
    max_size=4,
)


@given(st.lists(records, max_size=20), st.lists(st.binary(max_size=20), max_size=5), st.randoms())
@settings(max_examples=150, deadline=None)
def test_junk_between_good_lines_changes_nothing(good, junk, random) -> None:
    """The fast and the careful reader agree, and no junk makes either of them raise."""
    lines = [json.dumps(record).encode() for record in good]
    mixed = list(lines)
    for piece in junk:
        bad = b"!" + piece.replace(b"\n", b"").replace(b"\r", b"")
        mixed.insert(random.randint(0, len(mixed)), bad)
    with tempfile.TemporaryDirectory() as folder:
        clean, dirty = Path(folder, "clean"), Path(folder, "dirty")
        # A first line that the fast reader takes keeps the file from looking binary.
        clean.write_bytes(b"\n".join([b"{}", *lines, b""]))
        dirty.write_bytes(b"\n".join([b"{}", *mixed, b""]))
        one, two = (jsonl.read_table(path, Tally("f")) for path in (clean, dirty))
    assert one.n == two.n == len(good) + 1
    assert one.columns.keys() == two.columns.keys()
    for name, cells in one.columns.items():
        assert cells.row.tolist() == two.columns[name].row.tolist()
        assert repr(cells.value.astype(float).tolist()) == repr(
            two.columns[name].value.astype(float).tolist()
        )


def test_a_real_log_of_a_fork_of_nanochat(real_data: Path) -> None:
    """75 rows from step 200 to 1,679, with a gradient norm for each of 8 parts."""
    name = "mst_diagnostics_aggdist_d8.jsonl"
    (parsed,) = jsonl.read({name: real_data / "per-layer-jsonl" / name})
    history = joined(parsed).history
    assert len(history) == 75
    assert (history.index[0], history.index[-1]) == (200, 1679)
    assert history["train_loss"].iloc[0] == 4.715063571929932
    assert sum(column.startswith("grad_norm_S") for column in history) == 8


@pytest.mark.parametrize(("name", "hinted"), [("a.jsonl", True), ("a.json", False)])
def test_a_document_is_told_to_have_a_name_that_says_so(
    read: Reader, name: str, hinted: bool
) -> None:
    """Unless it has one."""
    with pytest.raises(NotMine) as error:
        read(jsonl, {name: "[[]]"})
    assert ("let its name end in .json" in str(error.value)) is hinted
