"""Subtract sweeps of one truth, and of a truth 10 % worse: how much of it is called a difference.

    python benchmarks/difference_truths.py [--pairs 4] [--axis current|peak] [--developed]

Two sweeps of six runs each are drawn from one truth of `surface_truths.py`, with noise and run
offsets of their own. Flagged: share of the common supported cells that are called better or worse,
which is wrong. Then B is made 10 % worse, value by value. Right: share of the cells where A is
called better; wrong side: where it is called worse. Every pair counts alike; four of each of five
families are 20. Wanted: at most 5 % flagged on average, at least 80 % right.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
from surface_truths import AXES, DEVELOPED, HELD_BACK, Family, record

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from viz3d.analysis.difference import subtract

RUNS = 6
WORSE = 1.1


def score(family: Family, axis: str, pair: int) -> tuple[float, float, float, float]:
    """Share of the grid that both support, flagged, right and on the wrong side, of one pair."""
    a, b = (record(family, RUNS, axis, 2 * pair + side)[:4] for side in (0, 1))
    same = subtract(a, b)
    step, rate, value, run = b
    worse = subtract(a, (step, rate, WORSE * value, run))
    flagged = 1 - same.shares[2]
    return (float(same.shown.mean()), flagged, worse.shares[0], worse.shares[1])


def main() -> None:
    """Print every family, then the mean of all pairs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=4, help="of each family")
    parser.add_argument("--axis", choices=AXES, default=AXES[0])
    parser.add_argument("--developed", action="store_true")
    chosen = parser.parse_args()
    families = DEVELOPED if chosen.developed else HELD_BACK
    print(f"{'family':12} {'common':>7} {'flagged':>8} {'right':>6} {'wrong side':>11}")
    every = []
    for name, family in families.items():
        rows = np.array([score(family, chosen.axis, pair) for pair in range(chosen.pairs)])
        every.append(rows)
        common, flagged, right, wrong = rows.mean(axis=0)
        print(f"{name:12} {common:7.0%} {flagged:8.1%} {right:6.0%} {wrong:11.2%}", flush=True)
    common, flagged, right, wrong = np.concatenate(every).mean(axis=0)
    print(f"{'all':12} {common:7.0%} {flagged:8.1%} {right:6.0%} {wrong:11.2%}")


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
