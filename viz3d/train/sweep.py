"""A learning-rate sweep of the reference model: one run per peak rate, several seeds at one.

python -m viz3d.train.sweep --output runs
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from viz3d.record.recorder import Recorder
from viz3d.train.sft import SFTOptions, describe, new_model, train

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
SEEDED_RATE = 3e-3
SEEDS = (0, 1, 2)


def plan() -> Iterator[SFTOptions]:
    """Yield the runs of the sweep."""
    for rate in RATES:
        for seed in SEEDS if rate == SEEDED_RATE else SEEDS[:1]:
            yield SFTOptions(learning_rate=rate, seed=seed)


def record(output: Path, options: SFTOptions) -> Path:
    """Train from scratch and record it.

    Returns
    -------
    Path
        The run folder, in `output`.
    """
    name = f"gpt-lr-{options.learning_rate:g}-seed-{options.seed}"
    model = new_model(options)
    config = describe(model, options, "python -m viz3d.train.sweep --output DIR")
    with Recorder(output / name, config=config, tags=["learning-rate sweep"]) as recorder:
        train(model, options, recorder)
    return output / name


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m viz3d.train.sweep", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder to write the runs to")
    chosen = parser.parse_args(arguments)
    for options in plan():
        print(record(chosen.output, options))


if __name__ == "__main__":
    main()
