"""What it takes to open the largest inputs: memory added, seconds of the processors, what is said.

    python benchmarks/memory.py [CASE ...] [--mib 1024] [--list]

Each input is made in a temporary folder, opened by `viz3d.load_runs` in a process of its own which
has read a small one before, and deleted. Told is the largest memory of that process above what it
held before. No input may add more than 512 MB; what is refused may take 2 seconds and 64 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.inputs import CASES

MOST = 512e6
# Small ones of these are opened before, so that all that is needed is imported.
BEFORE = ("jsonl", "jsonl_nan", "csv", "console_nanogpt", "wandb", "events", "parquet", "neptune")


def memory(which: str) -> int:
    """Return the bytes that this process holds (VmRSS), or held at most (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{which}:\s*(\d+)", status)[1])


def child(folder: str) -> None:
    """Open what is in a folder and print what that took."""
    from viz3d import load_entries
    from viz3d.errors import Viz3dError
    from viz3d.load import load_runs

    worth, load_entries.WORTH = load_entries.WORTH, 0
    with tempfile.TemporaryDirectory() as small:
        for name in BEFORE:
            place = Path(small, name)
            place.mkdir()
            CASES[name](place, 20_000)
            load_runs(place)
    load_entries.WORTH = worth
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before, began, worked = memory("VmRSS"), time.perf_counter(), time.process_time()
    try:
        runs = load_runs(folder)
        told = [str(problem) for run in runs for problem in run.problems]
        shape = [list(run.history.shape) for run in runs[:3]]
    except Viz3dError as error:
        runs, told, shape = [], [str(error)], []
    work, seconds = time.process_time() - worked, time.perf_counter() - began
    print(json.dumps([memory("VmHWM") - before, work, seconds, len(runs), shape, told[:4]]))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python benchmarks/memory.py")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="by default all")
    parser.add_argument("--mib", type=int, default=1024, help="size of the files (default 1024)")
    parser.add_argument("--list", action="store_true", help="tell what there is")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return child(args.child)
    if args.list:
        return print("\n".join(f"{name:18} {made.__doc__}" for name, made in CASES.items()))
    for name in args.cases or CASES:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place, "input")
            folder.mkdir()
            CASES[name](folder, (args.mib << 20) - 1)
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            done = subprocess.run(
                [sys.executable, __file__, "--child", str(folder)],
                env=os.environ | {"VIZ3D_CACHE_DIR": f"{place}/cache"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode:
            print(f"{name:18} {size / 1e6:6.0f} MB: died ({done.returncode}) {done.stderr[-500:]}")
            continue
        most, work, seconds, n, shape, told = json.loads(done.stdout)
        over = "  TOO MUCH" if most > MOST else ""
        cost = f"added {most / 1e6:5.0f} MB, {work:5.1f} s of processors, {seconds:5.1f} s"
        print(f"{name:18} {size / 1e6:5.0f} MB: {cost}; {n} runs {shape}{over}")
        for said in told:
            print(f"    {said[:300]}")
        sys.stdout.flush()
    return None


if __name__ == "__main__":
    main()
