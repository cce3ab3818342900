"""Leave each interior run of a real sweep out and look at its path on the surface of the others.

    python benchmarks/surface_leave_one_out.py [FOLDER]

FOLDER holds `<optimizer>-lr-<rate>-….json` files with an array `losses`, by default the GPT-Large
sweep of the real data; y is the peak rate. The error is taken against the left-out run's median
over 51 steps, as a share of the z range of the others (2 to 98 % of their losses).

Shown: share of the path that is supported. Wrong: share of what is shown whose error is above a
tenth of the range. Wanted: 60 % shown over Muon-compact and 10 % over AdamW, at most 3 % wrong.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from viz3d.analysis.surface_model import SurfaceModel

Floats = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT.parent / "shared" / "data" / "gpt-large-lr-sweep"
WINDOW = 51


def load_sweeps(folder: Path) -> dict[str, dict[float, Floats]]:
    """Losses by optimizer and peak rate."""
    sweeps: dict[str, dict[float, Floats]] = {}
    for path in folder.glob("*.json"):
        named = re.match(r"(.+)-lr-([0-9.e-]+)-", path.name)
        if named:
            losses = np.asarray(json.loads(path.read_text())["losses"], dtype=np.float64)
            sweeps.setdefault(named[1], {})[float(named[2])] = losses
    return {name: dict(sorted(runs.items())) for name, runs in sorted(sweeps.items())}


def fit(runs: dict[float, Floats]) -> SurfaceModel:
    """Fit the loss over step and peak rate."""
    rates, lengths = list(runs), [len(losses) for losses in runs.values()]
    step = np.concatenate([np.arange(length) for length in lengths])
    rate = np.repeat(rates, lengths)
    return SurfaceModel().fit(step, rate, np.concatenate(list(runs.values())), rate)


def leave_out(runs: dict[float, Floats], rate: float) -> tuple[int, int, int]:
    """Predict one run from the others, print how well, count steps: all, shown, wrong."""
    losses = runs[rate]
    model = fit({other: runs[other] for other in runs if other != rate})
    at = model.predict(np.arange(len(losses)), np.full(len(losses), rate))
    path = pd.Series(losses).rolling(WINDOW, center=True, min_periods=1).median().to_numpy()
    low, high = model.z_range_
    error = np.abs(at.z - path) / (high - low)
    shown = at.support > 0
    wrong = shown & (error > 0.1)
    print(
        f"  {rate:<8g} shown {shown.mean():4.0%}  wrong {wrong.sum() / max(shown.sum(), 1):6.2%}  "
        f"error {np.median(error):.3f} / {np.quantile(error, 0.95):.3f} (median / 95 %)  "
        f"covered {np.mean((at.lower <= path) & (path <= at.upper)):4.0%}  kappa {model.kappa_:.2f}"
    )
    return len(losses), int(shown.sum()), int(wrong.sum())


def main() -> None:
    """Print every left-out run, then each sweep as a whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    for name, runs in load_sweeps(parser.parse_args().folder).items():
        print(f"{name}, {len(runs)} rates")
        counts = [leave_out(runs, rate) for rate in list(runs)[1:-1]]
        steps, shown, wrong = np.sum(counts, axis=0)
        print(f"  together shown {shown / steps:4.0%}  wrong {wrong / max(shown, 1):6.2%}")


if __name__ == "__main__":
    main()
