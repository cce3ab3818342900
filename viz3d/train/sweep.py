"""A learning-rate sweep of the reference model: one run per peak rate, several seeds at one.

python -m viz3d.train.sweep --output runs [--landscapes]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from viz3d.record.recorder import Recorder
from viz3d.train import landscapes
from viz3d.train.sft import SFTOptions, describe, new_model, train

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
SEEDED_RATE = 3e-3
SEEDS = (0, 1, 2)
MEASURED = (3e-3, 3e-2)
"""Rates whose first seed gets landscapes: one that ends well, and one ten times as high."""


def plan() -> Iterator[SFTOptions]:
    """Yield the runs of the sweep."""
    for rate in RATES:
        for seed in SEEDS if rate == SEEDED_RATE else SEEDS[:1]:
            yield SFTOptions(learning_rate=rate, seed=seed)


def is_measured(options: SFTOptions) -> bool:
    """Say whether a run of the sweep gets landscapes."""
    return options.learning_rate in MEASURED and options.seed == SEEDS[0]


def record(output: Path, options: SFTOptions, *, measured: bool = False) -> Path:
    """Train from scratch and record it; `measured` adds landscapes around where it ends.

    Returns
    -------
    Path
        The run folder, in `output`.
    """
    name = f"gpt-lr-{options.learning_rate:g}-seed-{options.seed}"
    model = new_model(options)
    config = describe(model, options, "python -m viz3d.train.sweep --output DIR")
    kept = landscapes.Kept(model, options.steps)
    with Recorder(output / name, config=config, tags=["learning-rate sweep"]) as recorder:
        train(model, options, recorder, kept)
    if measured:
        landscapes.measure(model, kept, output / name)
    return output / name


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m viz3d.train.sweep", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write the runs to")
    parser.add_argument(
        "--landscapes", action="store_true", help="measure those of two runs too (minutes)"
    )
    chosen = parser.parse_args(arguments)
    for options in plan():
        measured = chosen.landscapes and is_measured(options)
        print(record(chosen.output, options, measured=measured))


if __name__ == "__main__":
    main()
