"""How long sending a run to a bucket holds the training loop that records it.

python benchmarks/upload.py

A server in a process of its own plays the bucket. A loop logs a row about every half millisecond
for some seconds, beginning right after the recorder is made: once without upload, once with it
where the loop waits between rows (as for a GPU), once where it computes in Python all the time.
Prints the durations of `Recorder.log`. Wanted: none above 50 ms.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SERVE = (
    "import sys\n"
    "from tests.storage.server import StorageServer\n"
    "with StorageServer() as server:\n"
    "    server.make_bucket('bucket')\n"
    "    print(server.url, flush=True)\n"
    "    sys.stdin.read()\n"
)


def measure(how: str, seconds: float, folder: Path) -> np.ndarray:
    """Return the milliseconds of each `log`; `how` is ``"none"``, ``"waiting"``, ``"busy"``."""
    sys.path.insert(0, str(ROOT))
    from viz3d.record.recorder import Recorder

    upload = None if how == "none" else "gs://bucket/runs"
    taken: list[float] = []
    with Recorder(folder / how, upload=upload) as rec:
        end = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < end:
            rec.log(len(taken), loss=1.0, learning_rate=1e-3, grad_norm=0.5)
            taken.append(time.perf_counter() - begin)
            if how == "busy":
                sum(range(20_000))
            else:
                time.sleep(0.0005)
    assert rec.failures == 0
    assert upload is None or "google.cloud.storage" in sys.modules
    return 1e3 * np.array(taken)


def main() -> None:
    """Run the command line; each loop runs in a process of its own, which loads the client anew."""
    parser = argparse.ArgumentParser(prog="python benchmarks/upload.py")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--loop", nargs=2, metavar=("HOW", "FOLDER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.loop:
        how, folder = args.loop
        took = measure(how, args.seconds, Path(folder))
        p99, p999 = np.quantile(took, [0.99, 0.999])
        print(
            f"{how:8} {len(took):6,} rows, ms: median {np.median(took):.3f}, p99 {p99:.3f}, "
            f"p99.9 {p999:.3f}, longest {took.max():.1f}, above 50: {(took > 50).sum()}"
        )
        return
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-c", SERVE], cwd=ROOT, stdin=pipe, stdout=pipe, text=True
        ) as server,
    ):
        assert server.stdout is not None
        environment = {**os.environ, "STORAGE_EMULATOR_HOST": server.stdout.readline().strip()}
        for how in ("none", "waiting", "busy"):
            command = [sys.executable, __file__, f"--seconds={args.seconds}", "--loop", how, folder]
            subprocess.run(command, env=environment, check=True)
        server.communicate()


if __name__ == "__main__":
    main()
