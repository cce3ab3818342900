"""CSV with any column names."""

from __future__ import annotations

import csv
import io
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz3d.errors import NotMine
from viz3d.formats import csv_any, text
from viz3d.formats.delimited import read_table
from viz3d.formats.dialect import HEAD_BYTES
from viz3d.formats.tally import Tally

from .conftest import Reader, joined, said


def test_columns_of_any_name_are_read_with_gaps(read: Reader) -> None:
    """Empty cells are gaps, and the iteration is taken for the step."""
    (parsed,) = read(csv_any, {"a.csv": "iter,my loss,val\n0,3.5,\n10,3.0,2.9\n"})
    history = joined(parsed).history
    assert history.index.tolist() == [0, 10]
    assert history["my loss"].tolist() == [3.5, 3.0]
    assert history["val"].dropna().to_dict() == {10: 2.9}
    assert parsed.problems == ()


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found(read: Reader, delimiter: str) -> None:
    """A file with semicolons or tabs is never one nonsense column."""
    text = "step,a,b\n0,1,2\n1,3,4\n".replace(",", delimiter)
    (parsed,) = read(csv_any, {"a.csv": text})
    assert joined(parsed).history["b"].tolist() == [2.0, 4.0]


def test_a_decimal_comma_is_read_and_told(read: Reader) -> None:
    """Numbers as spreadsheets write them in Europe are numbers."""
    (parsed,) = read(csv_any, {"a.csv": "step;loss\n0;2,5\n1;1,25\n"})
    assert joined(parsed).history["loss"].tolist() == [2.5, 1.25]
    assert "decimal comma" in said(parsed)


@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
def test_a_point_beside_decimal_commas_may_part_thousands(
    read: Reader, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """What may be one number or a thousand times another is left out, and told."""
    rows = "0;3,5;1.024\n1;2,9;0.048\n2;2.25;13.072.100\n1.000;2,8;7\n3;2,5;1.5\n500;2,000;-\n"
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    (parsed,) = read(csv_any, {"a.csv": "step;loss;tokens\n" + rows})
    history = joined(parsed).history
    assert history["loss"].to_dict() == {0: 3.5, 1: 2.9, 2: 2.25, 3: 2.5, 500: 2.0}
    assert history["tokens"].dropna().to_dict() == {1: 0.048, 3: 1.5}
    assert "a.csv:2: 3 numbers with a point that may part thousands were left out" in said(parsed)
    assert "1 row without a whole number as 'step'" in said(parsed)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ("500;2,500\n1.000;2,125\n700;1,500\n", [2.5, 1.5]),
        ("1,000;3.217\n2;0.5\n3;1.217\n", [0.5, 1.217]),
        ("1;2,125\n2;2,250\n", [2.125, 2.25]),
        ("1;2.125\n2;2.250\n", [2.125, 2.25]),
    ],
)
def test_the_decimal_mark_is_the_one_that_parts_no_thousands(
    read: Reader, rows: str, wanted: list[float]
) -> None:
    (parsed,) = read(csv_any, {"a.csv": "step;loss\n" + rows})
    assert joined(parsed).history["loss"].dropna().tolist() == wanted


def test_ragged_rows_cost_only_themselves(read: Reader) -> None:
    """Rows that do not fit the header are left out, with the first line named."""
    (parsed,) = read(csv_any, {"a.csv": "step,a\n0,1\n1\n2,3,4\n3,5\n"})
    assert joined(parsed).history["a"].to_dict() == {0: 1.0, 3: 5.0}
    assert parsed.problems[0].line == 3
    assert "2 rows with another number of cells" in said(parsed)


@pytest.mark.parametrize(
    ("odd", "told"),
    [("149999,8,9", [150_001]), ("149999,word", [150_001]), ('149999,"8', [150_001])],
)
def test_an_odd_row_far_down_costs_only_itself(
    read: Reader, odd: str, told: list[int | None]
) -> None:
    """A file that several threads read is told of as one that one thread reads."""
    lines = ["step,loss", *(f"{step},{step}.25" for step in range(200_000))]
    lines[150_000] = odd
    (parsed,) = read(csv_any, {"a.csv": "\n".join(lines) + "\n"})
    loss = joined(parsed).history["loss"].dropna().drop(149_999, errors="ignore")
    assert len(loss) == 199_999
    assert (loss == loss.index + 0.25).all()
    assert [problem.line for problem in parsed.problems] == told


def test_an_unclosed_quote_swallows_only_its_line(read: Reader) -> None:
    """The rows behind a quote that is never closed are not lost."""
    rows = "".join(f"{step},{step / 2}\n" for step in range(2, 9))
    (parsed,) = read(csv_any, {"a.csv": 'step,a\n0,1\n1,"2\n' + rows})
    history = joined(parsed).history
    assert {0, *range(2, 9)} <= set(history.index)
    assert history["a"].loc[8] == 4.0


def test_text_in_a_column_of_numbers_is_left_out(read: Reader) -> None:
    """One cell of text does not cost the column, wherever it stands."""
    rows = [f"{step},{step / 8}" for step in range(2000)]
    rows[1500] = "1500,oops"
    (parsed,) = read(csv_any, {"a.csv": "step,a\n" + "\n".join(rows) + "\n"})
    values = joined(parsed).history["a"].dropna()
    assert values.to_dict() == {step: step / 8 for step in range(2000) if step != 1500}
    assert "1 value that was no number was left out (a)" in said(parsed)


def test_nan_and_infinity_are_facts(read: Reader) -> None:
    """A loss that was logged as NaN is told from one that was not logged."""
    (parsed,) = read(csv_any, {"a.csv": "step,loss\n0,1\n1,nan\n2,\n3,-inf\n4,1e400\n"})
    odd = joined(parsed).nonfinite
    assert odd["step"].tolist() == [1, 3, 4]
    assert odd["value"].tolist()[1:] == [-math.inf, math.inf]


def test_repeated_and_missing_names_get_their_own(read: Reader) -> None:
    """A name that stands twice in the header keeps both columns."""
    (parsed,) = read(csv_any, {"a.csv": "step,a,a,\n0,1,2,3\n1,4,5,6\n"})
    history = joined(parsed).history
    assert list(history.columns) == ["a", "a (2)", "col_4"]
    assert "stood twice in the header (a)" in said(parsed)


def test_a_hexadecimal_number_is_none_whatever_stands_beside_it(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow takes it for one in a column of whole numbers, that is in some blocks."""
    for size in (text.BLOCK_BYTES, 9):
        monkeypatch.setattr(text, "BLOCK_BYTES", size)
        (parsed,) = read(csv_any, {"a.csv": "step,a\n0,1\n1,0x1F\n2,2\n3,2.5\n"})
        assert joined(parsed).history["a"].dropna().to_dict() == {0: 1.0, 2: 2.0, 3: 2.5}
        assert "a.csv:3: 1 value that was no number was left out (a)" in said(parsed)


@pytest.mark.parametrize(
    "label", ["2024-01-01", "12:30", "2024-01-01 10:00:00", "2024-01-01T10:00:00Z"]
)
def test_a_layer_may_go_by_a_date(
    read: Reader, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    """Arrow takes it for one in a column of nothing else, that is in some blocks."""
    for size in (text.BLOCK_BYTES, 9):
        for names in ([label] * 3, [label, "h.0", label], [label, "", "7"]):
            lines = [f"{step},{name},1.5\n" for step, name in enumerate(names)]
            monkeypatch.setattr(text, "BLOCK_BYTES", size)
            (parsed,) = read(csv_any, {"a.csv": "".join(["step,name,grad_norm\n", *lines])})
            assert parsed.layers is not None
            assert label in parsed.layers["name"].tolist()
            assert "no number" not in said(parsed)


def test_columns_beyond_the_cap_are_counted(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are read, whichever way; a row is still as long as the header."""
    monkeypatch.setattr("viz3d.formats.limits.METRICS", 2)
    (parsed,) = read(csv_any, {"a.csv": 'step,a,b,c\n0,1,2,3\n1,5\n2,4,5,"6\n'})
    assert joined(parsed).history.to_dict() == {"a": {0: 1.0, 2: 4.0}}
    assert "2 columns beyond the first 2 were left out. Set VIZ3D_MAX_METRICS" in said(parsed)


def test_a_file_without_a_header_is_told(read: Reader) -> None:
    """The first row of numbers is a row, not a header."""
    (parsed,) = read(csv_any, {"a.csv": "0,1.5\n1,2.5\n"})
    assert joined(parsed).history["col_2"].tolist() == [1.5, 2.5]
    assert "no header" in said(parsed)


@pytest.mark.parametrize("first", ["0,3.0,nan", "0,3.0,", "0,-inf,none", "0,3.0,N/A"])
def test_a_row_that_lacks_a_number_is_no_header(read: Reader, first: str) -> None:
    """The first row of many a table has nothing yet of some column."""
    (parsed,) = read(csv_any, {"a.csv": first + "\n1,2.9,0.1\n"})
    assert joined(parsed).history.shape == (2, 3)
    assert "no header" in said(parsed)


def test_numbers_may_be_names(read: Reader) -> None:
    """So pandas calls columns without a name, and rows have their numbers before them."""
    (parsed,) = read(csv_any, {"a.csv": ",0,1\n0,3.5,7\n1,2.5,8\n"})
    assert joined(parsed).history.to_dict("list") == {"col_1": [0, 1], "0": [3.5, 2.5], "1": [7, 8]}


def test_the_comment_above_the_numbers_names_them(read: Reader) -> None:
    """As NumPy writes a header; one that is no list of columns names none."""
    (parsed,) = read(csv_any, {"a.csv": "# lr 0.1\n# step,loss\n100,3.0\n200,2.9\n"})
    assert joined(parsed).history.to_dict() == {"loss": {100: 3.0, 200: 2.9}}
    assert parsed.problems == ()
    for comment in ("# step", "# made by hand, twice"):
        (parsed,) = read(csv_any, {"a.csv": comment + "\n100,3.0\n200,2.9\n"})
        assert list(joined(parsed).history) == ["col_1", "col_2"]


@pytest.mark.parametrize(
    ("last", "cut"),
    [("2,2.8,1.2", True), ("2,2.8,1.2\n", False), ('2,2.8,"1.2"', False), ("2,2.8", False)],
)
@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
def test_a_number_at_the_end_may_be_cut(
    read: Reader, monkeypatch: pytest.MonkeyPatch, last: str, cut: bool, size: int
) -> None:
    """Of 1.2e-05 there may be 1.2 yet; a line end, a quote or a missing cell says what is so."""
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    (parsed,) = read(csv_any, {"a.csv": "step,loss,lr\n0,3.0,1.2e-05\n1,2.9,1.2e-05\n" + last})
    assert ("a.csv:4: The last line has no line end" in said(parsed)) == cut


def test_comment_and_blank_lines_before_the_header_are_skipped(read: Reader) -> None:
    """A header below a comment line (as Stable-Baselines3's monitor writes) is found."""
    (parsed,) = read(csv_any, {"a.csv": '#{"t_start": 1}\n\nstep,r\n\n0,1\n1,2\n'})
    assert joined(parsed).history["r"].tolist() == [1.0, 2.0]


def test_only_a_line_break_ends_a_line(read: Reader) -> None:
    """A comment with a Unicode line separator or a form feed in it is still one line."""
    (parsed,) = read(csv_any, {"a.csv": "# a\u2028b\x0cc\r\nstep,r\r\n0,1\r\n1,2\r\n"})
    assert joined(parsed).history["r"].to_dict() == {0: 1.0, 1: 2.0}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("name,who\na,b\nc,d\n", "no column of numbers"),
        ("just\n1\n2\n", "single column of numbers$"),
        ("step,loss\n0,0x1\n1,0xff\n", "single column of numbers$"),
        ("step,a\r0,1\r1,2\r", "carriage returns"),
        ("1," * 200_000, "first line is longer than 256 KiB"),
        ("step,a\n1,2\n".encode("utf-16"), "UTF-16"),
        ("step,\xe4\n1,2\n".encode("latin-1"), "not UTF-8"),
    ],
)
def test_it_declines_with_a_reason(read: Reader, content: str | bytes, reason: str) -> None:
    """What holds no history is declined in words."""
    with pytest.raises(NotMine, match=reason):
        read(csv_any, {"a.csv": content})


def test_a_row_of_garbage_is_left_out(read: Reader) -> None:
    """Bytes that are no UTF-8 decline a file where they stand in a row of its, not beside."""
    torn = b"step,a\n0,1\n\xff\xfe\x00\n1,2\n"
    (parsed,) = read(csv_any, {"a.csv": torn})
    assert joined(parsed).history["a"].to_dict() == {0: 1.0, 1: 2.0}
    assert "a.csv:3: 1 row with another number of cells" in said(parsed)
    with pytest.raises(NotMine, match="not UTF-8"):
        read(csv_any, {"a.csv": b"step,a,name\n0,1,x\n1,2,\xe4\n"})


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_row_of_garbage_far_down_is_left_out(read: Reader) -> None:
    """Arrow would say something about it that nobody can catch."""
    rows = b"".join(b"%d,%d.5\n" % (step, step) for step in range(60_000))
    content = b"step,a\n" + rows + b"\xff\xfe\n\xe4,1,2\n60000,60000.5\n60001,\xe4\n"
    assert len(rows) > HEAD_BYTES
    (parsed,) = read(csv_any, {"a.csv": content})
    loss = joined(parsed).history["a"].dropna()
    assert (loss == loss.index + 0.5).all()
    assert len(loss) == 60_001
    assert "a.csv:60002: 2 rows with another number of cells" in said(parsed)
    assert "a.csv:60005: 1 value that was no number" in said(parsed)


def test_the_delimiter_is_the_one_that_rows_share(read: Reader) -> None:
    """A name may hold more of another one than the header has of its own."""
    (parsed,) = read(csv_any, {"a.tsv": "step\t|x||y|\n0\t1\n1\t2\n"})
    assert joined(parsed).history["|x||y|"].to_dict() == {0: 1.0, 1: 2.0}


cells = st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-(2**40), 2**40))


@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=30),
    st.sampled_from([",", ";", "\t"]),
    st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_what_is_written_is_read(rows, delimiter: str, quoted: bool) -> None:
    """Every number and every gap comes back as it was written, with or without quotes."""
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    )
    writer.writerow(["step", "a", "b"])
    for step, (a, b) in enumerate(rows):
        writer.writerow([step, a, b])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        path.write_text(out.getvalue(), newline="")
        table = read_table(path, Tally("a.csv"))
    for name, at in (("a", 0), ("b", 1)):
        expected = {row: float(cell[at]) for row, cell in enumerate(rows) if cell[at] is not None}
        found = table.columns.get(name)
        got = {} if found is None else dict(zip(found.row.tolist(), found.value, strict=True))
        assert got == expected


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_junk_is_declined_or_read_but_never_raises(junk: bytes) -> None:
    """No bytes bring the reader down."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        path.write_bytes(b"step,a\n0,1\n" + junk)
        try:
            (parsed,) = csv_any.read({"a.csv": path})
        except NotMine:
            return
        assert parsed.rows is None or len(joined(parsed).history) >= 0


def test_a_real_export_of_weights_and_biases(real_data: Path) -> None:
    """386 rows of three columns for each of eight runs."""
    path = real_data / "wandb-export-csv" / "wandb_export.csv"
    (parsed,) = csv_any.read({"wandb_export.csv": path})
    history = joined(parsed).history
    assert history.shape == (386, 24)
    assert history["gpt2 - train/loss"].loc[0] == 10.95404052734375


def test_a_real_table_of_layers(real_data: Path) -> None:
    """A long table is layers: 3,950 steps of W1, b1, W2 and b2, in model order."""
    path = real_data / "per-layer-csv" / "layer_grad_norms_2-8-2.csv"
    (parsed,) = csv_any.read({"layers.csv": path})
    assert parsed.layers is not None
    assert len(parsed.layers) == 15_800
    assert parsed.layers["step"].nunique() == 3_950
    assert set(parsed.layers["name"][:4]) == {"W1", "b1", "W2", "b2"}
    assert sorted(parsed.layers["name"][:2]) == ["W1", "b1"]
    first = parsed.layers[(parsed.layers["step"] == 0) & (parsed.layers["name"] == "W2")]
    assert first["grad_norm"].tolist() == [0.18089456856250763]


@pytest.mark.parametrize(
    ("rows", "cut"),
    [
        (("0,3.0,train", "1,2.9,tra"), False), (("0,3.0,", "1,2.9,"), False),
        (("0,3.0,0.15", "1,2.9,"), False), (("0,3.0,0.15", "1,2.9,0.14"), False),
        (("0,3.0,0.15", "1,2.9,0.1"), True), (("0,3.0,0.15", "", "1,2.9,0.1"), True),
        (("1,2.9,0.1",), True), (("1,2.9,a",), False), (("1,2.9,0.15", "1,2.9,-"), False),
        (("0,3.0,0.15", "1,2.9,", "2,2.8,0.1"), True), (("0,3.0,", "1,2.9,0.1"), True),
        (("0,3.0,0.15", "1,2.9,", "2,2.8,0.14"), False),
        (("0,3.0,0.1", "1,2.9,ok", "2,2.8,0.1"), False),
        (('0,3.0,"0.1"', "1,2.9,0.1"), False), (("0,3.0,0.15", "1,2.9,nan"), False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [text.BLOCK_BYTES, 9])
def test_the_last_number_is_cut_if_it_is_shorter(
    read: Reader, monkeypatch: pytest.MonkeyPatch, rows: tuple[str, ...], cut: bool, size: int
) -> None:
    """Than the last one of the rows before; text and an empty cell are no numbers."""
    monkeypatch.setattr(text, "BLOCK_BYTES", size)
    (parsed,) = read(csv_any, {"a.csv": "\n".join(("step,loss,acc", *rows))})
    assert ("The last line has no line end" in said(parsed)) == cut
