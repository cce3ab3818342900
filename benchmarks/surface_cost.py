"""CPU seconds and memory of one surface, from 1,000 to 1,000,000 samples of 8 runs.

    python benchmarks/surface_cost.py

Each size runs in a process of its own. CPU seconds are those of the fit on a grid of 96 x 96; what
Python took to start and to import stands beside them. Memory is the peak over what the imports and
the data take. Wanted: 2 s for 100,000 samples, 4 s for 1,000,000, at most 300 MB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas  # noqa: F401  (the fit would import it; here it is not to count)
import scipy.signal
import scipy.spatial  # noqa: F401
import sklearn.gaussian_process  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from viz3d.analysis.surface import fit_surface

IMPORTS = time.process_time()
SIZES = (1_000, 10_000, 100_000, 1_000_000)
RUNS = 8
STEPS = 10_000


def megabytes() -> float:
    """Peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(size: int) -> None:
    """Fit once and print one line."""
    rng = np.random.default_rng(0)
    step = np.tile(np.linspace(0, STEPS, size // RUNS), RUNS)
    run = np.repeat(np.arange(RUNS), size // RUNS)
    rate = np.geomspace(1e-4, 2e-2, RUNS)[run] * (0.1 + 0.45 * (1 + np.cos(np.pi * step / STEPS)))
    loss = (2 + 5 * (1 + 25 * step * rate) ** -0.45) * rng.normal(1, 0.05, len(step))
    before, cpu, wall = megabytes(), time.process_time(), time.perf_counter()
    surface = fit_surface(step, rate, loss, run)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        f"{size:>9,} samples {cpu:6.2f} CPU s {wall:6.2f} s wall {megabytes() - before:5.0f} MB, "
        f"{surface.n_bins} bins, {surface.share:.0%} shown (start and imports {IMPORTS:.2f} CPU s)"
    )


def main() -> None:
    """Measure every size in a fresh process."""
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
        return
    for size in SIZES:
        subprocess.run([sys.executable, __file__, str(size)], check=True)


if __name__ == "__main__":
    main()
