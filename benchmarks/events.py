"""False alarms and recall of the search for spikes and plateaus, and what it costs.

    python benchmarks/events.py [--seeds 3]

Spikes: 100,000 rows of a power-law decay with 4 % noise of three kinds, without spikes and with
98 that rise by 60 % and decay over 3 rows. A planted spike counts as found when one is told within
three rows of it. Drops are counted too, as for a metric of which nothing is known.

Plateaus: runs of 300 to 30,000 rows that decay by power laws, or by a factor of 1,000 at an even
pace, and have none; and the power laws with
one that lasts from 40 to 75 % of the run or from 60 % to its end. It counts as found when the
longest that is told covers at least half of it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from viz3d.analysis.plateaus import plateaus
from viz3d.analysis.spikes import spikes

Floats = NDArray[np.float64]

ROWS = 100_000
PLANTED = 98
NOISE = ("gauss", "t5", "AR(1) mix")
SIZES = (300, 1_000, 3_000, 30_000)
EXPONENTS = (0.2, 0.45, 0.8)


def draw(kind: str, count: int, rng: np.random.Generator) -> Floats:
    """Draw noise of standard deviation 1; the mix is white and AR(1) of memory 20 rows."""
    if kind == "gauss":
        return rng.standard_normal(count)
    if kind == "t5":
        return rng.standard_t(5, count) / np.sqrt(5 / 3)
    keep = np.exp(-1 / 20)
    slow = lfilter([np.sqrt(1 - keep**2)], [1.0, -keep], rng.standard_normal(count))
    return 0.6 * rng.standard_normal(count) + 0.8 * slow


def decay(rows: int, exponent: float = 0.45) -> Floats:
    """Loss at each of so many rows, of a run as long as 10,000 steps."""
    return 1.8 + 6 * (1 + np.arange(rows) / rows * 1e4 / 30) ** -exponent


def held(clean: Floats, first: float, last: float) -> Floats:
    """Let a curve stand still between two shares of the run, and go on after that."""
    a, b = round(first * len(clean)), round(last * len(clean))
    return np.r_[clean[:a], np.full(b - a, clean[a]), clean[a : a + len(clean) - b]]


def spike_line(kind: str, seeds: int) -> str:
    """Count false alarms up and down on noise alone; share of planted spikes found."""
    alarms, drops, found = 0, 0, 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        step = np.arange(ROWS)
        clean = decay(ROWS) * np.exp(0.04 * draw(kind, ROWS, rng))
        told = spikes(step, clean, "loss")
        alarms += sum(event.kind == "spike" for event in told)
        drops += sum(event.kind == "drop" for event in told)
        at = np.linspace(1_000, ROWS - 1_000, PLANTED).astype(int)
        for lag in range(10):
            clean[at + lag] *= 1 + 0.6 * np.exp(-lag / 3)
        steps = np.array([event.step for event in spikes(step, clean, "loss", "up")])
        found += sum(bool((np.abs(steps - row) <= 3).any()) for row in at)
    return f"{kind:10} {alarms / seeds:10.1f} {drops / seeds:8.1f} {found / seeds / PLANTED:8.2f}"


def plateau_line(kind: str, rows: int, noise: float, seeds: int) -> str:
    """Tell the share of plain decays with a find, and of planted plateaus that are found."""
    false, even, inside, at_end, tries = 0, 0, 0, 0, 0
    for seed in range(seeds):
        for exponent in EXPONENTS:
            rng = np.random.default_rng([seed, rows, int(100 * exponent)])
            factor = np.exp(noise * draw(kind, rows, rng))
            clean = decay(rows, exponent)
            tries += 1
            false += bool(find(clean * factor))
            even += bool(find(2 * 1e-3 ** (np.arange(rows) / rows) * factor))
            inside += covered(find(held(clean, 0.4, 0.75) * factor), 0.4, 0.75)
            at_end += covered(find(held(clean, 0.6, 1.0) * factor), 0.6, 1.0)
    shares = "".join(f"{100 * n / tries:9.0f} %" for n in (false, even, inside, at_end))
    return f"{kind:10} {rows:7,} {100 * noise:5.1f} %{shares}"


def find(value: Floats) -> list[tuple[float, float]]:
    """Plateaus of a curve, as shares of the run."""
    found = plateaus(np.arange(len(value)), value, "loss")
    return [(event.step / len(value), (event.last_step + 1) / len(value)) for event in found]


def covered(found: list[tuple[float, float]], first: float, last: float) -> bool:
    """Whether one of the stretches covers half of the planted one, and is mostly inside it."""
    for a, b in found:
        shared = min(b, last) - max(a, first)
        if shared >= 0.5 * (last - first) and shared >= 0.8 * (b - a):
            return True
    return False


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    print(f"spikes in {ROWS:,} rows\n{'noise':10} {'false up':>10} {'down':>8} {'recall':>8}")
    for kind in NOISE:
        print(spike_line(kind, seeds), flush=True)
    columns = "".join(f"{name:>11}" for name in ("false", "even pace", "inside", "at end"))
    head = f"{'noise':10} {'rows':>7} {'size':>7}{columns}"
    print(f"\nplateaus\n{head}")
    for kind in NOISE:
        for rows in SIZES:
            for noise in (0.01, 0.04):
                print(plateau_line(kind, rows, noise, 10 * seeds), flush=True)
    print("\ntime")
    for rows in (ROWS, 10 * ROWS):
        rng = np.random.default_rng(0)
        value = decay(rows) * np.exp(0.04 * rng.standard_normal(rows))
        began = time.perf_counter()
        spikes(np.arange(rows), value, "loss")
        middle = time.perf_counter()
        plateaus(np.arange(rows), value, "loss")
        end = time.perf_counter()
        print(f"{rows:9,} rows: spikes {middle - began:.2f} s, plateaus {end - middle:.2f} s")


if __name__ == "__main__":
    main()
