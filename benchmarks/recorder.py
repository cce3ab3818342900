"""What a row costs the training loop, as a ratio to a bare write of the same line.

python benchmarks/recorder.py

Prints the median and the 99th percentile of `Recorder.log` with a dozen metrics, and of one
`os.write` of the same line to a file opened for appending. Both are taken in turns, so that a busy
machine slows both alike. Where orjson is installed the recorder is timed with it and without.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from viz3d.record import rows
from viz3d.record.recorder import Recorder

METRICS = 12
WANTED = "wanted: median at most 15 times, p99 at most 200 microseconds"


def measure(folder: Path, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds of each `log` and of each bare write, shape (n,) both."""
    draw = random.Random(0)
    logged, bare = np.empty(n), np.empty(n)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    descriptor = os.open(folder / "bare", flags)
    with Recorder(folder / "run") as recorder:
        recorder.log(0, loss=1.0)
        reader = os.open(folder / "run" / "metrics.jsonl", os.O_RDONLY)
        os.lseek(reader, 0, os.SEEK_END)
        for i in range(n):
            metrics = {f"metric/{name}": draw.random() for name in range(METRICS)}
            begin = time.perf_counter()
            recorder.log(i, **metrics)
            logged[i] = time.perf_counter() - begin
            line = os.read(reader, 10_000)
            begin = time.perf_counter()
            os.write(descriptor, line)
            bare[i] = time.perf_counter() - begin
        assert recorder.failures == 0
    os.close(reader)
    os.close(descriptor)
    return logged, bare


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python benchmarks/recorder.py")
    parser.add_argument("--rows", type=int, default=30_000)
    n = parser.parse_args().rows
    fast = rows.orjson_dumps()
    kinds = {"json": None} | ({"orjson": fast} if fast else {})
    for name, encode in kinds.items():
        rows.orjson_dumps = lambda encode=encode: encode
        with tempfile.TemporaryDirectory() as folder:
            logged, bare = measure(Path(folder), n)
        for what, q in (("median", 50), ("p99", 99)):
            ours, least = np.percentile(logged, q), np.percentile(bare, q)
            print(
                f"{name:6} {what:6} log {ours * 1e6:7.1f} us, bare write {least * 1e6:6.1f} us, "
                f"ratio {ours / least:5.1f}"
            )
    if not fast:
        print("orjson is not installed")
    print(WANTED)


if __name__ == "__main__":
    main()
