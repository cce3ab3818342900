"""Tables: whole, exact, readable by pandas, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from drawn import KINDS
from pyarrow import parquet

from viz3d.export.data import LAYOUT, to_csv, to_parquet
from viz3d.figures.chart import Chart


def read_csv(content):
    """Read as the comment in the file says."""
    return pd.read_csv(io.BytesIO(content), comment="#")


@pytest.mark.parametrize("kind", KINDS)
def test_both_formats_read_back_to_the_table(charts, kind):
    """Every float64 and every text comes back; in CSV but for the apostrophes that it tells of."""
    want = charts[kind].data()
    frame = pd.read_parquet(io.BytesIO(to_parquet(charts[kind])))
    pd.testing.assert_frame_equal(frame, want)
    got = read_csv(to_csv(charts[kind]))
    assert list(got.columns) == list(want.columns)
    for name in want.columns:
        if want[name].dtype.kind in "if":
            assert np.array_equal(got[name], want[name], equal_nan=True), name
        else:
            same = got[name].fillna("") == want[name].fillna("")
            other = got[name].fillna("") == "'" + want[name].fillna("")
            assert (same | other).all(), name


def test_parquet_carries_the_provenance(charts):
    """The schema's metadata holds it under "viz3d", as JSON."""
    metadata = parquet.read_schema(io.BytesIO(to_parquet(charts["loss-landscape"]))).metadata
    said = json.loads(metadata[b"viz3d"])
    assert said["runs"][2]["digest"] == "2" * 64
    assert said["settings"]["strictness"] == "default"


@pytest.mark.parametrize("kind", KINDS)
def test_no_cell_begins_like_a_formula(charts, kind):
    """Neither a cell nor a part of a comment, whichever separator a spreadsheet takes."""
    text = to_csv(charts[kind]).decode()
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            for cell in row:
                if cell.lstrip().startswith(("=", "+", "@")) and delimiter == ",":
                    pytest.fail(f"{cell[:40]!r} would be run")
                if cell.lstrip().startswith("-"):
                    float(cell) if delimiter == "," else None
    comments = [line for line in text.split("\r\n") if line.startswith("#")]
    assert not any(part.lstrip(' "').startswith("=") for c in comments for part in c.split(","))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("gradient-flow", b"# A row of the part cell is the median of what its layer logged"),
        ("overlay of gradients", b"# A row of the part cell is the median of what its layer"),
        ("training-dynamics", b"each run is resampled to 80 medians of equally wide ranges of"),
        ("overlay of dynamics", b"each run is resampled to 80 medians of equally wide ranges of"),
    ],
)
def test_it_tells_which_rows_are_medians(charts, kind, said):
    """Somebody who opens the file sees that they are no rows as logged."""
    assert to_csv(charts[kind]).count(said) == 1
    assert b"median" not in to_csv(charts["plain"]).replace(LAYOUT.encode(), b"")


def test_it_tells_that_a_formula_was_defused(charts):
    """The run that begins with "=" reads with an apostrophe, and the file says so."""
    content = to_csv(charts["loss-landscape"])
    assert b"# 1 text begins like a formula; an apostrophe stands before each." in content
    runs = read_csv(content)["run"].dropna().unique()
    assert sum(str(run).startswith("'=HYPERLINK") for run in runs) == 1


def test_what_is_missing_is_an_empty_cell_without_quotes(charts):
    """With quotes it is an empty text to polars, and its column no numbers."""
    frame = pd.DataFrame({"part": ['a,"b', ""], "x": [1e-300, np.nan], "n": [1, 2]})
    plain = charts["plain"]
    chart = Chart("x", "X", plain.figure, plain.flat, frame, "", lambda: frame)
    assert to_csv(chart).endswith(b'"part","x","n"\r\n"a,""b",1e-300,1\r\n"",,2\r\n')


def test_a_column_that_looks_like_a_formula_is_defused_too(charts):
    """Metrics name columns, and anybody can name a metric."""
    frame = pd.DataFrame({"part": ["a"], "=1+1": [1.5]})
    chart = Chart("x", "X", charts["plain"].figure, charts["plain"].flat, frame, "", lambda: frame)
    assert list(read_csv(to_csv(chart)).columns) == ["part", "'=1+1"]
