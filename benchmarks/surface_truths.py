"""Fit surfaces to noisy runs over known truths: how much is shown, how much of it is wrong.

    python benchmarks/surface_truths.py [--seeds 20] [--first 0] [--developed] [--family NAME]

Five truths: a cliff, a bowl, a plateau, a spiky one and one whose noise grows. They were written
after the last setting of the fit was chosen, and no setting was changed since. `--developed` prints
five others of the same kinds; settings were chosen with those in sight, so they prove less. Runs
take 10,000 samples together, with peak rates spaced evenly in the logarithm, a warm-up and a
cosine; y is the current or the peak rate. Their noise is white plus AR(1) with a memory of a
hundredth of the run, and every run has an offset.

Shown: share of the box with support above 0. Wrong: share of the shown cells whose error is above
a tenth of the z range (2 to 98 % of the truth on the curves). Cover: share of the shown cells
whose nominal 90 % band holds the truth. All cells of all seeds count alike.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from viz3d.analysis.surface import fit_surface

Floats = NDArray[np.float64]
Truth = Callable[[Floats, Floats], Floats]

STEPS = 10_000
SAMPLES = 10_000
RUNS = (1, 3, 6, 10, 16)
AXES = ("current", "peak")


@dataclass(frozen=True)
class Family:
    """A truth and the noise of its runs.

    Attributes
    ----------
    truth : callable
        Value at step and rate.
    growth : float
        Noise at the last step, as a multiple of the noise at the first.
    spikes : float
        Share of the samples that spike upwards.
    """

    truth: Truth
    growth: float = 1.0
    spikes: float = 0.0


def sigmoid(t: Floats) -> Floats:
    """Rise from 0 to 1 around 0."""
    return 1 / (1 + np.exp(-np.clip(t, -60, 60)))


def falling(step: Floats, rate: Floats) -> Floats:
    """Fall as a power law in the step, faster at a higher rate."""
    speed = rate / (rate + 1e-3)
    return 2.0 + 5.0 * (1 + step * speed / 40) ** -0.4


def cliff(step: Floats, rate: Floats) -> Floats:
    """Break down above a rate, within a tenth of a decade or so."""
    broken = sigmoid((np.log10(rate) + 2.4) / 0.04)
    return falling(step, rate) + 2.5 * broken * (1 - np.exp(-step / 1500))


def bowl(step: Floats, rate: Floats) -> Floats:
    """Have a best rate in the middle, which matters more the longer the run."""
    away = np.log10(rate) + 3.0
    return 2.2 + 3.0 * np.exp(-step / 800) + 0.9 * away**2 * (0.2 + step / STEPS)


def plateau(step: Floats, rate: Floats) -> Floats:
    """Learn nothing until a step that depends on the rate; then fall off."""
    late = np.log10(step + 30) - (3.0 - 0.3 * (np.log10(rate) + 3))
    return 5.0 - 3.0 * sigmoid(late / 0.15)


def ripples(step: Floats, rate: Floats) -> Floats:
    """Decay slowly, with a swell along the rate."""
    swell = 0.5 * np.sin(2.2 * (np.log10(rate) + 3))
    return 2.5 + 3.5 / (1 + step / 500) ** 0.5 + swell * step / STEPS


def drifting_cliff(step: Floats, rate: Floats) -> Floats:
    """Break down above a rate that falls with the step."""
    limit = -2.2 - 0.5 * step / STEPS
    broken = sigmoid((np.log10(rate) - limit) / 0.05)
    return 2.4 + 4.5 * np.exp(-np.sqrt(step / 600)) + 2.0 * broken


def drifting_bowl(step: Floats, rate: Floats) -> Floats:
    """Have a best rate that falls with the step."""
    away = np.log10(rate) + 2.5 + 0.8 * step / STEPS
    return 2.0 + 4.0 / (1 + step / 300) ** 0.6 + 0.5 * away**2


def two_plateaus(step: Floats, rate: Floats) -> Floats:
    """Fall in two stages, both earlier at a higher rate."""
    late = np.log10(step + 20) + 0.25 * (np.log10(rate) + 3)
    return 6.0 - 2.0 * sigmoid((late - 2.4) / 0.15) - 2.0 * sigmoid((late - 3.5) / 0.12)


def tilted(step: Floats, rate: Floats) -> Floats:
    """Fall with the logarithm of the step, by more at a higher rate."""
    slope = 0.9 + 0.25 * np.tanh(1.5 * (np.log10(rate) + 3))
    return 7.0 - slope * np.log1p(step / 60)


def rising(step: Floats, rate: Floats) -> Floats:
    """Overfit: fall, then rise again at high rates."""
    return (
        2.0
        + 3.5 / (1 + step / 250) ** 0.7
        + 1.6 * sigmoid((np.log10(rate) + 2.8) / 0.3) * (step / STEPS)
    )


HELD_BACK = {
    "cliff": Family(drifting_cliff),
    "bowl": Family(drifting_bowl),
    "plateau": Family(two_plateaus),
    "spiky": Family(tilted, spikes=0.01),
    "noise grows": Family(rising, growth=4.0),
}

DEVELOPED = {
    "cliff": Family(cliff),
    "bowl": Family(bowl),
    "plateau": Family(plateau),
    "spiky": Family(ripples, spikes=0.005),
    "noise grows": Family(falling, growth=5.0),
}


def correlated(count: int, memory: float, rng: np.random.Generator) -> Floats:
    """Draw AR(1) noise of variance 1 that forgets by a factor e in `memory` samples."""
    keep = np.exp(-1 / memory)
    shocks = rng.standard_normal(count) * np.sqrt(1 - keep**2)
    shocks[0] = rng.standard_normal()
    return lfilter([1.0], [1.0, -keep], shocks)


def schedule(step: Floats) -> Floats:
    """Linear warm-up over a twentieth of the run, then a cosine down to a twentieth."""
    warm = STEPS / 20
    done = np.clip((step - warm) / (STEPS - warm), 0, 1)
    return np.minimum(1, (step + 1) / warm) * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * done)))


@dataclass(frozen=True)
class Sweep:
    """Runs that are drawn together.

    Attributes
    ----------
    peaks : ndarray, shape (runs,)
        Peak rate of each.
    rows : int
        Of each run.
    noise, slow : float
        Standard deviation of the white and of the AR(1) noise, as shares of the value.
    memory : float
        Share of a run over which the AR(1) noise decays by a factor e.
    """

    peaks: Floats
    rows: int
    noise: float = 0.03
    slow: float = 0.04
    memory: float = 0.01

    @classmethod
    def even(cls, runs: int) -> Sweep:
        """Space the peak rates evenly in the logarithm; give all runs together 10,000 rows."""
        peaks = np.geomspace(1e-4, 2e-2, runs) if runs > 1 else np.array([3e-3])
        return cls(peaks, SAMPLES // runs)


def record(
    family: Family, sweep: Sweep, axis: str, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Step, rate, value, run and true value of every sample of some runs."""
    step = np.linspace(0, STEPS, sweep.rows)
    parts = []
    for number, peak in enumerate(sweep.peaks):
        rate = peak * schedule(step) if axis == "current" else np.full(len(step), peak)
        clean = family.truth(step, rate)
        noise = sweep.noise * rng.standard_normal(len(step))
        noise += sweep.slow * correlated(len(step), sweep.memory * len(step), rng)
        noise *= np.linspace(1 / family.growth, 1, len(step)) if family.growth > 1 else 1.0
        noise += (rng.random(len(step)) < family.spikes) * rng.exponential(2.0, len(step))
        value = clean * (1 + noise) + 0.05 * rng.standard_normal()
        parts.append((step, rate, value, np.full(len(step), float(number)), clean))
    step, rate, value, run, clean = (np.concatenate(column) for column in zip(*parts, strict=True))
    return step, rate, value, run, clean


def score(family: Family, runs: int, axis: str, seed: int) -> NDArray[np.int64]:
    """Count cells of one surface: all, shown, wrong, covered."""
    rng = np.random.default_rng([seed, runs])
    step, rate, value, run, clean = record(family, Sweep.even(runs), axis, rng)
    surface = fit_surface(step, rate, value, run)
    low, high = np.quantile(clean, [0.02, 0.98])
    truth = family.truth(*np.meshgrid(surface.x, surface.y))
    shown = surface.support > 0
    wrong = np.abs(surface.z - truth)[shown] > 0.1 * (high - low)
    covered = ((surface.lower <= truth) & (truth <= surface.upper))[shown]
    return np.array([shown.size, shown.sum(), wrong.sum(), covered.sum()])


def told(cells: NDArray[np.int64]) -> str:
    """Shares of the counts: shown of all, wrong and covered of the shown."""
    count, shown, wrong, covered = cells
    if not shown:
        return f"{0:5.0%}    -      -  "
    return f"{shown / count:5.0%} {wrong / shown:6.2%} {covered / shown:5.0%}"


def main() -> None:
    """Print every family, then the families over three runs and more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--developed", action="store_true")
    parser.add_argument("--family", choices=list(HELD_BACK), action="append")
    chosen = parser.parse_args()
    families = DEVELOPED if chosen.developed else HELD_BACK
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    print("each column: shown, wrong, covered")
    print(f"{'family':12} {'y':8}" + "".join(f"{f'{runs} runs':>22}" for runs in RUNS))
    several: dict[str, NDArray[np.int64]] = {}
    for name in chosen.family or families:
        for axis in AXES:
            line = f"{name:12} {axis:8}"
            for runs in RUNS:
                if runs == 1 and axis == "peak":
                    line += " " * 22
                    continue
                cells = sum(score(families[name], runs, axis, seed) for seed in seeds)
                line += f"{told(cells):>22}"
                if runs > 1:
                    several[name] = several.get(name, np.zeros(4, dtype=np.int64)) + cells
            print(line, flush=True)
    print("\nseveral runs, both axes (wanted: 50 % shown, under 1 % wrong, 85 to 99 % covered)")
    for name, cells in several.items():
        print(f"{name:12} {told(cells)}")


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
