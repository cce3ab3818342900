"""What `Recorder.watch` costs the reference model: in time, as shares of a bare training step.

    python benchmarks/layers.py [--blocks 60]

The bare loop, the loop with layers and the loop with layers and update ratios take turns, ten
steps at a time, each with a model of its own, on one thread. "Whole loop" compares the medians of
those ten steps. "Parts" adds up what was timed by itself, the calls and what ``optimizer.step()``
takes longer than in the bare loop; it feels the load of the machine less. Wanted: 3 %.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from viz3d.record.layers import EVERY
from viz3d.record.recorder import Recorder
from viz3d.train import addition
from viz3d.train.sft import SFTOptions, answer_loss, new_model


class Loop:
    """A training loop that is timed step by step.

    Parameters
    ----------
    recorder : Recorder or None
        None for the bare loop.
    settings : bool
        Of `watch`.
    """

    def __init__(self, recorder: Recorder | None, **settings: bool) -> None:
        self.options = SFTOptions()
        self.model = new_model(self.options)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3)
        self.pool = addition.problems(held_out=False)
        self.generator = torch.Generator().manual_seed(0)
        self.recorder = recorder
        self.step = 0
        self.steps: list[float] = []
        self.tens: list[float] = []
        self.recorded: list[float] = []
        self.between: list[float] = []
        self.updates: list[float] = []
        self.measured: list[float] = []
        if recorder:
            recorder.watch(self.model, **settings)

    def ten(self) -> None:
        """Train as many steps as there are from one record to the next."""
        begin = time.perf_counter()
        for _ in range(EVERY):
            self.one()
        self.tens.append(time.perf_counter() - begin)

    def one(self) -> None:
        """Train one step."""
        begin = time.perf_counter()
        drawn = torch.randint(len(self.pool), (self.options.batch,), generator=self.generator)
        loss = answer_loss(self.model, self.pool[drawn])
        self.optimizer.zero_grad()
        loss.backward()
        called = time.perf_counter()
        if self.recorder:
            self.recorder.log_layers(self.step)
        stepped = time.perf_counter()
        self.optimizer.step()
        end = time.perf_counter()
        (self.between if self.step % EVERY else self.recorded).append(stepped - called)
        (self.updates if (self.step + 1) % EVERY else self.measured).append(end - stepped)
        self.steps.append(end - begin)
        self.step += 1

    def parts(self, bare: Loop) -> float:
        """Return the seconds that layers add to ten steps of `bare`."""
        calls = median(self.recorded) + (EVERY - 1) * median(self.between)
        steps = median(self.measured) + (EVERY - 1) * median(self.updates)
        return calls + steps - EVERY * median(bare.updates + bare.measured)


def median(seconds: list[float]) -> float:
    """Return the median without the first tenth, in which things warm up."""
    return statistics.median(seconds[len(seconds) // 10 :])


def main() -> None:
    """Run the three loops in turns and print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--blocks", type=int, default=60, help="tens of steps of each loop")
    blocks = parser.parse_args().blocks
    with tempfile.TemporaryDirectory() as folder:
        loops = {
            "bare": Loop(None),
            "layers, updates=False": Loop(Recorder(Path(folder) / "a"), updates=False),
            "layers (default)": Loop(Recorder(Path(folder) / "b")),
        }
        for _ in range(blocks):
            for loop in loops.values():
                loop.ten()
    bare = loops["bare"]
    step = median(bare.steps)
    print(f"bare step {step * 1e3:.2f} ms (median of {len(bare.steps)})")
    for name, loop in loops.items():
        if loop is bare:
            continue
        print(
            f"{name}: whole loop {median(loop.tens) / median(bare.tens) - 1:+.2%}, "
            f"parts {loop.parts(bare) / EVERY / step:+.2%} of a bare step at every={EVERY}; "
            f"a call that records {median(loop.recorded) / step:.2%}, "
            f"one that does not {median(loop.between) / step:.4%} "
            f"({median(loop.between) * 1e6:.1f} µs); "
            f"a measured optimizer.step() {median(loop.measured) / median(loop.updates):.2f} times "
            f"another"
        )


if __name__ == "__main__":
    main()
