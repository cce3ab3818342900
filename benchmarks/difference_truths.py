"""Subtract sweeps of one truth, and of a truth 10 % worse: how much of it is called a difference.

    python benchmarks/difference_truths.py [--sets 2] [--first 0] [--developed] [--layout NAME]

Each pair is two sweeps of one truth, with noise and run offsets of their own. The truths are the
five of `surface_truths.py` and one that breaks down at once above a rate. The layouts say in what
the sides differ: in nothing, in their rates, their size, their noise, or in that B has no rate in a
wide gap where A has several and, for two truths, a cliff is. Every set draws each truth in each
layout once over the current and once over the peak rate.

Flagged: share of the common supported cells that are called better or worse, which is wrong. Then B
is made 10 % worse, value by value. Right: share of the cells where A is called better; wrong:
where it is called worse. Every pair counts alike. Wanted: at most 5 % flagged on average, at least
80 % right. Settings were chosen on the truths of `--developed` with sets from 100 on.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from surface_truths import AXES, DEVELOPED, HELD_BACK, Family, Floats, Sweep, falling, record

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from viz3d.analysis.difference import subtract

WORSE = 1.1
GRID = 48

LIKE = Sweep.even(6)
BETWEEN = np.sqrt(LIKE.peaks[1:] * LIKE.peaks[:-1])
LOW, HIGH = np.geomspace(1e-4, 5e-3, 5), np.geomspace(8e-4, 2e-2, 5)
AROUND = np.array([1e-4, 3e-4, 9e-4, 1.5e-2, 2e-2])

LAYOUTS = {
    "alike": (LIKE, LIKE),
    "other rates": (LIKE, replace(LIKE, peaks=BETWEEN)),
    "partly": (replace(LIKE, peaks=LOW), replace(LIKE, peaks=HIGH)),
    "fewer runs": (Sweep.even(9), replace(Sweep.even(3), rows=400)),
    "gap in B": (Sweep.even(8), replace(LIKE, peaks=AROUND)),
    "noisier B": (LIKE, replace(LIKE, noise=0.09, slow=0.12)),
    "long memory": (replace(LIKE, slow=0.08, memory=0.05),) * 2,
}


def breaking(step: Floats, rate: Floats) -> Floats:
    """Diverge at once above a rate."""
    return np.where(rate > 4e-3, 7.0 + 0 * step, falling(step, rate))


def breaking_late(step: Floats, rate: Floats) -> Floats:
    """Diverge at once above a rate, after a while."""
    lost = (rate > 2.5e-3) & (step > 800)
    return np.where(lost, 6.5, 2.3 + 3.5 / (1 + step / 200) ** 0.5)


TRUTHS = {
    "developed": {**DEVELOPED, "breaks": Family(breaking)},
    "held back": {**HELD_BACK, "breaks": Family(breaking_late)},
}

SCORES = ("common", "flagged", "right", "wrong")

Task = tuple[str, int, str, str, str]


def score(task: Task) -> tuple[float, float, float, float]:
    """Share of the grid that both support, flagged, right and on the wrong side, of one pair."""
    kind, number, axis, layout, name = task
    family = TRUTHS[kind][name]
    seed = [number, AXES.index(axis), list(LAYOUTS).index(layout), list(TRUTHS[kind]).index(name)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a, b = (
            record(family, sweep, axis, np.random.default_rng([*seed, side]))[:4]
            for side, sweep in enumerate(LAYOUTS[layout])
        )
        step, rate, value, run = b
        same = subtract(a, b, grid=GRID)
        worse = subtract(a, (step, rate, WORSE * value, run), grid=GRID)
    below, above, _ = worse.shares
    return float(same.shown.mean()), 1 - same.shares[2], below, above


def main() -> None:
    """Print flagged and right by layout and truth, then the means of layouts, truths and sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="first set")
    parser.add_argument("--developed", action="store_true")
    parser.add_argument("--layout", choices=list(LAYOUTS), action="append")
    parser.add_argument("--axis", choices=AXES, action="append")
    chosen = parser.parse_args()
    kind = "developed" if chosen.developed else "held back"
    sets = range(chosen.first, chosen.first + chosen.sets)
    choices = sets, chosen.axis or AXES, chosen.layout or LAYOUTS, TRUTHS[kind]
    tasks = [(kind, *task) for task in product(*choices)]
    rows = []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for task, row in zip(tasks, pool.map(score, tasks), strict=True):
            rows.append((*task[1:], *row))
            print(*task[1:], *(f"{value:.1%}" for value in row), file=sys.stderr, flush=True)
    found = pd.DataFrame(rows, columns=["set", "axis", "layout", "truth", *SCORES])
    percent = "{:.1%}".format
    for name in ("flagged", "right"):
        table = found.pivot_table(name, "layout", "truth", sort=False, margins=True)
        print(f"{name}\n{table.to_string(float_format=percent)}\n")
    for name in ("layout", "truth", "axis", "set"):
        means = found.groupby(name, sort=False)[list(SCORES)].mean()
        means["most flagged"] = found.groupby(name).flagged.max()
        print(f"{means.to_string(float_format=percent)}\n")
    print(f"{len(found)} pairs")
    print(found[list(SCORES)].mean().to_frame().T.to_string(float_format=percent, index=False))


if __name__ == "__main__":
    main()
