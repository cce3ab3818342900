"""How often the statistics of seeds are wrong where the truth is known.

    python benchmarks/seed_statistics.py [--pairs 400]

Each run is 1,000 steps of AR(1) noise (memory 20 steps, standard deviation 0.1) about a level that
differs from seed to seed by a standard deviation of 0.05; its number is the mean of the last 100
steps. Wanted: at a nominal 5 % between 2 and 8 % false positives at 3, 5 and 10 seeds a side.
Power is that for a shift of 0.1. The interval from the noise within
one run is judged on the same window: it should be refused where that holds too few independent
values, and else hold the level of the run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import ttest_ind

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from viz3d.analysis.final import final_window
from viz3d.analysis.statistics import compare, mean_interval

STEPS = 1_000
MEMORY = 20.0
NOISE, BETWEEN = 0.1, 0.05
SHIFT = 0.1
SEEDS = (3, 5, 10)
NOMINAL = 0.05

Floats = NDArray[np.float64]


def curves(shape: tuple[int, ...], memory: float, rng: np.random.Generator) -> Floats:
    """Draw AR(1) noise along the last axis; a correlation falls by a factor e in `memory` steps."""
    keep = np.exp(-1 / memory)
    shocks = rng.standard_normal(shape) * np.sqrt(1 - keep**2)
    shocks[..., 0] = rng.standard_normal(shape[:-1])
    return NOISE * lfilter([1.0], [1.0, -keep], shocks, axis=-1)


def numbers(pairs: int, seeds: int, rng: np.random.Generator) -> Floats:
    """Return one number per run, shape (pairs, 2, seeds)."""
    values = curves((pairs, 2, seeds, STEPS), MEMORY, rng)
    values += BETWEEN * rng.standard_normal((pairs, 2, seeds, 1))
    step = np.arange(STEPS)
    ends = [final_window(step, value) for value in values.reshape(-1, STEPS)]
    return np.array([end.mean for end in ends if end]).reshape(pairs, 2, seeds)


def over_seeds(pairs: int, seeds: int, first: int = 0) -> tuple[float, float, float]:
    """Return the share of false positives, the power and the coverage of the t interval."""
    found = numbers(pairs, seeds, np.random.default_rng([first, seeds]))
    false = sum(_differs(a, b, 0.0) for a, b in found)
    true = sum(_differs(a, b, SHIFT) for a, b in found)
    intervals = [mean_interval(side) for pair in found for side in pair]
    covered = sum(_holds(one.lower, one.upper) for one in intervals)
    return false / pairs, true / pairs, covered / len(intervals)


def over_points(pairs: int, seeds: int, first: int = 0) -> float:
    """Return the false positives of what is not done here: a t test over all steps of the ends."""
    rng = np.random.default_rng([first, seeds])
    ends = curves((pairs, 2, seeds, STEPS), MEMORY, rng)[..., -100:]
    ends = ends + BETWEEN * rng.standard_normal((pairs, 2, seeds, 1))
    sides = ends.reshape(pairs, 2, -1)
    return float(
        np.mean(ttest_ind(sides[:, 0], sides[:, 1], axis=1, equal_var=False).pvalue < NOMINAL)
    )


def within_run(runs: int, memory: float, first: int = 0) -> tuple[float, float]:
    """Return how often an interval was given, and how often it then held the true level.

    The second is NaN where none was given.
    """
    values = curves((runs, STEPS), memory, np.random.default_rng([first, int(memory)]))
    step = np.arange(STEPS)
    intervals = [end.noise for value in values if (end := final_window(step, value))]
    given = [one for one in intervals if one.lower is not None]
    held = sum(_holds(one.lower, one.upper) for one in given)
    return len(given) / runs, held / len(given) if given else float("nan")


def _differs(a: Floats, b: Floats, shift: float) -> bool:
    p = compare(a + shift, b).p
    return p is not None and p < NOMINAL


def _holds(lower: float | None, upper: float | None) -> bool:
    return lower is not None and upper is not None and lower <= 0 <= upper


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=400)
    pairs = parser.parse_args().pairs
    print(f"{pairs} pairs; false positives wanted: 2 to 8 %")
    for seeds in SEEDS:
        false, power, covered = over_seeds(pairs, seeds)
        print(
            f"{seeds:3} seeds a side: {false:5.1%} false positives, {power:4.0%} power for a shift "
            f"of {SHIFT}, 95 % interval of the mean covers {covered:.1%}"
        )
    wrong = ", ".join(f"{over_points(pairs, seeds):.0%} at {seeds}" for seeds in (1, *SEEDS))
    print(f"for comparison, a t test over the steps themselves: {wrong} seeds a side")
    print(f"\n{pairs} single runs, interval from the noise within the run")
    for memory in (1.0, 5.0, 20.0, 50.0):
        given, held = within_run(pairs, memory)
        covers = f", covers {held:.1%}" if given else ""
        print(f"memory {memory:2.0f} steps: interval given for {given:4.0%}{covers}")


if __name__ == "__main__":
    main()
