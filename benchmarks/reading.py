"""What it costs to read a history, as ratios to pyarrow's own reading of the same file.

    python benchmarks/reading.py [--rows 1000000 10000] [--times 5]

Twelve metrics a row, as JSON lines and as CSV. Every reading has a process of its own, in turns, so
that a busy machine slows all alike; told are medians of the seconds, of the seconds of all
processors (which feel a busy machine less), and of the largest memory of the process above what it
held after a small history was read in the same way. "Parse" goes from the file to the joined
history, "open" is `viz3d.load_run`, which also takes the SHA-256 of the file and keeps what was
parsed. A view is the first one of a process that has everything imported, as a server has; a
further one of the same run finds its columns read. Wanted (goals 3 and 4): the first parse at most
1.2 times pyarrow's seconds and twice its memory, a view of a run that was opened before at most 1.5
times what pyarrow needs for the same three columns of a Parquet file.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

METRICS = ("loss", "lr", "grad_norm", "reward", "kl", "entropy", "accuracy", "tokens", "dt", "mfu",
           "weight_norm", "val_loss")  # fmt: skip
VIEW = ["step", "loss", "lr"]
Reading = Callable[[], object]


def make(folder: Path, n: int) -> None:
    """Write one history of `n` rows as JSON lines, CSV and Parquet, and one a hundredth longer."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    def block(first: int, size: int) -> pa.Table:
        drawn = np.random.default_rng(first).normal(size=(len(METRICS), size)) ** 2
        steps = {"step": np.arange(first, first + size)}
        return pa.table(steps | dict(zip(METRICS, drawn, strict=True)))

    whole, more = block(0, n), block(n, max(1, n // 100))
    pq.write_table(whole, folder / "run.parquet")
    for name, parts in (("history", [whole]), ("grown", [whole, more])):
        pc.write_csv(pa.concat_tables(parts), folder / f"{name}.csv")
        with (folder / f"{name}.jsonl").open("w") as file:
            for batch in (batch for part in parts for batch in part.to_batches(10_000)):
                file.writelines(json.dumps(row) + "\n" for row in batch.to_pylist())


def readings(folder: Path) -> dict[str, Reading]:
    """Return what is timed, by name, everything imported."""
    import pandas as pd
    import pyarrow.csv as pc
    import pyarrow.json as pj
    import pyarrow.parquet as pq

    from viz3d.formats.reading import read_run
    from viz3d.load import load_run

    def view(path: Path) -> object:
        run = load_run(path)
        return run.role("loss"), run.role("learning_rate")

    _ = pd.DataFrame({"a": [0.0]})
    found: dict[str, Reading] = {
        "pyarrow jsonl": lambda: pj.read_json(folder / "history.jsonl"),
        "pyarrow csv": lambda: pc.read_csv(folder / "history.csv"),
        "pyarrow columns": lambda: pq.read_table(folder / "run.parquet", columns=VIEW),
    }
    for kind in ("jsonl", "csv"):
        name, path = f"history.{kind}", folder / f"history.{kind}"
        found |= {
            f"parse {kind}": lambda name=name, path=path: read_run("run", {name: path}),
            f"open {kind}": lambda path=path: load_run(path),
            f"view {kind}": lambda path=path: view(path),
        }
    return found


def warm_up() -> None:
    """Read a small history in every way, so that what is imported late is there, as in a server."""
    from viz3d import load_entries

    worth, load_entries.WORTH = load_entries.WORTH, 0
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), 20)
        for _ in range(2):
            for reading in readings(Path(name)).values():
                reading()
    load_entries.WORTH = worth


def child(folder: Path, what: str) -> None:
    """Read once in this process; print the seconds, those of the processors, and the bytes."""
    warm_up()
    reading = readings(folder)[what]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, worked = time.perf_counter(), time.process_time()
    kept = reading()
    seconds, work = time.perf_counter() - begin, time.process_time() - worked
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert kept is not None
    print(json.dumps([seconds, work, (after - before) * 1024]))


def run(*arguments: str, **environment: str) -> str:
    """Run this script in a process of its own."""
    return subprocess.run(
        [sys.executable, __file__, *arguments],
        env=os.environ | environment, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


class Times:
    """Readings of one folder, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: dict[str, list[tuple[float, float, float]]] = {}

    def one(self, label: str, what: str, cache: Path) -> None:
        """Read once more and note it under `label`."""
        said = run("--child", what, str(self.folder), VIZ3D_CACHE_DIR=str(cache))
        self.taken.setdefault(label, []).append(tuple(json.loads(said)))

    def tell(self, label: str, base: str) -> None:
        """Print one line."""
        mine, other = (
            [statistics.median(values) for values in zip(*self.taken[name], strict=True)]
            for name in (label, base)
        )
        units = ((1.0, "s"), (1.0, "s of processors"), (1e-6, "MB"))
        said = [
            f"{a * scale:8.3f} / {b * scale:8.3f} {unit} = {a / b:5.2f}"
            for (scale, unit), a, b in zip(units, mine, other, strict=True)
        ]
        print(f"  {label:16} / {base:15} {'; '.join(said)}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python benchmarks/reading.py")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(Path(args.child[1]), args.child[0])
    if args.make:
        return make(Path(args.make[0]), int(args.make[1]))
    for n in args.rows:
        with tempfile.TemporaryDirectory() as name:
            print(f"{n:,} rows of {len(METRICS)} metrics")
            folder = Path(name)
            run("--make", name, str(n))  # elsewhere: a child begins with its parent's peak
            times = Times(folder)
            for at in range(args.times):
                measure(times, folder, folder / f"cache-{at}")
            for kind in ("jsonl", "csv"):
                for label in ("parse", "open", "open again", "open grown"):
                    times.tell(f"{label} {kind}", f"pyarrow {kind}")
                times.tell(f"view {kind}", "pyarrow columns")
            print(f"  a view reads {len(VIEW)} of {len(METRICS) + 1} columns: {', '.join(VIEW)}")
    return None


def measure(times: Times, folder: Path, cache: Path) -> None:
    """Take every reading once, with a cache that begins empty."""
    times.one("pyarrow columns", "pyarrow columns", cache)
    for kind in ("jsonl", "csv"):
        path, kept = folder / f"history.{kind}", folder / f"kept.{kind}"
        times.one(f"pyarrow {kind}", f"pyarrow {kind}", cache)
        times.one(f"parse {kind}", f"parse {kind}", cache)
        times.one(f"open {kind}", f"open {kind}", cache)
        times.one(f"open again {kind}", f"open {kind}", cache)
        times.one(f"view {kind}", f"view {kind}", cache)
        path.rename(kept)
        (folder / f"grown.{kind}").rename(path)
        times.one(f"open grown {kind}", f"open {kind}", cache)
        path.rename(folder / f"grown.{kind}")
        kept.rename(path)


if __name__ == "__main__":
    main()
