"""Make the bundled sample runs again: train all of them, measure landscapes, pack the records.

python -m viz3d.train.samples [--output FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from viz3d.record.compact import compact
from viz3d.train import grpo, sweep

SAMPLES = Path(__file__).resolve().parents[1] / "samples"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m viz3d.train.samples", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=SAMPLES, help="folder to write the runs to (the bundled one)"
    )
    output = parser.parse_args(arguments).output
    with tempfile.TemporaryDirectory() as scratch:
        for options in sweep.plan():
            _pack(sweep.record(Path(scratch), options, measured=sweep.is_measured(options)), output)
        _pack(grpo.record(Path(scratch), grpo.GRPOOptions(), measured=True), output)


def _pack(run: Path, output: Path) -> None:
    packed = compact(run, output / run.name)
    print(f"{run.name}: {packed.metric_rows} rows of metrics, {packed.layer_rows} of layers")


if __name__ == "__main__":
    main()
