"""Inputs that once took minutes or for ever: each in a process, whose end is waited for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from .check import read

ROOT = Path(__file__).parents[2]
DEADLINE = 120  # seconds; a few are taken, and half an hour was
FIRST = (
    "step 1 | loss: 1.0",
    "step:1/9 loss:1.0",
    "step:1 - loss:1.0",
    "step 1/9 | loss 1 | 1 ms",
    "iter 1: loss 1.0",
    "[train] iter 0: loss 1.0\n[train] iter 1: loss 1.0",
)
LONG = (
    "a" * 8_000,
    "a " * 4_000,
    "1" * 8_000 + "x",
    "a:" + "1" * 8_000 + "x",
    "a" + " " * 7_990 + "x",
)
DIGITS = "1" * 100_000 + "x"
CELLS = ((DIGITS, "2"), ("name", DIGITS))


def ended(code: str, *arguments: object) -> str:
    """Return what a program printed that had to end in time."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, timeout=DEADLINE, capture_output=True, check=True)
    return done.stdout.decode()


def read_long_lines() -> None:
    """Read console logs of all kinds, with 15 lines of 8,000 characters that nearly match."""
    for first in FIRST:
        for long in LONG:
            line = first.partition("1.0")[0] + long + "\n"
            (contents,) = read({"train.log": f"{first}\n{line * 15}".encode()})
            assert 1 in contents.joined.history.index


def read_digits() -> None:
    """Read a name of a column, and one of a layer, that is nearly a number."""
    for name, cell in CELLS:
        read({"log.csv": f"step,{name}\n1,{cell}\n".encode()})


def test_texts_that_nearly_match() -> None:
    """Trying every way to match them once took the square of their lengths."""
    ended("from tests.fuzz import test_endless as t; t.read_long_lines(); t.read_digits()")


@pytest.mark.parametrize("place", ["heap", "object", "pointer"])
def test_a_text_that_leads_nowhere(tmp_path: Path, place: str) -> None:
    """HDF5 would go round in its heap for ever, or take 4 GB; the landscape is read."""
    path = tmp_path / "surface.h5"
    with h5py.File(path, "w") as file:
        file["xcoordinates"] = file["train_loss"] = np.arange(3.0)
        file["dir_file"] = "a_PCA/d.h5"
        pointer = file["dir_file"].id.get_offset()
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    if place == "heap":
        free = heap + 16 + 16 + 16  # behind its head and the object with the text
        content[free + 8 : free + 16] = bytes(8)
        content[heap + 16] = 7
    elif place == "object":
        content[heap + 16] = 7
        content[heap + 24 : heap + 32] = (2**64 - 16).to_bytes(8, "little")
    else:
        content[pointer + 4 : pointer + 12] = (24).to_bytes(8, "little")
        content[pointer : pointer + 4] = b"\xff" * 4
    path.write_bytes(content)
    code = (
        "import sys, viz3d; run = viz3d.load_run(sys.argv[1]); print(run.landscapes, run.problems)"
    )
    said = ended(code, path)
    assert "LandscapeGrid(name='surface'" in said
    assert "1 text whose place in the file is damaged was left out (dir_file)" in said
