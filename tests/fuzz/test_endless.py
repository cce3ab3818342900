"""Inputs that once took minutes or for ever: a test of them that came back is a test that passed."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from viz3d.formats.reading import read_run

from .check import read

LONG = {
    "letters": "a" * 8_000,
    "words": "a " * 4_000,
    "digits": "1" * 8_000 + "x",
    "pair of digits": "a:" + "1" * 8_000 + "x",
    "spaces": "a" + " " * 7_990 + "x",
}
FIRST = ("step 1 | loss: 1.0", "step:1/9 loss:1.0", "step:1 - loss:1.0", "step 1/9 | loss 1 | 1 ms")


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("long", LONG)
def test_a_log_of_long_lines(first: str, long: str) -> None:
    """A console log of 2 MB: seconds for each of its 250 lines would be half an hour."""
    line = first.partition("1.0")[0] + LONG[long]
    (contents,) = read({"train.log": f"{first}\n{f'{line}\n' * 250}".encode()})
    assert 1 in contents.joined.history.index


@pytest.mark.parametrize("cells", [("{}", "loss"), ("name", "{}")])
def test_a_cell_of_digits_and_a_letter(cells: tuple[str, str]) -> None:
    """As a name of a column, and as one of a layer."""
    digits = "1" * 100_000 + "x"
    name, cell = (cell.format(digits) for cell in cells)
    rows = f"step,{name}\n1,{cell}\n"
    read({"log.csv": rows.encode()})
