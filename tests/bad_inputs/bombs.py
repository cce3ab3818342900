"""I34 to I36, I38, I48, I51, I60, I82 at their full size: files that would fill a machine.

They are small or full of holes; `test_bombs` reads each in a process of its own.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bad_inputs.case import GOOD, lines, write

GIB = 1 << 30


@dataclass(frozen=True)
class Bomb:
    """A file that would fill the machine; what must be said of it, and what it may take."""

    id: str
    make: Callable[[Path], None]
    told: str
    steps: int = 0
    mib: int = 64


def with_hole(path: Path, head: bytes, hole: int, tail: bytes = b"") -> None:
    """Write a file with a hole of NUL bytes, which takes no room on the disk."""
    with path.open("wb") as file:
        file.write(head)
        file.seek(hole, 1)
        file.write(tail or b"\0")


def many_keys(folder: Path) -> None:
    keys = ", ".join(f'"k{at}": {at}' for at in range(200_000))
    lines(folder, GOOD[0], f'{{"step": 1, {keys}}}', GOOD[1])


def many_keys_late(folder: Path) -> None:
    """As cells of all lines they would be 160 million."""
    keys = ", ".join(f'"\\u006b{at}": {at}' for at in range(20_000))
    lines(folder, *['{"step": 1}'] * 8_000, f'{{"step": 1, {keys}}}')


def a_key_each(folder: Path) -> None:
    """Short lines that have 1,900 keys in all, and few of them one each."""
    rows = ['{"step":1}'] * 140_000
    rows[::70] = [f'{{"step":1,"{at}":1}}' for at in range(2_000)]
    lines(folder, *rows[:133_000], '{"step": 1, "x": "y"}')


def many_lines_of_other_keys(folder: Path) -> None:
    """Ninety thousand keys, of which a line has a thousand."""
    rows = [{f"{line:030}/{at:03}": 1 for at in range(1_000)} for line in range(90)]
    lines(folder, *(json.dumps({"step": 1} | row) for row in rows))


def deep_line(folder: Path) -> None:
    lines(folder, GOOD[0], '{"step": 1, "a": ' + "[" * 100_000 + "]" * 100_000 + "}", GOOD[1])


def deep_document(folder: Path) -> None:
    write(folder, "log.json", '{"step": [0, 1], "loss": ' + "[" * 100_000 + "]" * 100_000 + "}")


def many_objects(folder: Path) -> None:
    """Each takes three bytes in the file and 72 in memory."""
    write(folder, "log.json", b"[" + b"{}," * (20 << 20) + b"{}]")


def many_objects_in_lines(folder: Path) -> None:
    inside = b'{"a": [' + b"{}," * (2_700_000) + b"{}]}"
    lines(folder, GOOD[0], inside, inside, GOOD[1])


def long_line(folder: Path) -> None:
    head = GOOD[0] + b'\n{"step": 1, "a": "'
    with_hole(folder / "log.jsonl", head, 1_000_000_000, b'"}\n' + GOOD[1] + b"\n")


def long_line_of_a_console(folder: Path) -> None:
    row = b"step %05d/00100 (0.00%%) | loss: 3.0 | lrm: 1.00 | dt: 9.00ms |\n"
    head = b"".join(row % step for step in range(40))
    with_hole(folder / "log.txt", head, 100_000_000, b"\n" + row % 40)


def large_log(folder: Path) -> None:
    with_hole(folder / "log.jsonl", GOOD[0] + b"\n", GIB)


def large_csv(folder: Path) -> None:
    with_hole(folder / "log.csv", b"step,loss\n0,3\n", GIB)


def gzip_of_zeros(folder: Path) -> None:
    _gzip(folder, bytes(1 << 20))


def gzip_of_lines(folder: Path) -> None:
    _gzip(folder, (GOOD[0] + b"\n") * 45_000)


def _gzip(folder: Path, block: bytes) -> None:
    """Write one member of 2 GiB: a block that was compressed once, repeated."""
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    head = gzip.compress(b"")[:10]
    write(folder, "log.jsonl.gz", head + piece * (2 * GIB // len(block)))


def gzip_of_many_members(folder: Path) -> None:
    write(folder, "log.jsonl.gz", gzip.compress(b"") * 200_000)


def parquet_rows(folder: Path) -> None:
    _parquet(folder, 20, x=pa.array([0.0]))


def parquet_text(folder: Path) -> None:
    """Cells of a thousand letters, which a dictionary holds once."""
    _parquet(folder, 2, x=pa.array(["x" * 1000]), y=pa.array([0.5]))


def history_of_text(folder: Path) -> None:
    """The same under a name of its own."""
    parquet_text(folder)
    (folder / "metrics" / "part-00001.parquet").rename(folder / "history.parquet")
    (folder / "metrics.jsonl").unlink()


def text_in_many_columns(folder: Path) -> None:
    """Each below the cap on text, were it written out; a name of each row among them."""
    repeated(
        folder / "metrics" / "part-00001.parquet", 60_000, name="n" * 900,
        **{f"t{at}": "x" * 1000 for at in range(25)},
    )  # fmt: skip
    lines(folder, *GOOD, name="metrics.jsonl")


def layers_of_text(folder: Path) -> None:
    repeated(folder / "metrics-a.parquet", 150_000, name="x" * 20_000)


def text_that_shrinks(folder: Path) -> None:
    """No dictionary: it is packed well since each cell is like the one before."""
    table = {"step": [0, 1], "loss": [0.5, 0.5], "name": ["x" * (100 << 20), "y"]}
    path = folder / "metrics-a.parquet"
    pq.write_table(pa.table(table), path, compression="zstd", use_dictionary=False)


def list_of_many(folder: Path) -> None:
    """A hundred million numbers in a row, in a file of 5 kB."""
    (folder / "metrics").mkdir()
    numbers = pa.array([0]).take(pa.array(np.zeros(25_000_000, np.int8)))
    cells = [pa.ListArray.from_arrays(pa.array([0, len(numbers)]), numbers)]
    table = pa.table({"step": [7], "x": [0.5], "many": pa.chunked_array(cells)})
    pq.write_table(table, folder / "metrics" / "part-00001.parquet", compression="zstd")
    lines(folder, *GOOD, name="metrics.jsonl")


def repeated(path: Path, n: int, **texts: str) -> None:
    """Write rows of a step, a number, and texts that a dictionary holds once."""
    path.parent.mkdir(exist_ok=True)
    coded = {name: same(n, text) for name, text in texts.items()}
    table = pa.table({"step": np.arange(n), "x": np.zeros(n), **coded})
    pq.write_table(table, path, compression="zstd", store_schema=False)


def _neptune(folder: Path, n: int, kind: str, values: pa.Array) -> None:
    """Write a series of one number, and single values, each with a path of its own."""
    series, rows = [1] + [0] * n, [0] * (n + 1)
    table = pa.table({
        "project_id": pa.array(["p"]).take(rows), "run_id": pa.array(["r"]).take(rows),
        "attribute_path": [f"a{at}" for at in range(n + 1)],
        "attribute_type": pa.array([kind, "float_series"]).take(series),
        "step": pa.array([None, 7]).take(series), "float_value": pa.array([None, 0.5]).take(series),
        f"{kind}_value": values,
    })  # fmt: skip
    path = folder / "r-0123456789abcdef_part_0.parquet"
    pq.write_table(table, path, compression="zstd", store_schema=False)


def neptune_text(folder: Path) -> None:
    _neptune(folder, 90_000, "string", same(90_001, "x" * 10_000))


def neptune_sets(folder: Path) -> None:
    sets = pa.ListArray.from_arrays(np.arange(20_002), same(20_001, "x" * 40_000))
    _neptune(folder, 20_000, "string_set", sets)


def same(n: int, text: str) -> pa.Array:
    """Return a column of one text, which a dictionary holds once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), [text])


def _parquet(folder: Path, blocks: int, **cells: pa.Array) -> None:
    (folder / "metrics").mkdir()
    million = pa.array([0] * 1_000_000)
    columns = {"step": pa.array([7]), **cells}
    table = pa.table({name: cell.take(million) for name, cell in columns.items()})
    with pq.ParquetWriter(folder / "metrics" / "part-00001.parquet", table.schema) as file:
        for _ in range(blocks):
            file.write_table(table)
    lines(folder, *GOOD, name="metrics.jsonl")


def console_of_many_runs(folder: Path) -> None:
    """The first line of a run, again and again."""
    write(folder, "log.txt", "iter 0: loss 1\n" * 20_000)


def sparse_log(folder: Path) -> None:
    """A cell in each row, where 60 million would be in a table."""
    rows = (f'{{"step": {at}, "m{at % 1500}": 1}}' for at in range(40_000))
    lines(folder, *rows)


def report(folder: Path) -> None:
    text = "# nanochat training report\n\n## Base model evaluation\n- core: 0.5\n"
    write(folder, "report/report.md", text + "- " * (25 << 20))


def config(folder: Path) -> None:
    lines(folder, *GOOD)
    with_hole(folder / "config.yaml", b"a: 1\n", GIB)


def slow_config(folder: Path) -> None:
    lines(folder, *GOOD)
    write(folder, "config.yaml", "[" * 50_000)


BOMBS = (
    Bomb("I34", many_keys, "of metrics beyond the first 2,000", 3, 96),
    Bomb("I34", many_keys_late, "of metrics beyond the first 2,000", 1),
    Bomb("I34", a_key_each, "1 value that was no number was left out (x)", 1),
    Bomb("I34", many_lines_of_other_keys, "of metrics beyond the first 2,000", 1),
    Bomb("I35", deep_line, "log.jsonl:2: 1 line nested deeper than 32 levels", 2),
    Bomb("I35", deep_document, "it is nested too deeply"),
    Bomb("I35", many_objects, "more than 4,000,000 values"),
    Bomb("I35", many_objects_in_lines, "2 lines of more than 500,000 values were left out", 2),
    Bomb("I36", long_line, "log.jsonl:2: 1 line longer than 8 MiB was left out", 2),
    Bomb("I36", long_line_of_a_console, "log.txt:41: 1 line longer than 8 MiB was left out", 41),
    Bomb("I38", large_log, "it is larger than 1,024 MiB"),
    Bomb("I38", large_csv, "it is larger than 1,024 MiB"),
    Bomb("I48", parquet_rows, "it says that it holds 20,000,000 rows of 2 columns", 2),
    Bomb("I48", parquet_text, "2,000,000 values that were no number were left out (x)", 3, 512),
    Bomb("I48", history_of_text, "(x)", 1, 512),
    Bomb("I48", text_in_many_columns, "1,560,000 values that were no number", 60_000),
    Bomb("I48", layers_of_text, "150,000 values that were no number", 150_000),
    Bomb("I48", text_that_shrinks, "1 column of more than 64 MiB of text", 2),
    Bomb("I48", list_of_many, "1 column of lists or bytes was not read (many)", 3),
    Bomb("I48", neptune_text, "single values beyond the first 8 MiB of text", 1, 72),
    Bomb("I48", neptune_sets, "single values beyond the first 8 MiB of text", 1),
    Bomb("I51", gzip_of_zeros, "it unpacks to more than 200 times its size"),
    Bomb("I51", gzip_of_lines, "it unpacks to more than 200 times its size"),
    Bomb("I51", gzip_of_many_members, "log.jsonl.gz"),
    Bomb("I38", console_of_many_runs, "rows of runs behind the first 1,000 were left out", 1000),
    Bomb("I38", sparse_log, "steps were left out, because a history has at most", 26_666, 512),
    Bomb("I60", slow_config, "it cannot be read as YAML", 2),
    Bomb("I60", config, "it is larger than 1 MiB", 2),
    Bomb("I82", report, "Only the first 1 MiB were read"),
)
