"""Landscapes around where a reference run ended: the plane of its path, a random one, and a line.

They are measured on fixed problems of the side that is trained on, the same for every run. Loss is
in nats per token of the answer, a mean for each problem; reward is that of answers drawn at
temperature 1, as in training.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

from viz3d.record.landscape.measure import landscape
from viz3d.train import addition
from viz3d.train.model import GPT

CHECKPOINTS = 20
"""About as many are kept on the way, evenly over the steps, and the last."""

PROBLEMS = 256
POINTS = 21
EIGENVALUES = 3


class Kept:
    """Copies of a model's weights on the way; to be called with each step when it is over.

    Parameters
    ----------
    model : GPT
    steps : int
        Of the whole training.
    """

    def __init__(self, model: GPT, steps: int) -> None:
        self._model, self._last = model, steps - 1
        self._every = max(1, steps // CHECKPOINTS)
        self.states: dict[int, dict[str, Tensor]] = {}

    def __call__(self, step: int) -> None:
        """Keep the weights after `step` where it is one of those to keep."""
        if step % self._every == 0 or step == self._last:
            state = self._model.state_dict()
            self.states[step] = {name: weight.clone() for name, weight in state.items()}


def measure(
    model: GPT,
    kept: Kept,
    folder: Path,
    *,
    reward: bool = False,
    points: int = POINTS,
    problems: int = PROBLEMS,
) -> None:
    """Measure the landscapes of a trained model and store them with its run.

    Parameters
    ----------
    model : GPT
    kept : Kept
        Its checkpoints, the last of which it is.
    folder : Path
        The run folder.
    reward : bool
        Whether to measure the reward too.
    points : int
        Nodes along each axis.
    problems : int
        In the one batch that every node is measured on.
    """
    pool = addition.problems(held_out=False)
    order = torch.randperm(len(pool), generator=torch.Generator().manual_seed(0))
    batches = [pool[order[:problems]]]
    first = min(kept.states)
    for kind, checkpoints, eigenvalues in (
        ("pca", kept.states, 0),
        ("random", kept.states, EIGENVALUES),
        ("line", {first: kept.states[first]}, 0),
    ):
        landscape(
            model, losses, batches, kind=kind, checkpoints=checkpoints, folder=folder,
            reward_fn=rewards if reward else None, points=points, eigenvalues=eigenvalues,
            centre_step=max(kept.states),
        )  # fmt: skip


def losses(model: GPT, pairs: Tensor) -> Tensor:
    """Return the mean cross-entropy of each problem's answer, in nats per token, (n,)."""
    inputs, targets = addition.lesson(pairs)
    each = F.cross_entropy(
        model(inputs).transpose(1, 2), targets, ignore_index=addition.IGNORED, reduction="none"
    )
    return each.sum(1) / (targets != addition.IGNORED).sum(1)


def rewards(model: GPT, pairs: Tensor) -> Tensor:
    """Return the reward of one answer drawn to each problem, (n,)."""
    drawn = model.generate(addition.prompts(pairs), addition.ANSWER, torch.default_generator)
    return addition.rewards(pairs, drawn)
