"""What a landscape costs over the bare passes that it cannot do without, as ratios of one run.

python benchmarks/landscape.py

A grid of n nodes is n passes over the batches. Printed is what measuring it took over n bare passes
of the same loss over the same batches, in memory and with a folder to resume from, and what a
Hessian-vector product took over one pass. Each round takes all of them in turns, so that a busy
machine slows all alike; of the rounds the median counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable

import numpy as np
import torch

from viz3d.record.landscape.hessian import hessian
from viz3d.record.landscape.measure import landscape
from viz3d.record.landscape.samples import Measure
from viz3d.train import addition
from viz3d.train.landscapes import losses
from viz3d.train.sft import SFTOptions, new_model

POINTS = 9


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(problems: int, rounds: int) -> np.ndarray:
    """Return seconds of bare passes, grid, grid with a folder, and a product, (rounds, 4)."""
    model = new_model(SFTOptions()).eval()
    batches = list(addition.problems(held_out=False)[:problems].split(64))
    parameters = list(model.parameters())
    vector = torch.randn(sum(weight.numel() for weight in parameters))
    whole = Measure(model, batches, losses, None, 0)

    def passes(n: int) -> None:
        with torch.no_grad():
            for _ in range(n):
                for batch in batches:
                    losses(model, batch)

    def product() -> None:
        with hessian(whole, parameters) as times:
            times(vector)

    with tempfile.TemporaryDirectory() as folder:
        # One more than the grid: the centre is measured by itself first.
        found = [
            [
                seconds(lambda: passes(POINTS**2 + 1)),
                seconds(lambda: landscape(model, losses, batches, points=POINTS)),
                seconds(lambda: landscape(model, losses, batches, points=POINTS, folder=folder)),
                seconds(product) * (POINTS**2 + 1),
            ]
            for _ in range(rounds)
        ]
    return np.array(found)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python benchmarks/landscape.py")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for problems in (64, 256):
        taken = measure(problems, rounds)
        grid, stored, product = np.median(taken[:, 1:] / taken[:, :1], axis=0)
        print(
            f"{problems:4} samples, {POINTS} x {POINTS} nodes: {grid:.2f} times the bare passes, "
            f"with a folder {stored:.2f}; a Hessian-vector product is {product:.1f} passes"
        )


if __name__ == "__main__":
    main()
