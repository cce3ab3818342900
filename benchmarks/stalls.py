"""Where the time of a slow `log` goes: its own work, the write, or waiting for a processor.

Start as much other work as you like beside it. Plain additions between two rows are the control:
what holds them is no work of the recorder's.

    python benchmarks/stalls.py [SECONDS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

from viz3d.record.recorder import Recorder

LONG = 0.01  # seconds from which a call is listed

in_write = 0.0
write = os.write


def timed_write(file: int, data: bytes) -> int:
    """Write, and add the time to `in_write`."""
    global in_write  # noqa: PLW0603
    began = time.perf_counter()
    try:
        return write(file, data)
    finally:
        in_write += time.perf_counter() - began


def main(seconds: float) -> None:
    """Log for some seconds, and print the longest calls."""
    global in_write
    os.write = timed_write
    calls: list[tuple[float, float, float]] = []
    control: list[float] = []
    step, end = 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder, Recorder(f"{folder}/run") as rec:
        while time.monotonic() < end:
            in_write, own, began = 0.0, time.thread_time(), time.perf_counter()
            rec.log(step, loss=1 / (1 + step), learning_rate=3e-4)
            calls.append((time.perf_counter() - began, time.thread_time() - own, in_write))
            began = time.perf_counter()
            sum(range(1000))
            control.append(time.perf_counter() - began)
            step += 1
            # A loop that computes all the time, as training on a processor does.
            while time.perf_counter() - began < 0.0005:
                pass
    slow = sorted(call for call in calls if call[0] > LONG)[-5:]
    print(f"{step:,} rows beside a load of {os.getloadavg()[0]:.1f}")
    print("longest calls: ms in all, ms of own processor time, ms in the write")
    for call in slow:
        print("  " + "".join(f"{1000 * part:9.2f}" for part in call))
    print(f"longest of as many plain additions: {1000 * max(control):.1f} ms")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)
