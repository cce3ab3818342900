"""Supervised training of the reference model: next tokens of the answer, AdamW, cosine schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name the field uses
from torch import Tensor

from viz3d.record.recorder import Recorder
from viz3d.train import addition
from viz3d.train.model import GPT, GPTConfig


@dataclass(frozen=True)
class SFTOptions:
    """How a supervised run is trained.

    Attributes
    ----------
    learning_rate : float
        The peak, reached at the end of the warm-up; a tenth of it is left at the end.
    seed : int
        Of the weights and of the order of the problems.
    steps, warmup, batch : int
    depth, width, heads : int
        Size of the model.
    layers_every, eval_every : int
        Steps between two rows of layers, and between two evaluations on held-out problems.
    """

    learning_rate: float = 3e-3
    seed: int = 0
    steps: int = 400
    warmup: int = 20
    batch: int = 64
    depth: int = 6
    width: int = 48
    heads: int = 4
    layers_every: int = 5
    eval_every: int = 20


def new_model(options: SFTOptions) -> GPT:
    """Return a freshly initialised model; from here on one thread computes, to the same bits."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(options.seed)
    return GPT(
        GPTConfig(
            vocabulary=len(addition.VOCABULARY),
            context=addition.PROMPT + addition.ANSWER,
            depth=options.depth,
            width=options.width,
            heads=options.heads,
        )
    )


def cosine(step: int, *, steps: int, warmup: int, peak: float) -> float:
    """Return the learning rate of `step`: linear warm-up, then a cosine down to a tenth."""
    if step < warmup:
        return peak * (step + 1) / warmup
    through = (step - warmup) / max(1, steps - warmup)
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * through)))


def describe(model: GPT, options: SFTOptions, command: str) -> dict[str, Any]:
    """Return the config of the record that `command` makes."""
    return {
        **asdict(options),
        "task": "addition of two numbers of two digits",
        "optimizer": "AdamW(betas=(0.9, 0.95), weight_decay=0), no clipping",
        "schedule": "linear warm-up, then cosine to a tenth of the peak",
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "command": command,
        "torch": torch.__version__,
    }


def train(
    model: GPT,
    options: SFTOptions,
    recorder: Recorder | None = None,
    step_done: Callable[[int], None] = lambda _: None,
) -> None:
    """Train `model` in place, without clipping: a rate that is too high really diverges.

    Parameters
    ----------
    model : GPT
    options : SFTOptions
    recorder : Recorder, optional
        Gets loss, learning rate and global gradient norm of every step, held-out loss and
        accuracy of some, and gradient norms per layer.
    step_done : callable
        Called with each step when it is over and recorded.
    """
    generator = torch.Generator().manual_seed(options.seed)
    pool = addition.problems(held_out=False)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), weight_decay=0.0)
    if recorder:
        recorder.watch(model, every=1, updates=False)
    for step in range(options.steps):
        rate = cosine(step, steps=options.steps, warmup=options.warmup, peak=options.learning_rate)
        for group in optimizer.param_groups:
            group["lr"] = rate
        drawn = torch.randint(len(pool), (options.batch,), generator=generator)
        loss = answer_loss(model, pool[drawn])
        optimizer.zero_grad()
        loss.backward()
        if recorder:
            row: dict[str, Any] = {"loss": loss, "learning_rate": rate}
            row["grad_norm"] = gradient_norm(model)
            if step % options.eval_every == 0 or step == options.steps - 1:
                row |= evaluate(model)
            recorder.log(step, **row)
            if step % options.layers_every == 0 or step == options.steps - 1:
                recorder.log_layers(step)
        optimizer.step()
        step_done(step)


def answer_loss(model: GPT, pairs: Tensor) -> Tensor:
    """Return the mean cross-entropy of the answer's tokens, in nats."""
    inputs, targets = addition.lesson(pairs)
    return F.cross_entropy(
        model(inputs).flatten(0, 1), targets.flatten(), ignore_index=addition.IGNORED
    )


def gradient_norm(model: GPT) -> Tensor:
    """Return the global norm of the gradients that `model` holds now."""
    return torch.nn.utils.get_total_norm(
        [weight.grad for weight in model.parameters() if weight.grad is not None]
    )


@torch.no_grad()
def evaluate(model: GPT) -> dict[str, float]:
    """Return loss and exact-match accuracy (greedy, 0 to 1) on all held-out problems."""
    pairs = addition.problems(held_out=True)
    responses = model.generate(addition.prompts(pairs), addition.ANSWER)
    return {
        "val_loss": answer_loss(model, pairs).item(),
        "val_accuracy": addition.rewards(pairs, responses).mean().item(),
    }
