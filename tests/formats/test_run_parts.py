"""Which files of a run folder hold its rows: every one once, whatever is packed or missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from viz3d.formats import viz3d_run
from viz3d.formats.grouping import group
from viz3d.formats.run_manifest import read_manifest
from viz3d.formats.run_parquet import parquet_of
from viz3d.formats.run_parts import stood_for

from .conftest import Reader, joined, said

A, B = f"packed-{'a' * 16}.parquet", f"packed-{'b' * 16}.parquet"


def lines(*steps: int) -> bytes:
    return b"".join(b'{"step": %d, "loss": %d}\n' % (step, step * 2) for step in steps)


def packed(*steps: int) -> bytes:
    return parquet_of([{"step": step, "loss": step * 2} for step in steps])


def manifest(*entries: tuple[str, int, int], schema: int = 1) -> bytes:
    keys = ("part", "through", "bytes")
    metrics = [dict(zip(keys, entry, strict=True)) for entry in entries]
    return json.dumps({"schema": schema, "metrics": metrics, "layers": []}).encode()


def rows(read: Reader, files: Mapping[str, bytes]) -> tuple[list[int], str]:
    """Return the steps in the order of the log, and what was said."""
    parts = read(viz3d_run, files)
    assert {used for part in parts for used in part.used} == set(files)
    table = next(part for part in parts if part.rows is not None)
    found = joined(table)
    assert found.history["loss"].tolist() == [2.0 * step for step in found.history.index]
    assert found.replaced == found.restarts == 0
    return table.rows.step.tolist(), "".join(said(part) for part in parts)


PARTS = {
    "metrics/part-00001.jsonl": lines(0, 1),
    "metrics/part-00002.jsonl": lines(2, 3),
    "metrics/part-00003.jsonl": lines(4, 5),
}


@pytest.mark.parametrize(
    ("files", "steps", "told"),
    [
        (PARTS, 6, ""),
        (PARTS | {"metrics.jsonl": lines(6)}, 7, ""),
        (PARTS | {f"metrics/{A}": packed(0, 1, 2, 3), "manifest.json": manifest((A, 2, 0))}, 6, ""),
        (
            {
                "metrics/part-00003.jsonl": lines(4, 5),
                f"metrics/{A}": packed(0, 1, 2, 3),
                "manifest.json": manifest((A, 2, 0)),
            },
            6,
            "",
        ),
        (
            PARTS
            | {f"metrics/{A}": packed(0, 1), f"metrics/{B}": packed(2, 3, 4, 5)}
            | {"manifest.json": manifest((A, 1, 0), (B, 3, 0))},
            6,
            "",
        ),
        (
            {"metrics.jsonl": lines(0, 1, 2), f"metrics/{A}": packed(0, 1)}
            | {"manifest.json": manifest((A, 0, len(lines(0, 1))))},
            3,
            "",
        ),
        (PARTS | {f"metrics/{A}": packed(0, 1, 2, 3)}, 6, "does not name was left out"),
        (
            PARTS | {f"metrics/{A}": packed(0, 1, 2, 3), "manifest.json": b'{"schema": 1, "met'},
            6,
            "it is no manifest of parts",
        ),
        (
            PARTS | {f"metrics/{A}": packed(9), "manifest.json": manifest((A, 2, 0), schema=2)},
            6,
            "its schema is 2",
        ),
        (PARTS | {"manifest.json": manifest((A, 2, 0))}, 6, "is not there or cannot be read"),
        (
            PARTS | {f"metrics/{A}": b"PAR1torn", "manifest.json": manifest((A, 2, 0))},
            6,
            "is not there or cannot be read",
        ),
        (
            {"metrics.jsonl": lines(0, 1, 2, 3), f"metrics/{B}": packed(2)}
            | {"manifest.json": manifest((A, 0, len(lines(0, 1))), (B, 0, len(lines(0, 1, 2))))},
            4,
            "is not there or cannot be read",
        ),
    ],
    ids=[
        "parts", "parts and lines", "packed and newer parts", "the originals are gone",
        "packed twice", "lines from a byte on", "packed, and no manifest yet", "a torn manifest",
        "a manifest of another time", "a packed part is missing", "a packed part is torn",
        "one of two packed pieces of lines is missing",
    ],
)  # fmt: skip
def test_every_row_is_read_once(read: Reader, files: Mapping[str, bytes], steps: int, told: str):
    """In the order in which they were logged."""
    found, text = rows(read, files)
    assert found == list(range(steps))
    assert told in text
    assert bool(told) == bool(text)


def test_parts_that_others_wrote_are_read_all(read: Reader, tmp_path: Path):
    """Some count from 0, and some write a number in two ways; no packed part stands for 0."""
    files = {
        "metrics/part-00000.jsonl": lines(0),
        "metrics/part-00001.jsonl": lines(1),
        "metrics/part-1.jsonl": lines(2),
        "metrics/part-2.jsonl": lines(3),
    }
    assert rows(read, files) == ([0, 1, 2, 3], "")
    files |= {f"metrics/{A}": packed(1, 2), "manifest.json": manifest((A, 1, 0))}
    assert rows(read, files) == ([0, 1, 2, 3], "")
    (tmp_path / "manifest.json").write_bytes(files["manifest.json"])
    unneeded = {"metrics/part-00001.jsonl", "metrics/part-1.jsonl"}
    assert stood_for(files, tmp_path / "manifest.json") == unneeded


@pytest.mark.parametrize(
    "entries", [[(A, 2, 0)] * 2, [(f"packed-{i:016x}.parquet", i, 0) for i in range(10_001)]]
)
def test_a_manifest_that_is_made_to_cost_time_is_not_used(read: Reader, entries: list):
    """A part is named once, and of parts there are so many."""
    steps, text = rows(read, PARTS | {"manifest.json": manifest(*entries)})
    assert steps == list(range(6))
    assert "it names a part twice, or more parts than there can be" in text


def test_as_many_parts_as_there_can_be_are_taken(tmp_path: Path):
    """The last one too."""
    entries = [(f"packed-{i:016x}.parquet", i, 0) for i in range(10_000)]
    (tmp_path / "manifest.json").write_bytes(manifest(*entries))
    assert len(read_manifest(tmp_path / "manifest.json")["metrics"]) == 10_000


def test_what_is_missing_in_many_places_is_one_sentence(read: Reader):
    """A thousand packed parts that are gone make no thousand problems."""
    entries = [(f"packed-{i:016x}.parquet", i, 0) for i in range(1, 1001)]
    _, text = rows(read, PARTS | {"manifest.json": manifest(*entries)})
    assert text.count("missing") == 1
    assert "997 parts are missing (the first is number 4)" in text


def test_parts_are_in_the_order_of_their_numbers(read: Reader):
    """Also where they have more digits than most."""
    names = ["metrics/part-100000.jsonl", "metrics/part-99999.jsonl"]
    files = dict(zip(names, (lines(1), lines(0)), strict=True))
    assert rows(read, files)[0] == [0, 1]


def test_a_part_that_is_missing_is_told(read: Reader):
    """Whoever reads while it is written may see a later one first."""
    files = {name: data for name, data in PARTS.items() if "00002" not in name}
    steps, text = rows(read, files)
    assert steps == [0, 1, 4, 5]
    assert "1 part is missing (the first is number 2)" in text
    _, text = rows(read, {"metrics/part-99999999999999999999.jsonl": lines(0)})
    assert "99,999,999,999,999,999,998 parts are missing (the first is number 1)" in text


@pytest.mark.parametrize("odd", [b'{"step": 9, "lo', b"no JSON\n", None])
def test_of_many_small_parts_the_odd_one_is_named(read: Reader, tmp_path: Path, odd: bytes | None):
    """They are read together, as long as nothing is odd."""
    files = {f"metrics/part-{n:05}.jsonl": lines(n) for n in range(1, 8)}
    name = "metrics/part-00003.jsonl"
    parsed = read(viz3d_run, files | {name: odd or b""})
    if odd is None:
        (tmp_path / name).unlink()
        parsed = viz3d_run.read({path: tmp_path / path for path in files})
    [found] = parsed
    assert found.rows.step.tolist() == [1, 2, 4, 5, 6, 7]
    [problem] = found.problems
    assert problem.file == name


def test_lines_that_begin_anew_count_from_their_beginning(read: Reader):
    """The record was removed after it was packed."""
    files = {
        "metrics.jsonl": lines(2), f"metrics/{A}": packed(0, 1),
        "manifest.json": manifest((A, 0, 1000)),
    }  # fmt: skip
    assert rows(read, files)[0] == [0, 1, 2]


@pytest.mark.parametrize(
    "content",
    [
        b"[]", b"{}", b'{"schema": 1, "metrics": 3}', b'{"schema": 1, "metrics": [3]}',
        manifest((A, -1, 0)), manifest((A, 2, 0), (B, 1, 0)), manifest((A, 0, 10**19)),
        manifest((A, 2, 0)).replace(b"2", b"1e999"), b"[" * 100_000, b"\xff",
    ],
)  # fmt: skip
def test_a_manifest_that_is_none_costs_no_row(read: Reader, content: bytes):
    """It is said, and the original parts are read."""
    steps, text = rows(read, PARTS | {"manifest.json": content})
    assert steps == [0, 1, 2, 3, 4, 5]
    assert "The original parts were read." in text


def test_layers_have_parts_of_their_own(read: Reader):
    """As rows have."""
    row = b'{"step": 1, "layer": 0, "name": "h.0", "grad_norm": 0.5}\n'
    files = PARTS | {
        "layers/part-00001.jsonl": row,
        "layers/part-00002.jsonl": row.replace(b"1", b"2"),
    }
    layers = next(part.layers for part in read(viz3d_run, files) if part.layers is not None)
    assert layers["step"].tolist() == [1, 2]


def test_a_manifest_of_another_program_makes_no_run():
    """Web pages have one, too."""
    [found] = group(["web/manifest.json"])
    assert "viz3d run" not in found.formats
    [found] = group(["r/manifest.json", "r/metrics/part-00001.jsonl"])
    assert found.run == "r"
    assert found.files == ("r/manifest.json", "r/metrics/part-00001.jsonl")
